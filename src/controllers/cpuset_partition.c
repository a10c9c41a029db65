/* SPDX-License-Identifier: MIT */
/* cpuset on v2: what writes make of partitions. kernel/cgroup/cpuset.c of Linux 6.18. */
#include "cpuset_partition.h"

#include <errno.h>

#include "cpuset_effective.h"

const char *partition_error_text(enum partition_error error)
{
	static const char *const texts[] = {
		[PARTITION_CPUS] = "Invalid cpu list in cpuset.cpus.exclusive",
		[PARTITION_PARENT_INVALID] = "Parent is an invalid partition root",
		[PARTITION_NO_PARENT] = "Parent is not a partition root",
		[PARTITION_NOT_EXCLUSIVE] = "Cpu list in cpuset.cpus not exclusive",
		[PARTITION_NO_CPUS] = "Parent unable to distribute cpu downstream",
		[PARTITION_EMPTY] = "cpuset.cpus and cpuset.cpus.exclusive are empty",
		[PARTITION_ACCESS] = "Enable partition not permitted",
		[PARTITION_REMOTE_BELOW] = "Have remote partition underneath",
	};

	return texts[error];
}

/* --- writes --- */

/* Partitions beside it that have some of these CPUs become invalid. */
static void invalidate_siblings(struct cgroup *cgroup, const struct bitmap *cpus)
{
	struct cgroup *sibling;

	for_each_cpuset_child(sibling, cgroup->parent) {
		if (sibling != cgroup && is_partition_valid(cpuset_of(sibling)) &&
		    bitmap_intersects(cpus, cpuset_of(sibling)->v2.xcpus))
			cpuset_update_parent(sibling, COMMAND_INVALIDATE, 0, NULL);
	}
}

/* validate_partition(): why a partition with these exclusive CPUs cannot be. */
static enum partition_error validate(struct cgroup *cgroup, const struct bitmap *xcpus)
{
	if (bitmap_empty(xcpus))
		return PARTITION_CPUS;
	return cpuset_tasks_nocpu_error(cgroup, xcpus) ? PARTITION_NO_CPUS : PARTITION_OK;
}

/*
 * partition_cpus_change(): the lists become those of `trial`. `invalid`: a sibling has some of its CPUs
 * exclusively.
 */
static void change_partition(struct cgroup *cgroup, const struct cpuset *trial, bool invalid)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	enum partition_error error;

	if (!cpuset->v2.state)
		return;
	error = validate(cgroup, trial->v2.xcpus);
	if (error) {
		cpuset->v2.error = error;
		invalid = true;
	}
	if (cpuset->v2.remote && invalid)
		cpuset_remote_disable(cgroup);
	else if (cpuset->v2.remote)
		cpuset_remote_update(cgroup, trial->v2.exclusive, trial->v2.xcpus, true);
	else
		cpuset_update_parent(cgroup, invalid ? COMMAND_INVALIDATE : COMMAND_UPDATE, 0,
				     trial->v2.xcpus);
}

/* Its lists are those of `trial` from now on. `before`: its state before that. */
static void take_lists(struct cgroup *cgroup, const struct cpuset *trial, int before)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	bitmap_copy(cpuset->cpus, trial->cpus);
	bitmap_copy(cpuset->v2.exclusive, trial->v2.exclusive);
	bitmap_copy(cpuset->v2.xcpus, trial->v2.xcpus);
	if (before > 0 && !is_partition_valid(cpuset))
		cpuset_reset_partition(cgroup);
}

/* compute_trialcs_excpus(): how many siblings have some of them. */
static unsigned trial_xcpus(const struct cgroup *cgroup, struct cpuset *trial)
{
	return cpuset_exclusive_cpus(trial->v2.xcpus, cgroup,
				     trial->v2.state ? user_xcpus(trial) : trial->v2.exclusive, true);
}

/* update_cpumask() */
int partition_set_cpus(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int before = cpuset->v2.state, error;
	bool force;
	LOCAL_MASK(xcpus, map->nr);

	if (bitmap_equal(cpuset->cpus, map))
		return 0;
	trial.cpus = (struct bitmap *)map;
	trial.v2.xcpus = xcpus;
	trial_xcpus(cgroup, &trial);
	error = cpuset_validate_partition(cgroup, &trial);
	if (error && error != -EINVAL)
		return error;
	if (error)
		invalidate_siblings(cgroup, user_xcpus(&trial));
	force = !bitmap_equal(cpuset->v2.xcpus, xcpus);
	change_partition(cgroup, &trial, error);
	take_lists(cgroup, &trial, before);
	cpuset_update_down(cgroup, force);
	if (cpuset->v2.state)
		cpuset_update_balance(cgroup);
	return 0;
}

/* update_exclusive_cpumask() */
int partition_set_exclusive(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int before = cpuset->v2.state, error;
	bool force;
	LOCAL_MASK(xcpus, map->nr);

	if (bitmap_equal(cpuset->v2.exclusive, map))
		return 0;
	trial.v2.exclusive = (struct bitmap *)map;
	trial.v2.xcpus = xcpus;
	if (trial_xcpus(cgroup, &trial))
		return -EINVAL;
	force = !bitmap_equal(cpuset->v2.xcpus, xcpus);
	error = cpuset_validate_partition(cgroup, &trial);
	if (error)
		return error;
	change_partition(cgroup, &trial, false);
	take_lists(cgroup, &trial, before);
	if (is_partition_valid(cpuset) || force)
		cpuset_update_down(cgroup, force);
	if (cpuset->v2.state)
		cpuset_update_balance(cgroup);
	return 0;
}

/* update_nodemasks_hier() */
static void update_mems_down(struct cgroup *top)
{
	struct cgroup *position;

	cgroup_for_each_descendant(position, top) {
		struct cpuset *cpuset = cpuset_of(position);

		if (cgroup_is_root(position) || !cgroup_has_css(position, &cpuset_controller))
			continue;
		if (!bitmap_and(cpuset->v2.mems, cpuset->mems, parent_cs(position)->v2.mems))
			bitmap_copy(cpuset->v2.mems, parent_cs(position)->v2.mems);
	}
}

int partition_set_mems(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int error;

	if (!bitmap_subset(map, top_cs(cgroup)->mems))
		return -EINVAL;
	if (bitmap_equal(cpuset->mems, map))
		return 0;
	trial.mems = (struct bitmap *)map;
	error = cpuset_validate_partition(cgroup, &trial);
	if (error)
		return error;
	bitmap_copy(cpuset->mems, map);
	update_mems_down(cgroup);
	return 0;
}

/* What a member lacks to become a partition, or PARTITION_OK and it is one. */
static enum partition_error enable(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);

	if (bitmap_empty(user_xcpus(cpuset)))
		return PARTITION_EMPTY;
	if (parent == top_cs(cgroup) &&
	    bitmap_intersects(cpuset->v2.exclusive, top_cs(cgroup)->top->subpartitions))
		return PARTITION_REMOTE_BELOW;
	return is_partition_valid(parent) ? cpuset_update_parent(cgroup, COMMAND_ENABLE, state, NULL)
				: cpuset_remote_enable(cgroup, state, privileged);
}

/* update_prstate() */
void partition_set_state(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	enum partition_error error;
	int first = cpuset->v2.state, before = first;

	if (before == state)
		return;
	if (state && before < 0)
		before = PARTITION_MEMBER; /* an invalid one is treated as a member */
	error = cpuset_set_exclusive_flag(cgroup, state);
	if (!error && !before)
		error = enable(cgroup, state, privileged);
	else if (!error && !state && cpuset->v2.remote)
		cpuset_remote_disable(cgroup);
	else if (!error && !state)
		cpuset_update_parent(cgroup, COMMAND_DISABLE, 0, NULL);
	else if (!error)
		cpuset_isolate(top_cs(cgroup), state, cpuset->v2.xcpus);
	if (error) {
		state = -state;
		cpuset_set_exclusive_flag(cgroup, state);
	}
	cpuset->v2.state = state;
	cpuset->v2.error = error;
	if (!is_partition_valid(cpuset))
		cpuset_reset_partition(cgroup);
	cpuset_update_down(cgroup, !state);
	cpuset_update_balance(cgroup);
	if (first != cpuset->v2.state)
		cpuset->v2.turns++;
}

/* --- life, and the machine --- */

void partition_online(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent;

	if (cgroup_is_root(cgroup))
		return;
	parent = parent_cs(cgroup);
	bitmap_copy(cpuset->v2.cpus, parent->v2.cpus);
	bitmap_copy(cpuset->v2.mems, parent->v2.mems);
	cpuset_balance_as_parent(cgroup);
}

void partition_offline(struct cgroup *cgroup)
{
	if (!cgroup_is_root(cgroup) && is_partition_valid(cpuset_of(cgroup)))
		partition_set_state(cgroup, PARTITION_MEMBER, true);
}

void partition_follow(struct cgroup *root)
{
	struct cpuset *top = cpuset_of(root);
	struct cgroup *child;

	bitmap_andnot(top->v2.cpus, top->cpus, top->top->subpartitions);
	bitmap_copy(top->v2.mems, top->mems);
	for_each_cpuset_child(child, root)
		cpuset_update_down(child, true);
	update_mems_down(root);
}
