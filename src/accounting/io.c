/* SPDX-License-Identifier: MIT */
/*
 * Requests to disks: /proc has a process' bytes only, and as written to disks those that came here
 * by FUSE.
 */
#include "disks.h"

#define FIRST_GUESS 65536u /* bytes a request, until the machine has made some */

/* False: it is not known. */
static bool note_written(struct accounting *accounting, pid_t tid, size_t bytes)
{
	struct task *task;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, tid);
	if (task && task->process->measured_io)
		task->process->written_here += bytes;
	pthread_mutex_unlock(&accounting->lock);
	return task;
}

void accounting_wrote_here(struct accounting *accounting, pid_t tid, size_t bytes)
{
	if (note_written(accounting, tid, bytes) || !(accounting->tracked & USAGE_IO))
		return;
	source_sync(accounting); /* it may have been forked just now */
	note_written(accounting, tid, bytes);
}

static void take_off_own(struct process *process, uint64_t *written)
{
	uint64_t here = process->written_here < *written ? process->written_here : *written;

	process->written_here -= here;
	*written -= here;
}

void io_count_requests(struct accounting *accounting, struct process *process,
		       struct counters *delta)
{
	take_off_own(process, &delta->value[COUNTER_WRITTEN]);
	for (enum direction i = READS; i < DIRECTIONS; i++) {
		uint64_t size = accounting->request_bytes[i] ? accounting->request_bytes[i]
							     : FIRST_GUESS;
		uint64_t bytes = process->io_rest[i] + delta->value[COUNTER_READ + i];

		delta->value[COUNTER_READS + i] = bytes / size;
		process->io_rest[i] = bytes % size;
	}
}
