/* SPDX-License-Identifier: MIT */
/* What groups used: asking for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine_device.h"
#include "questions.h"

/* Measures the group and takes the lock; the answer is in group->usage, if there is any. */
static int ask(struct group *group, enum usage_kind kind, bool anew)
{
	struct accounting *accounting = group->accounting;
	int error;

	pthread_mutex_lock(&accounting->lock);
	error = accounting->kinds[group->hierarchy] & kind ? 0 : -EINVAL;
	pthread_mutex_unlock(&accounting->lock);
	if (!error)
		error = group_measure(group, kind, anew);
	if (!error)
		pthread_mutex_lock(&accounting->lock);
	return error;
}

static void answered(struct group *group)
{
	pthread_mutex_unlock(&group->accounting->lock);
}

int group_cpu_usage(struct group *group, struct cpu_usage *usage)
{
	unsigned nr_cpu = group->accounting->nr_cpu;
	int error;

	*usage = (struct cpu_usage){0};
	usage->per_cpu = calloc(nr_cpu, sizeof(*usage->per_cpu));
	if (!usage->per_cpu)
		return -ENOMEM;
	usage->nr_cpu = nr_cpu;
	error = ask(group, USAGE_CPU, false);
	if (error) {
		cpu_usage_free(usage);
		return error;
	}
	if (group->usage) {
		usage->total = group->usage->total;
		memcpy(usage->per_cpu, group->usage->per_cpu, nr_cpu * sizeof(*usage->per_cpu));
	}
	answered(group);
	return 0;
}

void cpu_usage_free(struct cpu_usage *usage)
{
	free(usage->per_cpu);
	*usage = (struct cpu_usage){0};
}

int group_cpu_reset(struct group *group)
{
	int error = ask(group, USAGE_CPU, true);

	if (error)
		return error;
	if (group->usage) {
		group->usage->cpu = (struct counters){0};
		group->usage->total = (struct cpu_time){0};
		memset(group->usage->per_cpu, 0,
		       group->accounting->nr_cpu * sizeof(*group->usage->per_cpu));
	}
	answered(group);
	group_native_reset(group);
	return 0;
}

int group_memory_usage(struct group *group, struct memory_usage *local,
		       struct memory_usage *total)
{
	int error = ask(group, USAGE_MEMORY, false);

	if (error)
		return error;
	if (local)
		*local = group->usage ? group->usage->memory : (struct memory_usage){0};
	if (total)
		*total = group->usage ? group->usage->memory_total : (struct memory_usage){0};
	answered(group);
	return 0;
}

int group_memory_peaks(struct group *group, struct memory_peaks *peaks)
{
	int error = ask(group, USAGE_MEMORY, false);

	if (error)
		return error;
	*peaks = group->usage ? group->usage->peaks : (struct memory_peaks){0};
	answered(group);
	return 0;
}

void group_memory_peak_reset(struct group *group, enum memory_peak peak)
{
	guard(&group->accounting->lock);
	if (group->usage)
		group->usage->peaks.of[peak] = memory_now(&group->usage->memory_total, 0).of[peak];
}

static void cut_to_sectors(struct io_usage *io)
{
	io->read_bytes -= io->read_bytes % MACHINE_SECTOR_BYTES;
	io->write_bytes -= io->write_bytes % MACHINE_SECTOR_BYTES;
}

/* A disk has no part of a sector, and is not there yet when that is all it has. How many are. */
static size_t show_sectors(struct disk_usage *disks, size_t count)
{
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		cut_to_sectors(&disks[i].local);
		cut_to_sectors(&disks[i].total);
		if (disks[i].total.read_bytes || disks[i].total.write_bytes)
			disks[shown++] = disks[i];
	}
	return shown;
}

int group_io_usage(struct group *group, struct disk_usage **disks, size_t *count)
{
	int error = ask(group, USAGE_IO, false);

	*disks = NULL;
	*count = 0;
	if (error)
		return error;
	if (group->usage && group->usage->disk_count) {
		*disks = malloc(group->usage->disk_count * sizeof(**disks));
		*count = *disks ? group->usage->disk_count : 0;
		error = *disks ? 0 : -ENOMEM;
	}
	if (*count)
		memcpy(*disks, group->usage->disks, *count * sizeof(**disks));
	answered(group);
	*count = show_sectors(*disks, *count);
	return error;
}

int group_memory_restart(struct group *group)
{
	int error = ask(group, USAGE_MEMORY, true);

	if (error)
		return error;
	if (!group->retired)
		memory_restart(group);
	answered(group);
	return 0;
}

/* False: it is not known. */
static bool note_written(struct accounting *accounting, pid_t tid, size_t bytes)
{
	struct task *task;

	guard(&accounting->lock);
	task = task_find(accounting, tid);
	if (task && task->process->io.measured)
		task->process->io.written_here += bytes;
	return task;
}

void accounting_wrote_here(struct accounting *accounting, pid_t tid, size_t bytes)
{
	if (note_written(accounting, tid, bytes) || !(accounting->tracked & USAGE_IO))
		return;
	source_sync(accounting); /* it may have been forked just now */
	note_written(accounting, tid, bytes);
}
