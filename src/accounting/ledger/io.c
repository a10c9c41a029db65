/* SPDX-License-Identifier: MIT */
/*
 * Requests to disks: /proc has a process' bytes only, and as written to disks those that came here
 * by FUSE.
 */
#include "disks.h"

#define FIRST_GUESS 65536u /* bytes a request, until the machine has made some */

static void take_off_own(struct process *process, uint64_t *written)
{
	uint64_t here = process->io.written_here < *written ? process->io.written_here : *written;

	process->io.written_here -= here;
	*written -= here;
}

void io_count_requests(struct accounting *accounting, struct process *process,
		       struct counters *delta)
{
	assert_locked(&accounting->lock);
	take_off_own(process, &delta->value[COUNTER_WRITTEN]);
	for (enum direction i = READS; i < DIRECTIONS; i++) {
		uint64_t size = accounting->request_bytes[i] ? accounting->request_bytes[i]
							     : FIRST_GUESS;
		uint64_t bytes = process->io.rest[i] + delta->value[COUNTER_READ + i];

		delta->value[COUNTER_READS + i] = bytes / size;
		process->io.rest[i] = bytes % size;
	}
}
