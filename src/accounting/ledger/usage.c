/* SPDX-License-Identifier: MIT */
/* What groups used: adding to it, here and above. */
#include <stdlib.h>
#include <string.h>

#include "disks.h"

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
	assert_locked(&group->accounting->lock);
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

	assert_locked(&accounting->lock);
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

uint64_t memory_usage_bytes(const struct memory_usage *usage)
{
	return usage->anon + usage->file + usage->shmem + usage->kernel;
}

struct memory_peaks memory_now(const struct memory_usage *total, uint64_t more)
{
	uint64_t bytes = memory_usage_bytes(total) + more;

	return (struct memory_peaks){.of = {
		[MEMORY_PEAK_MEMORY] = bytes,
		[MEMORY_PEAK_MEMSW] = bytes + total->swap,
		[MEMORY_PEAK_KERNEL] = total->kernel,
		[MEMORY_PEAK_SWAP] = total->swap,
		[MEMORY_PEAK_SINCE] = bytes,
		[MEMORY_PEAK_SWAP_SINCE] = total->swap,
	}};
}

void memory_raise_peaks(struct usage *usage, uint64_t more)
{
	const struct memory_peaks now = memory_now(&usage->memory_total, more);

	for (enum memory_peak i = 0; i < MEMORY_PEAKS; i++) {
		if (now.of[i] > usage->peaks.of[i])
			usage->peaks.of[i] = now.of[i];
	}
}
