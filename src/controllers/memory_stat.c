/* SPDX-License-Identifier: MIT */
/* What a cgroup holds: usage and memory.stat. docs/values.md has each figure's formula. */
#include "mem_cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "machine.h"
#include "number.h"

/* Protects mem_cgroup's shown_local, shown_total, seen and forgotten. */
static pthread_mutex_t figures_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t page_floor(uint64_t bytes)
{
	return bytes - bytes % number_page_size();
}

static uint64_t less(uint64_t value, uint64_t part)
{
	return value > part ? value - part : 0;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- the machine, which is the root --- */

/* NR_FILE_PAGES: meminfo's Cached leaves out buffers and the swap cache. */
static uint64_t machine_file_pages(const struct machine_meminfo *info)
{
	return info->value[MACHINE_MEM_CACHED] + info->value[MACHINE_MEM_BUFFERS] +
	       info->value[MACHINE_MEM_SWAPCACHED];
}

static uint64_t machine_swap(const struct machine_meminfo *info)
{
	return less(info->value[MACHINE_MEM_SWAPTOTAL], info->value[MACHINE_MEM_SWAPFREE]);
}

/* Nothing of it is the page cache's or a process': what kmem accounting may count. */
static uint64_t machine_kernel(const struct machine_meminfo *info)
{
	return info->value[MACHINE_MEM_SLAB] + info->value[MACHINE_MEM_KERNELSTACK] +
	       info->value[MACHINE_MEM_PAGETABLES] + info->value[MACHINE_MEM_SECPAGETABLES] +
	       info->value[MACHINE_MEM_PERCPU];
}

/* All 0 on a machine without it. 0 or a negative errno. */
static int meminfo_or_nothing(const struct machine *machine, struct machine_meminfo *info)
{
	int error;

	memset(info, 0, sizeof(*info));
	error = machine_meminfo(machine, info);
	return error == -ENOENT ? 0 : error;
}

/* mem_cgroup_usage() of the root */
static int held_by_machine(const struct machine *machine, struct memory_held *held)
{
	struct machine_meminfo info;
	uint64_t usage;
	int error = meminfo_or_nothing(machine, &info);

	if (error)
		return error;
	usage = machine_file_pages(&info) + info.value[MACHINE_MEM_ANONPAGES];
	*held = (struct memory_held){
		.counter = {
			[MEMORY_MEM] = usage,
			[MEMORY_MEMSWAP] = usage + machine_swap(&info),
			[MEMORY_KMEM] = page_floor(machine_kernel(&info)),
		},
	};
	return 0;
}

/* --- a cgroup that is not the root --- */

static void whole_pages(struct memory_usage *usage)
{
	usage->anon = page_floor(usage->anon);
	usage->anon_huge = page_floor(usage->anon_huge);
	usage->file = page_floor(usage->file);
	usage->shmem = page_floor(usage->shmem);
	usage->swap = page_floor(usage->swap);
	usage->kernel = page_floor(usage->kernel);
}

static void replace(struct memory_usage *sum, const struct memory_usage *before,
		    const struct memory_usage *now)
{
	sum->anon += now->anon - before->anon;
	sum->anon_huge += now->anon_huge - before->anon_huge;
	sum->file += now->file - before->file;
	sum->shmem += now->shmem - before->shmem;
	sum->swap += now->swap - before->swap;
	sum->kernel += now->kernel - before->kernel;
	sum->pgfault += now->pgfault - before->pgfault;
	sum->pgmajfault += now->pgmajfault - before->pgmajfault;
}

/* What the machine's root does not count as its own. */
static void note_usage(struct cgroup *cgroup, const struct memory_usage *now, bool last)
{
	struct mem_cgroup *memcg = mem_cgroup_of(cgroup);

	if (!cgroup->parent || !cgroup_is_root(cgroup->parent))
		return;
	pthread_mutex_lock(&figures_lock);
	if (!memcg->forgotten) {
		replace(&mem_cgroup_of(cgroup->parent)->seen, &memcg->seen, now);
		memcg->seen = *now;
		memcg->forgotten = last;
	}
	pthread_mutex_unlock(&figures_lock);
}

void memory_forget(struct cgroup *cgroup)
{
	note_usage(cgroup, &(struct memory_usage){0}, true);
}

int memory_usage_of(struct cgroup *cgroup, struct memory_usage *local, struct memory_usage *total)
{
	int error;

	if (cgroup_is_root(cgroup)) {
		pthread_mutex_lock(&figures_lock);
		*total = mem_cgroup_of(cgroup)->seen;
		pthread_mutex_unlock(&figures_lock);
		*local = (struct memory_usage){0};
		return 0;
	}
	error = group_memory_usage(&cgroup->group, local, total);
	if (!error)
		note_usage(cgroup, total, false);
	return error;
}

static int held_by_group(struct cgroup *cgroup, struct memory_held *held)
{
	struct memory_usage own, usage;
	struct machine_meminfo info;
	uint64_t swappable;
	int error = memory_usage_of(cgroup, &own, &usage);

	if (error)
		return error;
	whole_pages(&usage);
	*held = (struct memory_held){
		.counter = {
			[MEMORY_MEM] = memory_usage_bytes(&usage),
			[MEMORY_MEMSWAP] = memory_usage_bytes(&usage) + usage.swap,
			[MEMORY_KMEM] = usage.kernel,
		},
	};
	swappable = usage.anon + usage.shmem;
	held->unreclaimable_memsw = swappable + usage.kernel + usage.swap;
	held->unreclaimable = swappable + usage.kernel;
	if (!held->unreclaimable)
		return 0;
	error = meminfo_or_nothing(cgroup_tree(cgroup)->machine, &info);
	held->unreclaimable -= min(swappable, info.value[MACHINE_MEM_SWAPFREE]);
	return error;
}

static void raise_watermark(_Atomic uint64_t *watermark, uint64_t value)
{
	uint64_t seen = atomic_load(watermark);

	while (seen < value && !atomic_compare_exchange_weak(watermark, &seen, value))
		;
}

int memory_held(struct cgroup *cgroup, struct memory_held *held)
{
	struct mem_cgroup *memcg = mem_cgroup_of(cgroup);
	int error;

	if (!cgroup_is_root(cgroup))
		return held_by_group(cgroup, held);
	error = held_by_machine(cgroup_tree(cgroup)->machine, held);
	if (error)
		return error;
	for (unsigned i = 0; i < MEMORY_COUNTER_NR; i++)
		raise_watermark(&memcg->watermark[i], held->counter[i]);
	return 0;
}

/* --- memory.stat --- */

static const char *const stat_names[MEMORY_STAT_NR] = {
	"cache", "rss", "rss_huge", "shmem", "mapped_file", "dirty", "writeback",
	"workingset_refault_anon", "workingset_refault_file", "swap", "swapcached",
	"pgpgin", "pgpgout", "pgfault", "pgmajfault",
	"inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable",
};

/* One moment of the machine: /proc/vmstat where there is one, with /proc/meminfo for the rest. */
struct machine_sample {
	struct machine_meminfo info;
	struct machine_vmstat *vmstat; /* NULL: none here */
};

static uint64_t page_state(const struct machine_sample *sample, const char *name,
			   uint64_t otherwise)
{
	uint64_t pages;

	return machine_vmstat_get(sample->vmstat, name, &pages) ? pages * number_page_size()
								: otherwise;
}

/* pgalloc_dma, pgalloc_normal, ...: one for each zone, by the machine's architecture. */
static uint64_t pages_allocated(const struct machine_vmstat *vmstat)
{
	uint64_t sum = 0, value;
	const char *name;

	for (size_t i = 0; i < machine_vmstat_count(vmstat); i++) {
		name = machine_vmstat_at(vmstat, i, &value);
		if (!strncmp(name, "pgalloc_", strlen("pgalloc_")))
			sum += value;
	}
	return sum;
}

static int stat_of_machine(const struct machine *machine, struct memory_stat *stat)
{
	struct machine_sample sample = {0};
	const uint64_t *mem = sample.info.value;
	uint64_t *item = stat->item;
	int error = meminfo_or_nothing(machine, &sample.info);

	*stat = (struct memory_stat){0};
	if (!error)
		error = machine_vmstat(machine, &sample.vmstat);
	if (error && error != -ENOENT)
		return error;
	item[MEMORY_CACHE] = page_state(&sample, "nr_file_pages", machine_file_pages(&sample.info));
	item[MEMORY_RSS] = page_state(&sample, "nr_anon_pages", mem[MACHINE_MEM_ANONPAGES]);
	item[MEMORY_RSS_HUGE] = mem[MACHINE_MEM_ANONHUGEPAGES];
	item[MEMORY_SHMEM] = page_state(&sample, "nr_shmem", mem[MACHINE_MEM_SHMEM]);
	item[MEMORY_MAPPED_FILE] = page_state(&sample, "nr_mapped", mem[MACHINE_MEM_MAPPED]);
	item[MEMORY_DIRTY] = page_state(&sample, "nr_dirty", mem[MACHINE_MEM_DIRTY]);
	item[MEMORY_WRITEBACK] = page_state(&sample, "nr_writeback", mem[MACHINE_MEM_WRITEBACK]);
	item[MEMORY_SWAP] = machine_swap(&sample.info);
	item[MEMORY_SWAPCACHED] = page_state(&sample, "nr_swapcached", mem[MACHINE_MEM_SWAPCACHED]);
	item[MEMORY_INACTIVE_ANON] = page_state(&sample, "nr_inactive_anon", mem[MACHINE_MEM_INACTIVE_ANON]);
	item[MEMORY_ACTIVE_ANON] = page_state(&sample, "nr_active_anon", mem[MACHINE_MEM_ACTIVE_ANON]);
	item[MEMORY_INACTIVE_FILE] = page_state(&sample, "nr_inactive_file", mem[MACHINE_MEM_INACTIVE_FILE]);
	item[MEMORY_ACTIVE_FILE] = page_state(&sample, "nr_active_file", mem[MACHINE_MEM_ACTIVE_FILE]);
	item[MEMORY_UNEVICTABLE] = page_state(&sample, "nr_unevictable", mem[MACHINE_MEM_UNEVICTABLE]);
	item[MEMORY_REFAULT_ANON] = machine_vmstat_value(sample.vmstat, "workingset_refault_anon");
	item[MEMORY_REFAULT_FILE] = machine_vmstat_value(sample.vmstat, "workingset_refault_file");
	item[MEMORY_PGFAULT] = machine_vmstat_value(sample.vmstat, "pgfault");
	item[MEMORY_PGMAJFAULT] = machine_vmstat_value(sample.vmstat, "pgmajfault");
	item[MEMORY_PGPGIN] = pages_allocated(sample.vmstat);
	machine_vmstat_free(sample.vmstat);
	return 0;
}

void memory_stat_of_usage(struct memory_usage usage, struct memory_stat *stat)
{
	whole_pages(&usage);
	*stat = (struct memory_stat){.item = {
		[MEMORY_CACHE] = usage.file + usage.shmem,
		[MEMORY_RSS] = usage.anon,
		[MEMORY_RSS_HUGE] = usage.anon_huge,
		[MEMORY_SHMEM] = usage.shmem,
		[MEMORY_MAPPED_FILE] = usage.file + usage.shmem,
		[MEMORY_SWAP] = usage.swap,
		[MEMORY_PGPGIN] = usage.pgfault,
		[MEMORY_PGFAULT] = usage.pgfault,
		[MEMORY_PGMAJFAULT] = usage.pgmajfault,
		[MEMORY_INACTIVE_ANON] = usage.anon + usage.shmem,
		[MEMORY_ACTIVE_FILE] = usage.file,
	}};
}

static uint64_t pages_held(const struct memory_stat *stat)
{
	return (stat->item[MEMORY_CACHE] + stat->item[MEMORY_RSS]) / number_page_size();
}

/*
 * Pages come and go by the sources' counters, but never back by what was
 * shown, so that in - out is what is held now.
 */
static void settle_events(struct memory_stat *stat, struct memory_shown *shown,
			  const struct memory_shown *least)
{
	uint64_t held = pages_held(stat), *item = stat->item;

	item[MEMORY_PGFAULT] = max(max(item[MEMORY_PGFAULT], shown->pgfault), least->pgfault);
	item[MEMORY_PGMAJFAULT] = max(max(item[MEMORY_PGMAJFAULT], shown->pgmajfault), least->pgmajfault);
	item[MEMORY_PGPGIN] = max(max(item[MEMORY_PGPGIN], shown->pgpgin), least->pgpgin);
	item[MEMORY_PGPGIN] = max(item[MEMORY_PGPGIN], max(shown->pgpgout, least->pgpgout) + held);
	item[MEMORY_PGPGOUT] = item[MEMORY_PGPGIN] - held;
	*shown = (struct memory_shown){
		.pgfault = item[MEMORY_PGFAULT],
		.pgmajfault = item[MEMORY_PGMAJFAULT],
		.pgpgin = item[MEMORY_PGPGIN],
		.pgpgout = item[MEMORY_PGPGOUT],
	};
}

/* Of the two, total is never less than local. */
static void settle_both(struct mem_cgroup *memcg, struct memory_stat *local,
			struct memory_stat *total)
{
	static const struct memory_shown nothing;

	pthread_mutex_lock(&figures_lock);
	settle_events(local, &memcg->shown_local, &nothing);
	settle_events(total, &memcg->shown_total, &memcg->shown_local);
	pthread_mutex_unlock(&figures_lock);
}

void memory_save_shown(const struct mem_cgroup *memcg, struct text *out)
{
	struct memory_shown shown[2];

	pthread_mutex_lock(&figures_lock);
	shown[0] = memcg->shown_local;
	shown[1] = memcg->shown_total;
	pthread_mutex_unlock(&figures_lock);
	for (unsigned i = 0; i < 2; i++) {
		bytes_put_u64(out, shown[i].pgpgin);
		bytes_put_u64(out, shown[i].pgpgout);
		bytes_put_u64(out, shown[i].pgfault);
		bytes_put_u64(out, shown[i].pgmajfault);
	}
}

void memory_restore_shown(struct mem_cgroup *memcg, struct bytes *in)
{
	struct memory_shown *const shown[] = {&memcg->shown_local, &memcg->shown_total};

	pthread_mutex_lock(&figures_lock);
	for (unsigned i = 0; i < 2; i++) {
		shown[i]->pgpgin = bytes_get_u64(in);
		shown[i]->pgpgout = bytes_get_u64(in);
		shown[i]->pgfault = bytes_get_u64(in);
		shown[i]->pgmajfault = bytes_get_u64(in);
	}
	pthread_mutex_unlock(&figures_lock);
}

/* The figures of the cgroup itself, and with those of all below. */
static int sample_stat(struct cgroup *cgroup, struct memory_stat *local, struct memory_stat *total)
{
	struct memory_usage own = {0}, all = {0};
	int error = memory_usage_of(cgroup, &own, &all);

	if (error)
		return error;
	memory_stat_of_usage(own, local);
	memory_stat_of_usage(all, total);
	if (cgroup_is_root(cgroup)) {
		*local = *total;
		error = stat_of_machine(cgroup_tree(cgroup)->machine, total);
		for (unsigned i = 0; i < MEMORY_STAT_NR; i++)
			local->item[i] = less(total->item[i], local->item[i]);
	}
	if (!error)
		settle_both(mem_cgroup_of(cgroup), local, total);
	return error;
}

static void hierarchical_limits(struct cgroup *cgroup, uint64_t limits[2])
{
	struct tree *tree = cgroup_tree(cgroup);

	limits[0] = limits[1] = number_pages_max();
	tree_read_lock(tree);
	for (; cgroup; cgroup = cgroup->parent) {
		const struct mem_cgroup *memcg = mem_cgroup_of(cgroup);

		limits[0] = min(limits[0], memcg->max[MEMORY_MEM]);
		limits[1] = min(limits[1], memcg->max[MEMORY_MEMSWAP]);
	}
	tree_unlock(tree);
}

/* memcg1_stat_format() */
int memory_stat_measure(const struct request *request, struct text *out)
{
	struct memory_stat local, total;
	uint64_t limits[2];
	int error = sample_stat(request->cgroup, &local, &total);

	if (error)
		return error;
	hierarchical_limits(request->cgroup, limits);
	for (unsigned i = 0; i < MEMORY_STAT_NR; i++)
		text_add_pair(out, stat_names[i], local.item[i]);
	text_add_pair(out, "hierarchical_memory_limit", number_pages_to_bytes(limits[0]));
	text_add_pair(out, "hierarchical_memsw_limit", number_pages_to_bytes(limits[1]));
	for (unsigned i = 0; i < MEMORY_STAT_NR; i++) {
		text_add(out, "total_");
		text_add_pair(out, stat_names[i], total.item[i]);
	}
	return 0;
}
