/* SPDX-License-Identifier: MIT */
#ifndef RUN_SHORTAGE_H
#define RUN_SHORTAGE_H

/*
 * Whether the supervisor was short of descriptors or memory while this thread looked for an answer. What
 * could not be opened then is not gone, and may be ours: to let the kernel make the call, because nothing of
 * ours was found, would be a guess. So whoever opens or allocates something for an answer notes what came of
 * it, and calls_answer() asks at the end.
 */

/* From now on another answer is looked for. */
void shortage_begin(void);

/* Returns the result, 0 and above or a negative errno, and keeps in mind if it is a shortage's. */
int shortage_note(int result);

/* The same of what was returned by a function that sets errno: -1 becomes its negative. */
int shortage_note_errno(int result);

/* 0, or the negative errno of the first shortage since shortage_begin(), as a task is told of ours. */
int shortage_met(void);

#endif
