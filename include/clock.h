/* SPDX-License-Identifier: MIT */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* clock_gettime(2), in nanoseconds: the monotonic clock, which begins at some moment and never goes back. */
uint64_t now_ns(void);
/*
 * Processor time of this thread: what something costs on a busy machine, too. Of a kernel that counts it in
 * ticks the monotonic clock, which does not tell less.
 */
uint64_t spent_ns(void);

#endif
