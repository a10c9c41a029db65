/* SPDX-License-Identifier: MIT */
#ifndef RUN_PLACES_H
#define RUN_PLACES_H

#include <stdbool.h>

/*
 * The places where threads wait for calls. Who has one runs before all others, where that is permitted, and
 * on the processor that the calls come from: there it waits whenever a caller runs. So a call is
 * received, from where on no signal ends it, before the caller or anybody else runs again.
 * All are of the calling thread.
 */

/* Whether it has a place. */
bool places_mine(void);

/* How many threads wait for a place. */
unsigned places_wanted(void);

/* Waits for a place, if it has none. */
void places_take(void);

/* Leaves it to the next, if it has one: from here on the thread is an ordinary one. */
void places_leave(void);

/*
 * Around an answer. Who is at one for longer than 20 ms, though it did not leave its place, has to wait after
 * all, for a page of the caller's memory for example: places_watch() takes the place away.
 */
void places_begin(void);
void places_end(void);

/*
 * Does so, for ever; `make_another` makes a thread that takes places, when there is none that waits for one.
 */
void places_watch(void (*make_another)(void));

/*
 * A call came from this processor: the thread's place may move there. There is one place more while
 * calls come from several processors, and one less, perhaps the thread's own, when they do not.
 */
void places_adapt(int processor);

#endif
