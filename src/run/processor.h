/* SPDX-License-Identifier: MIT */
#ifndef RUN_PROCESSOR_H
#define RUN_PROCESSOR_H

#include <stdbool.h>

struct machine;
struct peer;

/* The processor that a waiting task is on, or -1 where it cannot be told; a guess, seldom wrong. */
int processor_of(const struct machine *machine, const struct peer *peer);

/*
 * Lets the calling thread run before all others whenever there is something for it: at real-time
 * priority. False where that is not permitted: it stays an ordinary thread.
 */
bool processor_be_urgent(void);
/* An ordinary thread again, on the same processor: to let it go costs as much as a whole answer. */
void processor_be_ordinary(void);

/* Keeps the calling thread on this processor. */
void processor_move(int processor);

#endif
