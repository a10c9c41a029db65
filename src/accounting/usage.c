/* SPDX-License-Identifier: MIT */
/* What groups used: adding to it, and asking for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "machine_device.h"

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

struct usage *usage_get(struct group *group)
{
	struct usage *usage = group->usage;

	group_unsaved(group); /* who gets it adds to it */
	if (usage)
		return usage;
	usage = calloc(1, sizeof(*usage));
	if (!usage)
		return NULL;
	if (group->accounting->kinds[group->hierarchy] & USAGE_CPU) {
		usage->per_cpu = calloc(group->accounting->nr_cpu, sizeof(*usage->per_cpu));
		if (!usage->per_cpu) {
			free(usage);
			return NULL;
		}
	}
	group->usage = usage;
	return usage;
}

void usage_free(struct group *group)
{
	if (group->usage) {
		free(group->usage->per_cpu);
		free(group->usage->disks);
	}
	free(group->usage);
	group->usage = NULL;
}

/*
 * Adds run time, and splits all of it as cputime_adjust() does: in the ratio
 * of the ticks, neither part ever less than it was.
 */
static void count_cpu(struct usage *usage, const struct counters *delta, unsigned cpu)
{
	uint64_t *sum = usage->cpu.value, run = delta->value[COUNTER_RUN];
	uint64_t ticks, target, user = 0;

	for (enum counter i = COUNTER_RUN; i <= COUNTER_SYSTEM; i++)
		sum[i] += delta->value[i];
	ticks = sum[COUNTER_USER] + sum[COUNTER_SYSTEM];
	target = sum[COUNTER_SYSTEM] ? number_scale(sum[COUNTER_RUN], sum[COUNTER_USER], ticks)
				     : sum[COUNTER_RUN];
	if (target > usage->total.user)
		user = target - usage->total.user;
	if (user > run)
		user = run;
	usage->total.user += user;
	usage->total.system += run - user;
	usage->per_cpu[cpu].user += user;
	usage->per_cpu[cpu].system += run - user;
}

static void count_memory(struct memory_usage *memory, const struct counters *delta)
{
	memory->pgfault += delta->value[COUNTER_FAULTS];
	memory->pgmajfault += delta->value[COUNTER_MAJOR_FAULTS];
}

struct disk_usage *usage_of_disk(struct usage *usage, uint32_t device)
{
	struct disk_usage *disks = usage->disks;

	for (size_t i = 0; i < usage->disk_count; i++) {
		if (disks[i].device == device)
			return &disks[i];
	}
	disks = realloc(disks, (usage->disk_count + 1) * sizeof(*disks));
	if (!disks)
		return NULL;
	usage->disks = disks;
	disks[usage->disk_count] = (struct disk_usage){.device = device};
	return &disks[usage->disk_count++];
}

static void add_io(struct io_usage *io, const struct io_usage *part)
{
	io->read_bytes += part->read_bytes;
	io->write_bytes += part->write_bytes;
	io->read_ios += part->read_ios;
	io->write_ios += part->write_ios;
}

static void count_io(struct usage *usage, const struct disk_part *part, bool is_local)
{
	struct disk_usage *disk;

	if (!part->usage.read_bytes && !part->usage.write_bytes)
		return;
	disk = usage_of_disk(usage, part->device);
	if (disk && is_local)
		add_io(&disk->local, &part->usage);
	if (disk)
		add_io(&disk->total, &part->usage);
}

/* Of the group in the hierarchy where I/O is counted. NULL: the root, or nothing yet. */
static const struct usage *io_usage_of(const struct accounting *accounting,
				       const struct task_link *links)
{
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (accounting->kinds[i] & USAGE_IO)
			return links[i].group ? links[i].group->usage : NULL;
	}
	return NULL;
}

void usage_count(struct accounting *accounting, const struct task_link *links,
		 const struct counters *delta, unsigned cpu)
{
	static const struct counters nothing;
	const struct disk_part *parts;
	size_t count;

	if (!memcmp(delta, &nothing, sizeof(nothing)))
		return;
	parts = disks_give(accounting->disks, io_usage_of(accounting, links), delta, &count);
	if (cpu >= accounting->nr_cpu)
		cpu = 0;
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		unsigned kinds = accounting->kinds[i];
		struct group *own = kinds ? links[i].group : NULL;

		for (struct group *group = own; group && group->parent; group = group->parent) {
			struct usage *usage = usage_get(group);

			if (!usage)
				continue;
			if (kinds & USAGE_CPU)
				count_cpu(usage, delta, cpu);
			if (group == own)
				count_memory(&usage->memory, delta);
			count_memory(&usage->memory_total, delta);
			for (size_t part = 0; part < count && kinds & USAGE_IO; part++)
				count_io(usage, &parts[part], group == own);
		}
	}
}

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

int group_memory_peak(struct group *group, struct memory_peak *peak)
{
	int error = ask(group, USAGE_MEMORY, false);

	if (error)
		return error;
	*peak = group->usage ? group->usage->peak : (struct memory_peak){0};
	answered(group);
	return 0;
}

void group_memory_peak_reset(struct group *group, enum memory_peak_kind kind)
{
	struct usage *usage;

	pthread_mutex_lock(&group->accounting->lock);
	usage = group->usage;
	if (usage && kind == MEMORY_PEAK_MEMORY)
		usage->peak.memory = memory_usage_bytes(&usage->memory_total);
	else if (usage && kind == MEMORY_PEAK_MEMSW)
		usage->peak.memsw = memory_usage_bytes(&usage->memory_total) +
				    usage->memory_total.swap;
	else if (usage && kind == MEMORY_PEAK_KERNEL)
		usage->peak.kernel = usage->memory_total.kernel;
	else if (usage && kind == MEMORY_PEAK_SINCE)
		usage->peak.memory_since = memory_usage_bytes(&usage->memory_total);
	else if (usage)
		usage->peak.swap_since = usage->memory_total.swap;
	pthread_mutex_unlock(&group->accounting->lock);
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
