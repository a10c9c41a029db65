/* SPDX-License-Identifier: MIT */
#ifndef FAIR_H
#define FAIR_H

#include <stddef.h>
#include <sys/types.h>

#define FAIR_MAX 4096
#define FAIR_NOBODY ((uid_t)-1) /* the user of what has none: its task is gone */

/*
 * Which of a full array is to go when there is one more: the oldest of the user who has most, so that one
 * user's many never take away what others have. `first` is the user of the first, which is the oldest of all,
 * and the next one's is `stride` bytes after it. `count` is 1 to FAIR_MAX; the answer is less.
 */
unsigned fair_victim(const uid_t *first, size_t stride, unsigned count);

#endif
