/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t spent_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
