#ifndef RUN_PROCESSOR_H
#define RUN_PROCESSOR_H

#include <stdbool.h>
#include <sys/types.h>

struct machine;

/* Whether a task that waits for the calling thread waits on another processor; a guess, seldom wrong. */
bool processor_is_other(const struct machine *machine, pid_t tid);

#endif
