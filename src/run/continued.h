/* SPDX-License-Identifier: MIT */
#ifndef RUN_CONTINUED_H
#define RUN_CONTINUED_H

#include <stdbool.h>

/*
 * Whether a SIGCONT has come to the launcher. A stop takes away each SIGCONT that waits (signal(7); the
 * kernel's prepare_signal()), so one that comes just before the supervisor stops the launcher is lost. The
 * contrary holds too: a SIGCONT takes away each stop that waits. So a thread of the launcher's has one, of
 * its own and blocked, and that it is gone tells of the SIGCONT. The kernel shows it in the thread's
 * /proc/PID/task/TID/status.
 */

/*
 * In the launcher, with all signals blocked and its rights let go of: starts the thread, which has its stop.
 * Returns a descriptor of its status, open as long as the process, or -1: it cannot be known.
 */
int continued_watch(void);

/* In the launcher, after it has taken a SIGCONT: waits for the next. */
void continued_forget(void);

/*
 * In any process: whether one has come since, by the descriptor. False where that is not to be known, -1 too.
 */
bool continued_has_come(int status);

#endif
