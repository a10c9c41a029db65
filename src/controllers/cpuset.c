/* SPDX-License-Identifier: MIT */
/*
 * cpuset: CPUs and memory nodes that tasks may use. kernel/cgroup/cpuset.c,
 * cpuset-v1.c. Kept by the kernel's rules, not enforced on tasks.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bytes.h"
#include "cpuset_partition.h"

/* `private` of the rows: which of the two masks. The flag files have their flag. */
enum mask { MASK_CPUS, MASK_MEMS };

/* is_in_v2_mode() */
static bool in_v2_mode(const struct cgroup *cgroup)
{
	return cgroup_tree(cgroup)->unified;
}

/* --- the masks --- */

static struct bitmap **mask_of(struct cpuset *cpuset, int which)
{
	return which == MASK_CPUS ? &cpuset->cpus : &cpuset->mems;
}

static int mask_measure(const struct request *request, struct text *out)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int which = request->file->type->private;
	int error = cpuset_follow_machine(cgroup->hierarchy,
					  which == MASK_CPUS ? FOLLOW_CPUS : FOLLOW_MEMS);

	if (error)
		return error;
	tree_read_lock(tree);
	if (cgroup->dead)
		error = -ENODEV;
	else
		error = cpuset_add_list(out, *mask_of(cpuset_of(cgroup), which));
	tree_unlock(tree);
	return error;
}

/* Takes the place of the mask, and gives the old one back in `map`. */
static int mask_replace(struct cgroup *cgroup, int which, struct bitmap **map, bool populated)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	struct bitmap *online = *mask_of(cpuset_of(cgroup->hierarchy->root), which);
	struct bitmap **current = mask_of(cpuset, which), *previous = *current;
	int error;

	if (!bitmap_subset(*map, online))
		return -EINVAL;
	if (bitmap_equal(*map, previous))
		return 0;
	*mask_of(&trial, which) = *map;
	error = cpuset_validate_change(cgroup, &trial, populated);
	if (error)
		return error;
	*current = *map;
	*map = previous;
	return 0;
}

/* cpuset_write_resmask */
static int mask_write(const struct request *request, char *text)
{
	struct bitmap *map __attribute__((cleanup(bitmap_freep))) = NULL;
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int which = request->file->type->private;
	/* The root's masks are never replaced: their size needs no lock. */
	unsigned nr = (*mask_of(cpuset_of(cgroup->hierarchy->root), which))->nr;
	unsigned limit = which == MASK_CPUS ? cpuset_top(cgroup)->nr_cpus : nr;
	bool populated;
	int error;

	if (strlen(text) > CPUSET_WRITE_LEN(limit))
		return -E2BIG;
	if (cgroup_is_root(cgroup))
		return -EACCES;
	map = bitmap_new(nr);
	error = map ? bitmap_parselist(text_strip(text), map) : -ENOMEM;
	if (!error)
		error = cpuset_follow_machine(cgroup->hierarchy,
					      FOLLOW_CPUS | FOLLOW_MEMS | FOLLOW_LIMITS);
	if (error)
		return error;
	populated = group_is_busy(&cgroup->group);
	tree_write_lock(tree);
	error = cgroup->dead ? -ENODEV : mask_replace(cgroup, which, &map, populated);
	tree_unlock(tree);
	return error;
}

/* --- the flags --- */

static uint64_t flag_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return (cpuset_of(cgroup)->flags & (unsigned)file->type->private) != 0;
}

/* cpuset_update_flag */
static int flag_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	unsigned flag = (unsigned)file->type->private;
	bool on = (uint32_t)value != 0; /* the kernel takes it as an int */
	int error;

	trial.flags = on ? trial.flags | flag : trial.flags & ~flag;
	error = cpuset_validate_change(cgroup, &trial, false); /* its masks stay: tasks don't matter */
	if (!error)
		cpuset->flags = trial.flags;
	return error;
}

static int64_t relax_domain_level_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpuset_of(cgroup)->relax_domain_level;
}

static int relax_domain_level_write(struct cgroup *cgroup, const struct cgroup_file *file,
				    int64_t level)
{
	(void)file;
	if (level < -1 || level > (int64_t)cpuset_top(cgroup)->domain_level_max + 1)
		return -EINVAL;
	cpuset_of(cgroup)->relax_domain_level = (int)level;
	return 0;
}

/* Direct reclaim of a cgroup's tasks is not to be seen from outside the kernel: a rate of 0. */
static uint64_t memory_pressure_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 0;
}

static uint64_t memory_pressure_enabled_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpuset_top(cgroup)->memory_pressure_enabled;
}

static int memory_pressure_enabled_write(struct cgroup *cgroup, const struct cgroup_file *file,
					 uint64_t value)
{
	(void)file;
	cpuset_top(cgroup)->memory_pressure_enabled = value != 0;
	return 0;
}

/* --- life of a cgroup --- */

static bool has_exclusive_child(const struct cgroup *parent)
{
	const struct cgroup *child;

	cgroup_for_each_child(child, parent) {
		/* NULL: a damaged state of v2, which never clones */
		const struct cpuset *cpuset = cpuset_of(child);

		if (cpuset && cpuset->flags & (CS_CPU_EXCLUSIVE | CS_MEM_EXCLUSIVE))
			return true;
	}
	return false;
}

/* cpuset_css_online: with clone_children it starts as its parent, unless a sibling is exclusive. */
static void inherit(const struct cgroup *cgroup, struct cpuset *cpuset)
{
	const struct cpuset *parent = cpuset_of(cgroup->parent);

	cpuset->flags |= parent->flags & (CS_SPREAD_PAGE | CS_SPREAD_SLAB);
	if (!cgroup->clone_children || has_exclusive_child(cgroup->parent))
		return;
	bitmap_copy(cpuset->cpus, parent->cpus);
	bitmap_copy(cpuset->mems, parent->mems);
}

static int init_child(const struct cgroup *cgroup, struct cpuset *cpuset)
{
	const struct cpuset *parent = cpuset_of(cgroup->parent);

	if (!cpuset_new_masks(cpuset, parent->cpus->nr, parent->mems->nr))
		return -ENOMEM;
	inherit(cgroup, cpuset);
	return 0;
}

static int cpuset_init(struct cgroup *cgroup, void *state)
{
	struct cpuset *cpuset = state;

	cpuset->flags = CS_SCHED_LOAD_BALANCE;
	cpuset->relax_domain_level = -1;
	return cgroup->parent ? init_child(cgroup, cpuset)
			      : cpuset_init_root(cpuset, cgroup_tree(cgroup)->machine);
}

static void cpuset_online(struct cgroup *cgroup)
{
	if (in_v2_mode(cgroup))
		partition_online(cgroup);
}

static void cpuset_offline(struct cgroup *cgroup)
{
	if (in_v2_mode(cgroup))
		partition_offline(cgroup);
}

/* --- keeping it --- */

static void cpuset_save(struct cgroup *cgroup, struct text *out)
{
	const struct cpuset *cpuset = cpuset_of(cgroup);

	cpuset_put_mask(out, cpuset->cpus);
	cpuset_put_mask(out, cpuset->mems);
	bytes_put_u64(out, cpuset->flags);
	bytes_put_u64(out, (uint64_t)(int64_t)cpuset->relax_domain_level);
	bytes_put_u64(out, cpuset->top && cpuset->top->memory_pressure_enabled);
	cpuset_v2_save(cpuset, out);
}

/*
 * What the parent has not any more is left out, as the machine may have shrunk; on v2 what was written stays.
 */
static int get_mask(struct bytes *in, struct bitmap *map, const struct bitmap *limit, bool is_v2)
{
	int error = cpuset_get_mask(in, map);

	if (!error && !is_v2)
		bitmap_and(map, map, limit);
	return error;
}

static int cpuset_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	struct cpuset *above = cpuset_of(cgroup->parent ? cgroup->parent : cgroup);
	bool is_root = cgroup_is_root(cgroup);
	int error = 0;

	if (is_root && in_v2_mode(cgroup)) { /* from which the machine's are followed as ever */
		error = cpuset_get_mask(in, cpuset->cpus);
		if (!error)
			error = cpuset_get_mask(in, cpuset->mems);
	} else if (is_root) { /* its masks are the machine's */
		bytes_get(in);
		bytes_get(in);
	} else {
		error = get_mask(in, cpuset->cpus, above->cpus, in_v2_mode(cgroup));
		if (!error)
			error = get_mask(in, cpuset->mems, above->mems, in_v2_mode(cgroup));
	}
	if (error)
		return error;
	cpuset->flags = (unsigned)bytes_get_u64(in);
	cpuset->relax_domain_level = (int)(int64_t)bytes_get_u64(in);
	if (is_root)
		cpuset->top->memory_pressure_enabled = bytes_get_u64(in);
	else
		bytes_get_u64(in);
	return in->wrong ? -EINVAL : cpuset_v2_restore(cpuset, in);
}

/* --- attach --- */

struct capabilities {
	uint64_t effective, permitted;
};

static bool read_capabilities(pid_t tid, struct capabilities *capabilities)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, tid };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return false;
	capabilities->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	capabilities->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return true;
}

/* cap_task_setscheduler: one may move those who can do no more than oneself. Unknown ones too. */
static bool may_set_scheduler(const struct capabilities *mover, pid_t tid)
{
	struct capabilities task;

	if (mover->effective >> CAP_SYS_NICE & 1 || !read_capabilities(tid, &task))
		return true;
	return !(task.permitted & ~mover->permitted);
}

static int cpuset_can_attach(struct cgroup *cgroup, const struct task_list *tasks,
			     const struct caller *caller)
{
	const struct cpuset *cpuset = cpuset_of(cgroup);
	struct capabilities mover;

	if (in_v2_mode(cgroup) ? bitmap_empty(cpuset->v2.cpus)
			       : bitmap_empty(cpuset->cpus) || bitmap_empty(cpuset->mems))
		return -ENOSPC;
	if (!caller->tid || !read_capabilities(caller->tid, &mover))
		return 0;
	for (size_t i = 0; i < tasks->count; i++) {
		if (!may_set_scheduler(&mover, tasks->tasks[i].tid))
			return -EPERM;
	}
	return 0;
}

#define MASK(file, which, most)                                                   \
	{                                                                         \
		.name = file, .private = which,                                   \
		.max_write_len = CPUSET_WRITE_LEN(most),                          \
		.measure = mask_measure, .act = mask_write                        \
	}
#define EFFECTIVE(file, which)                                                    \
	{                                                                         \
		.name = file, .private = which, .measure = mask_measure           \
	}
#define FLAG(file, flag)                                                          \
	{                                                                         \
		.name = file, .private = flag, .read_u64 = flag_read,             \
		.write_u64 = flag_write                                           \
	}

static const struct cftype cpuset_legacy_files[] = {
	MASK("cpus", MASK_CPUS, BITMAP_MAX_BITS),
	MASK("mems", MASK_MEMS, CPUSET_NODES_MAX),
	EFFECTIVE("effective_cpus", MASK_CPUS),
	EFFECTIVE("effective_mems", MASK_MEMS),
	FLAG("cpu_exclusive", CS_CPU_EXCLUSIVE),
	FLAG("mem_exclusive", CS_MEM_EXCLUSIVE),
	FLAG("mem_hardwall", CS_MEM_HARDWALL),
	FLAG("sched_load_balance", CS_SCHED_LOAD_BALANCE),
	{ .name = "sched_relax_domain_level", .read_s64 = relax_domain_level_read,
	  .write_s64 = relax_domain_level_write },
	FLAG("memory_migrate", CS_MEMORY_MIGRATE),
	{ .name = "memory_pressure", .read_u64 = memory_pressure_read },
	FLAG("memory_spread_page", CS_SPREAD_PAGE),
	FLAG("memory_spread_slab", CS_SPREAD_SLAB),
	{ .name = "memory_pressure_enabled", .flags = CFTYPE_ONLY_ON_ROOT,
	  .read_u64 = memory_pressure_enabled_read, .write_u64 = memory_pressure_enabled_write },
	{ .name = NULL },
};

const struct controller cpuset_controller = {
	.name = "cpuset",
	.threaded = true,
	.legacy_files = cpuset_legacy_files,
	.dfl_files = cpuset_dfl_files,
	.css_size = sizeof(struct cpuset),
	.css_init = cpuset_init,
	.css_online = cpuset_online,
	.css_offline = cpuset_offline,
	.css_exit = cpuset_exit,
	.save = cpuset_save,
	.restore = cpuset_restore,
	.can_attach = cpuset_can_attach,
};
