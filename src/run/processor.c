/* On which processors the tasks are that wait for an answer. */
#include "processor.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#include "machine_task.h"

#define PLACES 256

/* tid << 32 | processor, of the last task with such a number. */
static _Atomic uint64_t places[PLACES];

static uint64_t place_of(pid_t tid, int processor)
{
	return (uint64_t)(uint32_t)tid << 32 | (uint32_t)processor;
}

/*
 * To look costs as much as a whole answer. A task that asks again and again stays where it was, if
 * that is here: so one looks when another task asks than before, or the answerer has moved.
 */
bool processor_is_other(const struct machine *machine, pid_t tid)
{
	static _Thread_local pid_t last;
	_Atomic uint64_t *place = &places[(uint32_t)tid % PLACES];
	uint64_t here = place_of(tid, sched_getcpu());
	struct machine_task_stat stat;

	if (tid != last || *place != here) {
		last = tid;
		if (machine_task_stat(machine, tid, tid, &stat))
			return false;
		*place = place_of(tid, stat.processor);
	}
	return *place != here;
}
