/* SPDX-License-Identifier: MIT */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

struct calls_context;

/*
 * Catching by seccomp user notification: seccomp_unotify(2). One of the ways
 * to bring calls to calls_answer().
 */

/*
 * Answers what comes to the listener, with threads of its own, from here on to the end of the
 * process. `context` must last as long. 0 or a negative errno.
 */
int notify_serve(int listener, const struct calls_context *context);

/* calls_context.before_waiting: another thread may take the next call. */
void notify_before_waiting(void);

/* Waits up to `milliseconds` (-1: for ever) until no process is under the filter any more; whether so. */
int notify_is_over(int listener, int milliseconds);

#endif
