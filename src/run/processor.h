#ifndef RUN_PROCESSOR_H
#define RUN_PROCESSOR_H

#include <stdbool.h>

struct machine;
struct peer;

/* Whether a task that waits for the calling thread waits on another processor; a guess, seldom wrong. */
bool processor_is_other(const struct machine *machine, const struct peer *peer);

#endif
