/* SPDX-License-Identifier: MIT */
/* What time it is, and what was spent of it. */
#include <pthread.h>
#include <time.h>

#include "ledger.h"

#define TICK_NS 10000000u

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

/* gVisor tells a thread's time in ticks, which are longer than what is measured: then all that passes counts. */
static clockid_t spending = CLOCK_THREAD_CPUTIME_ID;

static void choose_spending(void)
{
	if (clock_ns(CLOCK_THREAD_CPUTIME_ID) % TICK_NS == 0)
		spending = CLOCK_MONOTONIC;
}

uint64_t spent_ns(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose_spending);
	return clock_ns(spending);
}
