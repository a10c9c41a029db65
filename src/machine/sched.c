/* SPDX-License-Identifier: MIT */
/* /proc/sys/kernel/sched_rt_* and /sys/devices/system/cpu/cpu0/{topology,cache} */
#include "internal.h"

#include <errno.h>
#include <stdio.h>

#include "machine_sched.h"

#define CACHE_INDEXES 8	/* more than any CPU has */

/* *setting stays as it is where there is no such file. */
static int read_setting(const struct machine *machine, const char *path, int64_t *setting)
{
	struct file file;
	struct span text;
	uint64_t value;
	int error = file_read(machine->proc, path, FILE_RECORD, &file);

	if (error)
		return error == -ENOENT ? 0 : error;
	text = (struct span){ file.text, file.text + file.len };
	if (span_number(&text, &value))
		*setting = (int64_t)value;
	file_free(&file);
	return 0;
}

int machine_rt_limits(const struct machine *machine, struct machine_rt_limits *limits)
{
	struct machine_rt_limits found = { .period_us = 1000000, .runtime_us = 950000 };
	int error = read_setting(machine, "sys/kernel/sched_rt_period_us", &found.period_us);

	if (!error)
		error = read_setting(machine, "sys/kernel/sched_rt_runtime_us", &found.runtime_us);
	if (!error)
		*limits = found;
	return error;
}

unsigned int machine_nr_cpus(const struct machine *machine)
{
	uint64_t last;

	if (file_read_u64(machine->sys, "devices/system/cpu/kernel_max", &last) ||
	    last >= BITMAP_MAX_BITS)
		return BITMAP_MAX_BITS;
	return last + 1;
}

/* The CPUs of one list file; false: there is none. */
static bool read_span(const struct machine *machine, const char *path, struct bitmap *span)
{
	struct file file;
	int error;

	if (file_read(machine->sys, path, FILE_RECORD, &file))
		return false;
	error = bitmap_parselist_len(file.text, file.len, span);
	file_free(&file);
	return !error && !bitmap_empty(span);
}

static bool read_topology(const struct machine *machine, const char *name, struct bitmap *span)
{
	char path[96];

	snprintf(path, sizeof(path), "devices/system/cpu/cpu0/topology/%s", name);
	return read_span(machine, path, span);
}

/* The CPUs that share the last cache: that of the highest index. */
static bool read_last_cache(const struct machine *machine, struct bitmap *span)
{
	char path[96];

	for (int index = CACHE_INDEXES - 1; index >= 0; index--) {
		snprintf(path, sizeof(path), "devices/system/cpu/cpu0/cache/index%d/shared_cpu_list",
			 index);
		if (read_span(machine, path, span))
			return true;
	}
	return false;
}

/* Different distances from node 0, its own included: as many levels of NUMA domains. */
static unsigned int count_distances(const struct machine *machine)
{
	struct file file;
	struct span text;
	uint64_t value, seen[64];
	unsigned int nr = 0;

	if (file_read(machine->sys, "devices/system/node/node0/distance", FILE_RECORD, &file))
		return 0;
	text = (struct span){ file.text, file.text + file.len };
	while (nr < 64 && span_u64(&text, &value)) {
		unsigned int i = 0;

		while (i < nr && seen[i] != value)
			i++;
		if (i == nr)
			seen[nr++] = value;
	}
	file_free(&file);
	return nr;
}

/* Reads the CPUs of one level; false: this machine has no such level. */
typedef bool (*read_level)(const struct machine *machine, struct bitmap *span);

static bool read_smt(const struct machine *machine, struct bitmap *span)
{
	return read_topology(machine, "thread_siblings_list", span) && bitmap_weight(span) > 1;
}

static bool read_cluster(const struct machine *machine, struct bitmap *span)
{
	return read_topology(machine, "cluster_cpus_list", span);
}

static bool read_package(const struct machine *machine, struct bitmap *span)
{
	return read_topology(machine, "package_cpus_list", span) ||
	       read_topology(machine, "core_siblings_list", span);
}

static unsigned int find_level(const struct machine *machine, const struct bitmap *online,
			       struct bitmap *span)
{
	static const read_level levels[] = { read_smt, read_cluster, read_last_cache,
					     read_package };
	unsigned int nr = 0;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (!levels[i](machine, span))
			continue;
		if (bitmap_subset(online, span))
			return nr;
		nr++;
	}
	nr += count_distances(machine);
	return nr ? nr - 1 : 0;
}

unsigned int machine_sched_domain_level_max(const struct machine *machine)
{
	struct bitmap *online __attribute__((cleanup(bitmap_freep))) = NULL;
	struct bitmap *span __attribute__((cleanup(bitmap_freep))) = bitmap_new(BITMAP_MAX_BITS);

	if (!span || machine_cpus(machine, MACHINE_CPUS_ONLINE, &online))
		return 0;
	return find_level(machine, online, span);
}
