/* SPDX-License-Identifier: MIT */
/* On which processors the tasks are that wait for an answer. */
#include "processor.h"

#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "machine_task.h"
#include "peer_number.h"

#define TASKS 256

/* Of the last task with such a number: tid << 32 | processor << 16 | when. */
static _Atomic uint64_t places[TASKS];

/* The kernel's clock at its last tick, which is when it moves tasks that do not sleep long. */
static uint16_t tick(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint16_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static uint64_t place_of(pid_t tid, int processor, uint16_t when)
{
	return (uint64_t)(uint32_t)tid << 32 | (uint32_t)processor << 16 | when;
}

/* To look costs as much as a whole answer: once in a tick is enough. */
int processor_of(const struct machine *machine, const struct peer *peer)
{
	pid_t tid = peer->tid;
	_Atomic uint64_t *place = &places[(uint32_t)tid % TASKS];
	uint64_t now = place_of(tid, 0, tick()), known = *place;
	struct machine_task_stat stat;

	if ((known & ~place_of(0, UINT16_MAX, 0)) != now) {
		if (machine_task_stat(machine, tid, tid, &stat))
			return -1;
		known = now | place_of(0, stat.processor, 0);
		*place = known;
	}
	return (int)(known >> 16 & UINT16_MAX);
}

bool processor_be_urgent(void)
{
	const struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

	return !sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least);
}

void processor_be_ordinary(void)
{
	const struct sched_param none = {0};

	sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

void processor_move(int processor)
{
	cpu_set_t one;

	if (processor >= CPU_SETSIZE)
		return;
	CPU_ZERO(&one);
	CPU_SET((unsigned)processor, &one);
	sched_setaffinity(0, sizeof(one), &one);
}
