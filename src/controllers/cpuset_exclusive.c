/* SPDX-License-Identifier: MIT */
/* Who may have which CPUs on v2. kernel/cgroup/cpuset.c of Linux 6.18. */
#include <errno.h>

#include "cpuset_exclusive.h"

struct cgroup *cpuset_last_below(struct cgroup *cgroup)
{
	struct cgroup *position;

	while ((position = cgroup->children)) {
		while (position->hh.next)
			position = position->hh.next;
		cgroup = position;
	}
	return cgroup;
}

void cpuset_note_state(struct cpuset *cpuset, int before)
{
	if (before == cpuset->v2.state)
		return;
	cpuset->v2.turns++;
	if (is_partition_valid(cpuset))
		cpuset->v2.error = PARTITION_OK;
}

static void set_balanced(struct cpuset *cpuset, bool balanced)
{
	cpuset->flags &= ~(unsigned)CS_SCHED_LOAD_BALANCE;
	if (balanced)
		cpuset->flags |= CS_SCHED_LOAD_BALANCE;
}

void cpuset_balance_as_parent(struct cgroup *cgroup)
{
	set_balanced(cpuset_of(cgroup), is_balanced(parent_cs(cgroup)));
}

void cpuset_update_balance(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	if (is_partition_valid(cpuset))
		set_balanced(cpuset, cpuset->v2.state != PARTITION_ISOLATED);
	else
		cpuset_balance_as_parent(cgroup);
}

/* Whether a partition has CPUs of this one's (nr_subparts): a remote one's are the top's. */
static bool has_partition(const struct cgroup *cgroup)
{
	struct cgroup *child;

	for_each_cpuset_child(child, cgroup) {
		if (is_partition_valid(cpuset_of(child)) && !cpuset_of(child)->v2.remote)
			return true;
	}
	return false;
}

bool cpuset_is_populated(struct cgroup *cgroup, const struct cgroup *except)
{
	struct cgroup *position = cgroup;

	if (cgroup_is_root(cgroup) || group_has_members(&cgroup->group))
		return true;
	if (!except && !has_partition(cgroup))
		return group_is_populated(&cgroup->group);
	while ((position = cgroup_next_descendant(position, cgroup))) {
		if (position == except)
			continue; /* as in the kernel, not what is below it */
		if (!cgroup_has_css(position, &cpuset_controller) || is_partition_valid(cpuset_of(position)))
			position = cpuset_last_below(position);
		else if (group_is_populated(&position->group))
			return true;
	}
	return false;
}

bool cpuset_tasks_nocpu_error(struct cgroup *cgroup, const struct bitmap *xcpus)
{
	const struct cpuset *parent = parent_cs(cgroup);

	return (bitmap_subset(parent->v2.cpus, xcpus) && cpuset_is_populated(cgroup->parent, cgroup)) ||
	       (!bitmap_intersects(xcpus, active_cpus(cgroup)) && cpuset_is_populated(cgroup, NULL));
}

void cpuset_effective_cpus(struct bitmap *cpus, const struct cgroup *cgroup)
{
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);

	if (!bitmap_and(cpus, cpuset->cpus, parent->v2.cpus))
		bitmap_copy(cpus, parent->v2.cpus);
}

unsigned cpuset_exclusive_cpus(struct bitmap *xcpus, const struct cgroup *cgroup, const struct bitmap *user,
			       bool all)
{
	unsigned conflicts = 0;
	struct cgroup *sibling;

	bitmap_and(xcpus, user, parent_cs(cgroup)->v2.xcpus);
	if (!all && !bitmap_empty(cpuset_of(cgroup)->v2.exclusive))
		return 0;
	for_each_cpuset_child(sibling, cgroup->parent) {
		const struct partition *other = &cpuset_of(sibling)->v2;
		const struct bitmap *theirs =
			bitmap_intersects(xcpus, other->exclusive) ? other->exclusive : other->xcpus;

		if (sibling == cgroup || !bitmap_intersects(xcpus, theirs))
			continue;
		bitmap_andnot(xcpus, xcpus, theirs);
		conflicts++;
	}
	return conflicts;
}

void cpuset_reset_partition(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	if (bitmap_empty(cpuset->v2.exclusive)) {
		bitmap_zero(cpuset->v2.xcpus);
		cpuset->flags &= ~(unsigned)CS_CPU_EXCLUSIVE;
	}
	cpuset_effective_cpus(cpuset->v2.cpus, cgroup);
}

/* --- who may have what: validate_change, cpus_excl_conflict --- */

static bool conflicts(const struct cpuset *trial, const struct cpuset *other)
{
	const struct bitmap *exclusive = trial->v2.exclusive, *theirs = other->v2.exclusive;

	if ((trial->flags | other->flags) & CS_CPU_EXCLUSIVE)
		return bitmap_intersects(user_xcpus(trial), user_xcpus(other));
	return bitmap_intersects(exclusive, theirs) ||
	       (!bitmap_empty(trial->cpus) && bitmap_subset(trial->cpus, theirs)) ||
	       (!bitmap_empty(other->cpus) && bitmap_subset(other->cpus, exclusive));
}

int cpuset_validate_partition(const struct cgroup *cgroup, const struct cpuset *trial)
{
	const struct cpuset *current = cpuset_of(cgroup);
	struct cgroup *sibling;

	if (group_is_populated(&cgroup->group) &&
	    ((!bitmap_empty(current->cpus) && bitmap_empty(trial->cpus)) ||
	     (!bitmap_empty(current->mems) && bitmap_empty(trial->mems))))
		return -ENOSPC;
	/* What is exclusive and balanced is a domain of the scheduler. */
	if (current->flags & CS_CPU_EXCLUSIVE && is_balanced(current) && !bitmap_empty(current->v2.cpus) &&
	    !cpuset_can_shrink(cpuset_top(cgroup), current->v2.cpus, user_xcpus(trial)))
		return -EBUSY;
	for_each_cpuset_child(sibling, cgroup->parent) {
		if (sibling != cgroup && conflicts(trial, cpuset_of(sibling)))
			return -EINVAL;
	}
	return 0;
}

enum partition_error cpuset_set_exclusive_flag(struct cgroup *cgroup, int state)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	bool exclusive = state > PARTITION_MEMBER;

	if (exclusive == !!(cpuset->flags & CS_CPU_EXCLUSIVE))
		return PARTITION_OK;
	trial.flags ^= CS_CPU_EXCLUSIVE;
	if (cpuset_validate_partition(cgroup, &trial))
		return exclusive ? PARTITION_NOT_EXCLUSIVE : PARTITION_OK;
	cpuset->flags = trial.flags;
	return PARTITION_OK;
}
