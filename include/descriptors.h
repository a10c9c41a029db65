/* SPDX-License-Identifier: MIT */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/*
 * The open files that a long-lived process was started with. Each that it keeps keeps a pipe's reader
 * waiting for an end, a lock locked and a file system busy.
 */

/*
 * Has /dev/null in those of 0, 1 and 2 that are closed: else a file of our own, opened later, would be
 * "stderr".
 */
void descriptors_fill(void);

/*
 * Has /dev/null in all from `first` to `last` (both within 0 to 2). Nothing happens where it cannot be
 * opened.
 */
void descriptors_to_null(int first, int last);

/*
 * Closes all above 2 but the `count` in `kept`, of which those below 3 (-1) are none. Source: close_range(2),
 * and /proc/self/fd before Linux 5.9.
 */
void descriptors_close(const int *kept, unsigned count);

/*
 * Has as many open files allowed as may be: as the hard limit says, which root raises to `wanted` if
 * it is lower (RLIMIT_NOFILE: getrlimit(2)). Returns how many that are; at most UINT_MAX.
 */
unsigned descriptors_allow(unsigned wanted);

/* The open file of `fd` as another descriptor, above 2 and close-on-exec; `fd` is closed. -1 with errno. */
int descriptors_move_up(int fd);

#endif
