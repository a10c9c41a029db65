/* Requests to disks: /proc has a process' bytes only, and the machine's bytes and requests. */
#include "internal.h"
#include "machine_device.h"

#define LEARN_EVERY 100000000u /* ns */
#define FIRST_GUESS 65536u /* bytes a request, until the machine has made some */

enum direction { READS, WRITES };

/* Whole disks only: a partition's requests are its disk's too. */
static void sum_disks(const struct machine *machine, uint64_t bytes[2], uint64_t requests[2])
{
	struct machine_disks disks = {0};

	if (machine_disks(machine, &disks))
		return;
	machine_disks_drop_partitions(machine, &disks);
	for (size_t i = 0; i < disks.nr; i++) {
		const struct machine_disk *disk = &disks.disk[i];

		bytes[READS] += disk->sectors_read * MACHINE_SECTOR_BYTES;
		bytes[WRITES] += disk->sectors_written * MACHINE_SECTOR_BYTES;
		requests[READS] += disk->reads;
		requests[WRITES] += disk->writes;
	}
	machine_disks_free(&disks);
}

void io_learn_request_size(struct accounting *accounting)
{
	uint64_t bytes[2] = {0}, requests[2] = {0}, now = now_ns();
	bool due;

	pthread_mutex_lock(&accounting->lock);
	due = !accounting->disks_read_at || now - accounting->disks_read_at >= LEARN_EVERY;
	if (due)
		accounting->disks_read_at = now;
	pthread_mutex_unlock(&accounting->lock);
	if (!due)
		return;
	sum_disks(accounting->machine, bytes, requests);
	pthread_mutex_lock(&accounting->lock);
	for (enum direction i = READS; i <= WRITES; i++) {
		if (requests[i] > accounting->disk_requests[i] &&
		    bytes[i] > accounting->disk_bytes[i])
			accounting->request_bytes[i] = (bytes[i] - accounting->disk_bytes[i]) /
						       (requests[i] - accounting->disk_requests[i]);
		accounting->disk_bytes[i] = bytes[i];
		accounting->disk_requests[i] = requests[i];
	}
	pthread_mutex_unlock(&accounting->lock);
}

void io_count_requests(struct accounting *accounting, struct process *process,
		       struct counters *delta)
{
	for (enum direction i = READS; i <= WRITES; i++) {
		uint64_t size = accounting->request_bytes[i] ? accounting->request_bytes[i]
							     : FIRST_GUESS;
		uint64_t bytes = process->io_rest[i] + delta->value[COUNTER_READ + i];

		delta->value[COUNTER_READS + i] = bytes / size;
		process->io_rest[i] = bytes % size;
	}
}
