/* On which processors the tasks are that wait for an answer. */
#include "processor.h"

#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "machine_task.h"
#include "peer_number.h"

#define PLACES 256

/* Of the last task with such a number: tid << 32 | processor << 16 | when. */
static _Atomic uint64_t places[PLACES];

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
bool processor_is_other(const struct machine *machine, const struct peer *peer)
{
	pid_t tid = peer->tid;
	_Atomic uint64_t *place = &places[(uint32_t)tid % PLACES];
	uint64_t now = place_of(tid, 0, tick()), known = *place;
	struct machine_task_stat stat;

	if ((known & ~place_of(0, UINT16_MAX, 0)) != now) {
		if (machine_task_stat(machine, tid, tid, &stat))
			return false;
		known = now | place_of(0, stat.processor, 0);
		*place = known;
	}
	return known != (now | place_of(0, sched_getcpu(), 0));
}
