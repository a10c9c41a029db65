/* SPDX-License-Identifier: MIT */
/* memory.stat and memory.numa_stat of v2 (memory_stat_format, memory_numa_stat_show of mm/memcontrol.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "mem_cgroup.h"
#include "number.h"

/* Where a child's figure comes from: what its members hold, or what nobody tells of a process. */
enum source { UNKNOWN, ANON, ANON_HUGE, FILES, SHMEM, MAPPED, KERNEL, STACKS, TABLES, INACTIVE_ANON,
	      ACTIVE_FILE, FAULTS, MAJOR_FAULTS };

/* On which nodes it is spread in memory.numa_stat. */
enum nodes { NOT_BY_NODE, AS_ANON, AS_FILE };

/* A row is a line of memory.stat. */
struct line {
	const char *name;
	enum source source; /* of a child */
	int meminfo; /* enum machine_mem of the root's figure; -1: vmstat's of this name */
	const char *vmstat; /* pages where it begins with "nr_" */
	enum nodes nodes;
};

#define OF_MEMINFO(line, child, field, spread) {line, child, field, NULL, spread}
#define OF_VMSTAT(line, child, counter, spread) {line, child, -1, counter, spread}
#define EVENT(line) {line, UNKNOWN, -1, line, NOT_BY_NODE}
#define NODE_EVENT(line) {line, UNKNOWN, -1, line, AS_FILE}

/* --- sums that /proc does not have as one line --- */

#define SUM_KERNEL (-2)
#define SUM_SLAB (-3)
#define SUM_SCAN (-4)
#define SUM_STEAL (-5)
#define NOWHERE (-6)

static const struct line lines[] = {
	OF_VMSTAT("anon", ANON, "nr_anon_pages", AS_ANON),
	OF_VMSTAT("file", FILES, "nr_file_pages", AS_FILE),
	OF_MEMINFO("kernel", KERNEL, SUM_KERNEL, NOT_BY_NODE),
	OF_MEMINFO("kernel_stack", STACKS, MACHINE_MEM_KERNELSTACK, AS_ANON),
	OF_MEMINFO("pagetables", TABLES, MACHINE_MEM_PAGETABLES, AS_ANON),
	OF_MEMINFO("sec_pagetables", UNKNOWN, MACHINE_MEM_SECPAGETABLES, AS_ANON),
	OF_MEMINFO("percpu", UNKNOWN, MACHINE_MEM_PERCPU, NOT_BY_NODE),
	OF_MEMINFO("sock", UNKNOWN, NOWHERE, NOT_BY_NODE),
	OF_MEMINFO("vmalloc", UNKNOWN, MACHINE_MEM_VMALLOCUSED, NOT_BY_NODE),
	OF_VMSTAT("shmem", SHMEM, "nr_shmem", AS_FILE),
	OF_MEMINFO("zswap", UNKNOWN, MACHINE_MEM_ZSWAP, NOT_BY_NODE),
	OF_MEMINFO("zswapped", UNKNOWN, MACHINE_MEM_ZSWAPPED, NOT_BY_NODE),
	OF_VMSTAT("file_mapped", MAPPED, "nr_mapped", AS_FILE),
	OF_VMSTAT("file_dirty", UNKNOWN, "nr_dirty", AS_FILE),
	OF_VMSTAT("file_writeback", UNKNOWN, "nr_writeback", AS_FILE),
	OF_MEMINFO("swapcached", UNKNOWN, MACHINE_MEM_SWAPCACHED, AS_FILE),
	OF_MEMINFO("anon_thp", ANON_HUGE, MACHINE_MEM_ANONHUGEPAGES, AS_ANON),
	OF_MEMINFO("file_thp", UNKNOWN, MACHINE_MEM_FILEHUGEPAGES, AS_FILE),
	OF_MEMINFO("shmem_thp", UNKNOWN, MACHINE_MEM_SHMEMHUGEPAGES, AS_FILE),
	OF_VMSTAT("inactive_anon", INACTIVE_ANON, "nr_inactive_anon", AS_ANON),
	OF_VMSTAT("active_anon", UNKNOWN, "nr_active_anon", AS_ANON),
	OF_VMSTAT("inactive_file", UNKNOWN, "nr_inactive_file", AS_FILE),
	OF_VMSTAT("active_file", ACTIVE_FILE, "nr_active_file", AS_FILE),
	OF_VMSTAT("unevictable", UNKNOWN, "nr_unevictable", AS_ANON),
	OF_MEMINFO("slab_reclaimable", UNKNOWN, MACHINE_MEM_SRECLAIMABLE, AS_FILE),
	OF_MEMINFO("slab_unreclaimable", UNKNOWN, MACHINE_MEM_SUNRECLAIM, AS_FILE),
	OF_MEMINFO("slab", UNKNOWN, SUM_SLAB, NOT_BY_NODE),
	NODE_EVENT("workingset_refault_anon"),
	NODE_EVENT("workingset_refault_file"),
	NODE_EVENT("workingset_activate_anon"),
	NODE_EVENT("workingset_activate_file"),
	NODE_EVENT("workingset_restore_anon"),
	NODE_EVENT("workingset_restore_file"),
	NODE_EVENT("workingset_nodereclaim"),
	NODE_EVENT("pgdemote_kswapd"),
	NODE_EVENT("pgdemote_direct"),
	NODE_EVENT("pgdemote_khugepaged"),
	NODE_EVENT("pgdemote_proactive"),
	NODE_EVENT("pgpromote_success"),
	OF_MEMINFO("pgscan", UNKNOWN, SUM_SCAN, NOT_BY_NODE),
	OF_MEMINFO("pgsteal", UNKNOWN, SUM_STEAL, NOT_BY_NODE),
	EVENT("pswpin"),
	EVENT("pswpout"),
	EVENT("pgscan_kswapd"),
	EVENT("pgscan_direct"),
	EVENT("pgscan_khugepaged"),
	EVENT("pgscan_proactive"),
	EVENT("pgsteal_kswapd"),
	EVENT("pgsteal_direct"),
	EVENT("pgsteal_khugepaged"),
	EVENT("pgsteal_proactive"),
	OF_VMSTAT("pgfault", FAULTS, "pgfault", NOT_BY_NODE),
	OF_VMSTAT("pgmajfault", MAJOR_FAULTS, "pgmajfault", NOT_BY_NODE),
	EVENT("pgrefill"),
	EVENT("pgactivate"),
	EVENT("pgdeactivate"),
	EVENT("pglazyfree"),
	EVENT("pglazyfreed"),
	EVENT("swpin_zero"),
	EVENT("swpout_zero"),
	EVENT("zswpin"),
	EVENT("zswpout"),
	EVENT("zswpwb"),
	EVENT("thp_fault_alloc"),
	EVENT("thp_collapse_alloc"),
	EVENT("thp_swpout"),
	EVENT("thp_swpout_fallback"),
	EVENT("numa_pages_migrated"),
	EVENT("numa_pte_updates"),
	EVENT("numa_hint_faults"),
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

/* --- the root --- */

static uint64_t sum_events(const struct machine_vmstat *vmstat, const char *prefix)
{
	static const char *const by[] = {"kswapd", "direct", "khugepaged", "proactive"};
	uint64_t sum = 0;
	char name[64];

	for (unsigned i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		snprintf(name, sizeof(name), "%s_%s", prefix, by[i]);
		sum += machine_vmstat_value(vmstat, name);
	}
	return sum;
}

static uint64_t sum_of(const struct machine_meminfo *info, const struct machine_vmstat *vmstat, int sum)
{
	const uint64_t *mem = info->value;

	switch (sum) {
	case SUM_KERNEL:
		return mem[MACHINE_MEM_SLAB] + mem[MACHINE_MEM_KERNELSTACK] + mem[MACHINE_MEM_PAGETABLES] +
		       mem[MACHINE_MEM_SECPAGETABLES] + mem[MACHINE_MEM_PERCPU] +
		       mem[MACHINE_MEM_VMALLOCUSED];
	case SUM_SLAB:
		return mem[MACHINE_MEM_SRECLAIMABLE] + mem[MACHINE_MEM_SUNRECLAIM];
	case SUM_SCAN:
		return sum_events(vmstat, "pgscan");
	case SUM_STEAL:
		return sum_events(vmstat, "pgsteal");
	default:
		return 0;
	}
}

static uint64_t machine_figure(const struct line *line, const struct machine_meminfo *info,
			       const struct machine_vmstat *vmstat)
{
	uint64_t value;

	if (line->meminfo >= 0)
		return info->value[line->meminfo];
	if (line->meminfo < -1)
		return sum_of(info, vmstat, line->meminfo);
	value = machine_vmstat_value(vmstat, line->vmstat);
	return strncmp(line->vmstat, "nr_", strlen("nr_")) ? value : value * number_page_size();
}

/* gVisor has no /proc/vmstat. */
static int figures_of_machine(const struct machine *machine, uint64_t figures[LINES])
{
	struct machine_meminfo info;
	struct machine_vmstat *vmstat = NULL;
	int error = machine_meminfo(machine, &info);

	if (error)
		return error;
	error = machine_vmstat(machine, &vmstat);
	if (error && error != -ENOENT)
		return error;
	for (unsigned i = 0; i < LINES; i++)
		figures[i] = machine_figure(&lines[i], &info, vmstat);
	machine_vmstat_free(vmstat);
	return 0;
}

/* --- a child --- */

static uint64_t page_floor(uint64_t bytes)
{
	return bytes - bytes % number_page_size();
}

static uint64_t usage_figure(enum source source, const struct memory_usage *usage)
{
	switch (source) {
	case ANON:
		return page_floor(usage->anon);
	case ANON_HUGE:
		return page_floor(usage->anon_huge);
	case FILES:
	case MAPPED:
		return page_floor(usage->file + usage->shmem);
	case SHMEM:
		return page_floor(usage->shmem);
	case KERNEL:
		return page_floor(usage->kernel);
	case STACKS:
		return usage->stacks;
	case TABLES:
		return page_floor(usage->kernel - usage->stacks);
	case INACTIVE_ANON:
		return page_floor(usage->anon + usage->shmem);
	case ACTIVE_FILE:
		return page_floor(usage->file);
	case FAULTS:
		return usage->pgfault;
	case MAJOR_FAULTS:
		return usage->pgmajfault;
	case UNKNOWN:
		break;
	}
	return 0;
}

static int sample(struct cgroup *cgroup, uint64_t figures[LINES])
{
	struct memory_usage own, all;
	int error;

	if (cgroup_is_root(cgroup))
		return figures_of_machine(cgroup_tree(cgroup)->machine, figures);
	error = memory_usage_of(cgroup, &own, &all);
	for (unsigned i = 0; i < LINES && !error; i++)
		figures[i] = usage_figure(lines[i].source, &all);
	return error;
}

int memory_v2_stat_measure(const struct request *request, struct text *out)
{
	uint64_t figures[LINES];
	int error = sample(request->cgroup, figures);

	for (unsigned i = 0; i < LINES && !error; i++)
		text_add_pair(out, lines[i].name, figures[i]);
	return error;
}

/* --- by node --- */

static int add_by_node(struct text *out, const struct machine *machine, const char *name, uint64_t value,
		       bool file)
{
	uint64_t *parts;
	unsigned *nodes, nr = 0;
	int error = memory_spread(machine, value, file, &parts, &nodes, &nr);

	text_add(out, name);
	for (unsigned i = 0; i < nr && !error; i++)
		text_printf(out, " N%u=%lu", nodes[i], parts[i]);
	text_add(out, "\n");
	free(parts);
	free(nodes);
	return error;
}

int memory_v2_numa_stat_measure(const struct request *request, struct text *out)
{
	const struct machine *machine = cgroup_tree(request->cgroup)->machine;
	uint64_t figures[LINES];
	int error = sample(request->cgroup, figures);

	for (unsigned i = 0; i < LINES && !error; i++) {
		if (lines[i].nodes == NOT_BY_NODE)
			continue;
		error = add_by_node(out, machine, lines[i].name, figures[i], lines[i].nodes == AS_FILE);
		/* A line that memory.stat has not, as huge pages are the hugetlb controller's. */
		if (!error && !strcmp(lines[i].name, "slab_unreclaimable"))
			error = add_by_node(out, machine, "hugetlb", 0, false);
	}
	return error;
}
