/* SPDX-License-Identifier: MIT */
/* The memory controller: its files, and the limits and settings that are stored (mm/memcontrol-v1.c). */
#include "mem_cgroup.h"

#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "machine_sysctl.h"
#include "number.h"

#define SWAPPINESS_MAX 200 /* MAX_SWAPPINESS */

static enum memory_counter counter_of(const struct cgroup_file *file)
{
	return file->type->private;
}

/* --- usage, and the highest that was seen --- */

static int usage_measure(const struct request *request, struct text *out)
{
	struct memory_held held;
	int error = memory_held(request->cgroup, &held);

	if (error)
		return error;
	text_add_u64(out, held.counter[counter_of(request->file)]);
	text_add(out, "\n");
	return 0;
}

/* Of MEMORY_TCP there is none. */
static const enum memory_peak peaks[] = {
	[MEMORY_MEM] = MEMORY_PEAK_MEMORY,
	[MEMORY_MEMSWAP] = MEMORY_PEAK_MEMSW,
	[MEMORY_KMEM] = MEMORY_PEAK_KERNEL,
};

static int peak_of_child(struct cgroup *cgroup, enum memory_counter counter, uint64_t *value)
{
	struct memory_peaks told;
	int error = group_memory_peaks(&cgroup->group, &told);

	if (error)
		return error;
	*value = counter == MEMORY_TCP ? 0 : told.of[peaks[counter]];
	*value -= *value % number_page_size();
	return 0;
}

static int max_usage_measure(const struct request *request, struct text *out)
{
	struct mem_cgroup *memcg = mem_cgroup_of(request->cgroup);
	enum memory_counter counter = counter_of(request->file);
	struct memory_held held;
	uint64_t value = 0;
	int error;

	if (cgroup_is_root(request->cgroup)) {
		error = memory_held(request->cgroup, &held); /* raises it */
		value = atomic_load(&memcg->watermark[counter]);
	} else {
		error = peak_of_child(request->cgroup, counter, &value);
	}
	if (error)
		return error;
	text_add_u64(out, value);
	text_add(out, "\n");
	return 0;
}

/* page_counter_reset_watermark(); whatever is written, as mem_cgroup_reset() looks at nothing. */
static int max_usage_act(const struct request *request, char *text)
{
	struct mem_cgroup *memcg = mem_cgroup_of(request->cgroup);
	enum memory_counter counter = counter_of(request->file);
	struct memory_held held;
	int error;

	(void)text;
	if (counter == MEMORY_TCP)
		return 0; /* nothing is counted there */
	error = memory_held(request->cgroup, &held);
	if (error)
		return error;
	if (cgroup_is_root(request->cgroup))
		atomic_store(&memcg->watermark[counter], held.counter[counter]);
	else
		group_memory_peak_reset(&request->cgroup->group, peaks[counter]);
	return 0;
}

/* Nothing is refused here, so nothing fails. */
static uint64_t failcnt_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 0;
}

/* mem_cgroup_reset() looks at nothing that is written. */
static int failcnt_store(const struct request *request, char *text)
{
	(void)request;
	(void)text;
	return 0;
}

/* --- limits --- */

static uint64_t limit_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return number_pages_to_bytes(mem_cgroup_of(cgroup)->max[counter_of(file)]);
}

/* memory.limit_in_bytes is never above memory.memsw.limit_in_bytes. Under the tree lock. */
static int check_limit(const struct request *request, uint64_t pages)
{
	const struct mem_cgroup *memcg = mem_cgroup_of(request->cgroup);

	if (request->cgroup->dead)
		return -ENODEV;
	if (counter_of(request->file) == MEMORY_MEM)
		return pages <= memcg->max[MEMORY_MEMSWAP] ? 0 : -EINVAL;
	return pages >= memcg->max[MEMORY_MEM] ? 0 : -EINVAL;
}

/*
 * The kernel reclaims until usage fits, and says EBUSY when it cannot. We
 * reclaim nothing, and say EBUSY where it could not have either.
 */
static int check_usage(const struct request *request, uint64_t pages)
{
	struct memory_held held;
	int error = memory_held(request->cgroup, &held);
	uint64_t stays;

	if (error)
		return error;
	stays = counter_of(request->file) == MEMORY_MEM ? held.unreclaimable :
							   held.unreclaimable_memsw;
	return stays / number_page_size() > pages ? -EBUSY : 0;
}

static void set_max(const struct request *request, uint64_t pages)
{
	const enum memory_counter counter = counter_of(request->file);

	mem_cgroup_of(request->cgroup)->max[counter] = pages;
	if (counter == MEMORY_MEM)
		group_native_set(&request->cgroup->group, NATIVE_MEMORY_LIMIT,
				 (int64_t)number_pages_to_bytes(pages));
}

/* mem_cgroup_resize_max() */
static int resize_max(const struct request *request, uint64_t pages)
{
	const struct mem_cgroup *memcg = mem_cgroup_of(request->cgroup);
	struct tree *tree = cgroup_tree(request->cgroup);
	bool shrinks;
	int error;

	tree_write_lock(tree);
	error = check_limit(request, pages);
	shrinks = pages < memcg->max[counter_of(request->file)];
	if (!error && !shrinks)
		set_max(request, pages);
	tree_unlock(tree);
	if (error || !shrinks)
		return error;

	error = check_usage(request, pages);
	if (error)
		return error;
	tree_write_lock(tree);
	error = check_limit(request, pages);
	if (!error)
		set_max(request, pages);
	tree_unlock(tree);
	return error;
}

static int limit_act(const struct request *request, char *text)
{
	uint64_t pages;
	int error = number_parse_pages(text_strip(text), "-1", &pages);

	if (error)
		return error;
	if (cgroup_is_root(request->cgroup))
		return -EINVAL;
	return resize_max(request, pages);
}

/* Deprecated in the kernel: takes any number and keeps none (mem_cgroup_write: _KMEM). */
static int kmem_limit_store(const struct request *request, char *text)
{
	uint64_t pages;
	int error = number_parse_pages(text_strip(text), "-1", &pages);

	if (error)
		return error;
	return cgroup_is_root(request->cgroup) ? -EINVAL : 0;
}

static int tcp_limit_store(const struct request *request, char *text)
{
	int error = kmem_limit_store(request, text);

	if (error)
		return error;
	return number_parse_pages(text_strip(text), "-1",
				  &mem_cgroup_of(request->cgroup)->max[MEMORY_TCP]);
}

static uint64_t soft_limit_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return number_pages_to_bytes(mem_cgroup_of(cgroup)->soft_limit);
}

/* A root takes one too. */
static int soft_limit_store(const struct request *request, char *text)
{
	return number_parse_pages(text_strip(text), "-1",
				  &mem_cgroup_of(request->cgroup)->soft_limit);
}

/* --- settings --- */

/* There are no pages that we could free. */
static int force_empty_store(const struct request *request, char *text)
{
	(void)text;
	return cgroup_is_root(request->cgroup) ? -EINVAL : 0;
}

static uint64_t use_hierarchy_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 1;
}

static int use_hierarchy_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	(void)cgroup;
	(void)file;
	return value == 1 ? 0 : -EINVAL;
}

/*
 * mem_cgroup_swappiness(): a root's that was not written is the machine's. It is read under the
 * tree lock: a file of one number waits for nobody, and who writes does so before or after.
 */
static int swappiness_of(const struct cgroup *cgroup, unsigned *swappiness)
{
	const struct mem_cgroup *memcg = mem_cgroup_of(cgroup);

	if (cgroup_is_root(cgroup) && !memcg->swappiness_written)
		return machine_swappiness(cgroup_tree(cgroup)->machine, swappiness);
	*swappiness = memcg->swappiness;
	return 0;
}

static int swappiness_show(const struct request *request, struct text *out)
{
	unsigned swappiness;
	int error = swappiness_of(request->cgroup, &swappiness);

	if (error)
		return error;
	text_add_u64(out, swappiness);
	text_add(out, "\n");
	return 0;
}

/* The kernel's root writes vm.swappiness; ours keeps what is written and lets the machine be. */
static int swappiness_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	struct mem_cgroup *memcg = mem_cgroup_of(cgroup);

	(void)file;
	if (value > SWAPPINESS_MAX)
		return -EINVAL;
	memcg->swappiness = value;
	memcg->swappiness_written = true;
	return 0;
}

/* Moving charges is gone since 6.13: 0 is all it takes (mem_cgroup_move_charge_write). */
static uint64_t move_charge_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 0;
}

static int move_charge_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	(void)cgroup;
	(void)file;
	return value ? -EINVAL : 0;
}

/* No limit is enforced here, so there is no OOM of a cgroup: only the machine's, in the root. */
static int oom_control_measure(const struct request *request, struct text *out)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct machine_vmstat *vmstat = NULL;
	bool disable;

	tree_read_lock(tree);
	disable = mem_cgroup_of(request->cgroup)->oom_kill_disable;
	tree_unlock(tree);
	if (cgroup_is_root(request->cgroup))
		machine_vmstat(tree->machine, &vmstat);
	text_add_pair(out, "oom_kill_disable", disable);
	text_add_pair(out, "under_oom", 0);
	text_add_pair(out, "oom_kill", machine_vmstat_value(vmstat, "oom_kill"));
	machine_vmstat_free(vmstat);
	return 0;
}

static int oom_control_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	(void)file;
	if (cgroup_is_root(cgroup) || value > 1)
		return -EINVAL;
	mem_cgroup_of(cgroup)->oom_kill_disable = value;
	return 0;
}

/* Only there to be named to cgroup.event_control (mem_cgroup_dummy_seq_show). */
static int pressure_level_show(const struct request *request, struct text *out)
{
	(void)request;
	(void)out;
	return -EINVAL;
}

/* Empty since 5.9 (mem_cgroup_slab_show). */
static int slabinfo_show(const struct request *request, struct text *out)
{
	(void)request;
	(void)out;
	return 0;
}

/* --- the controller --- */

/* A new cgroup takes swappiness and the OOM killer's setting from its parent (mem_cgroup_css_alloc). */
static int memory_css_init(struct cgroup *cgroup, void *state)
{
	struct tree *tree = cgroup_tree(cgroup);
	struct mem_cgroup *memcg = state;

	for (unsigned i = 0; i < MEMORY_COUNTER_NR; i++)
		memcg->max[i] = number_pages_max();
	memcg->soft_limit = number_pages_max();
	memory_v2_init(memcg);
	if (cgroup->parent) {
		memcg->oom_kill_disable = mem_cgroup_of(cgroup->parent)->oom_kill_disable;
		return swappiness_of(cgroup->parent, &memcg->swappiness);
	}
	memcg->watch = memory_watch_new(tree);
	if (!memcg->watch)
		return -ENOMEM;
	accounting_track(tree->accounting, cgroup->hierarchy->index, USAGE_MEMORY);
	return 0;
}

/* What is charged already stays so (mem_cgroup_css_alloc: a new one has nothing). */
static void memory_css_start(struct cgroup *cgroup, void *state)
{
	(void)state;
	group_memory_restart(&cgroup->group);
}

/* A root goes with its tree: nobody holds the lock then, and nobody but the watch uses it. */
static void memory_css_offline(struct cgroup *cgroup)
{
	struct mem_cgroup *root = mem_cgroup_of(cgroup->hierarchy->root);

	memory_watch_remove(root->watch, cgroup);
	memory_forget(cgroup);
	if (!cgroup_is_root(cgroup))
		return;
	memory_watch_free(root->watch);
	root->watch = NULL;
}

static void memory_stop(struct cgroup *root)
{
	memory_watch_stop(mem_cgroup_of(root)->watch);
}

static void memory_save(struct cgroup *cgroup, struct text *out)
{
	struct mem_cgroup *memcg = mem_cgroup_of(cgroup);

	for (unsigned i = 0; i < MEMORY_COUNTER_NR; i++) {
		bytes_put_u64(out, memcg->max[i]);
		bytes_put_u64(out, atomic_load(&memcg->watermark[i]));
	}
	bytes_put_u64(out, memcg->soft_limit);
	bytes_put_u64(out, memcg->oom_kill_disable);
	bytes_put_u64(out, memcg->swappiness_written);
	bytes_put_u64(out, memcg->swappiness_written || cgroup->parent ? memcg->swappiness : 0);
	memory_save_shown(memcg, out);
	memory_v2_save(memcg, out);
}

static int memory_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct mem_cgroup *memcg = mem_cgroup_of(cgroup);
	unsigned swappiness;

	for (unsigned i = 0; i < MEMORY_COUNTER_NR; i++) {
		memcg->max[i] = bytes_get_u64(in);
		atomic_store(&memcg->watermark[i], bytes_get_u64(in));
	}
	memcg->soft_limit = bytes_get_u64(in);
	memcg->oom_kill_disable = bytes_get_u64(in);
	memcg->swappiness_written = bytes_get_u64(in);
	swappiness = (unsigned)bytes_get_u64(in);
	if (memcg->swappiness_written || cgroup->parent)
		memcg->swappiness = swappiness;
	memory_restore_shown(memcg, in);
	memory_v2_restore(memcg, in);
	return in->wrong ? -EINVAL : 0;
}

#define COUNTER_FILES(prefix, counter)                                               \
	{.name = prefix "failcnt", .private = counter,                               \
	 .read_u64 = failcnt_read, .store = failcnt_store},                          \
	{.name = prefix "max_usage_in_bytes", .private = counter,                    \
	 .measure = max_usage_measure, .act = max_usage_act},                        \
	{.name = prefix "usage_in_bytes", .private = counter, .measure = usage_measure}

static const struct cftype memory_files[] = {
	COUNTER_FILES("", MEMORY_MEM),
	{.name = "limit_in_bytes", .private = MEMORY_MEM, .read_u64 = limit_read, .act = limit_act},
	{.name = "soft_limit_in_bytes", .read_u64 = soft_limit_read, .store = soft_limit_store},
	{.name = "stat", .measure = memory_stat_measure},
	{.name = "force_empty", .store = force_empty_store},
	{.name = "use_hierarchy", .read_u64 = use_hierarchy_read, .write_u64 = use_hierarchy_write},
	{.name = "cgroup.event_control", .flags = CFTYPE_NO_PREFIX, .act = memory_event_control_act},
	{.name = "swappiness", .show = swappiness_show, .write_u64 = swappiness_write},
	{.name = "move_charge_at_immigrate", .read_u64 = move_charge_read, .write_u64 = move_charge_write},
	{.name = "oom_control", .measure = oom_control_measure, .write_u64 = oom_control_write},
	{.name = "pressure_level", .show = pressure_level_show},
	{.name = "numa_stat", .measure = memory_numa_stat_measure},

	COUNTER_FILES("kmem.", MEMORY_KMEM),
	{.name = "kmem.limit_in_bytes", .private = MEMORY_KMEM, .read_u64 = limit_read,
	 .store = kmem_limit_store},
	{.name = "kmem.slabinfo", .show = slabinfo_show},

	COUNTER_FILES("kmem.tcp.", MEMORY_TCP),
	{.name = "kmem.tcp.limit_in_bytes", .private = MEMORY_TCP, .read_u64 = limit_read,
	 .store = tcp_limit_store},

	COUNTER_FILES("memsw.", MEMORY_MEMSWAP),
	{.name = "memsw.limit_in_bytes", .private = MEMORY_MEMSWAP, .read_u64 = limit_read, .act = limit_act},
	{0},
};

const struct controller memory_controller = {
	.name = "memory",
	.legacy_files = memory_files,
	.dfl_files = memory_dfl_files,
	.css_size = sizeof(struct mem_cgroup),
	.css_init = memory_css_init,
	.css_start = memory_css_start,
	.css_reset = memory_v2_reset,
	.css_offline = memory_css_offline,
	.stop = memory_stop,
	.save = memory_save,
	.restore = memory_restore,
};
