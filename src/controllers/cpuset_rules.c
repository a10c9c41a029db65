/* SPDX-License-Identifier: MIT */
/*
 * cpuset: what may change into what. validate_change and cpuset1_validate_change of kernel/cgroup/cpuset*.c.
 */
#include <errno.h>

#include "cpuset_state.h"

/* The fair server's share of each CPU, 50 ms in 1 s, in units of 2^-20: kernel/sched/deadline.c. */
#define FAIR_SERVER_RATIO ((UINT64_C(50) << 20) / 1000)

/* is_cpuset_subset: an exclusive flag is only for those whose parent has it too. */
static bool is_subset(const struct cpuset *a, const struct cpuset *b)
{
	unsigned exclusive = CS_CPU_EXCLUSIVE | CS_MEM_EXCLUSIVE;

	return bitmap_subset(a->cpus, b->cpus) && bitmap_subset(a->mems, b->mems) &&
	       !(a->flags & ~b->flags & exclusive);
}

static bool conflicts(const struct cpuset *a, const struct cpuset *b)
{
	unsigned flags = a->flags | b->flags;

	return ((flags & CS_CPU_EXCLUSIVE) && bitmap_intersects(a->cpus, b->cpus)) ||
	       ((flags & CS_MEM_EXCLUSIVE) && bitmap_intersects(a->mems, b->mems));
}

/* The CPUs that are scheduled together with this load-balanced cgroup's. */
static const struct bitmap *root_domain(const struct cgroup *cgroup)
{
	const struct cpuset *domain = cpuset_of(cgroup);

	while ((cgroup = cgroup->parent)) {
		if (cpuset_of(cgroup)->flags & CS_SCHED_LOAD_BALANCE)
			domain = cpuset_of(cgroup);
	}
	return domain->cpus;
}

bool cpuset_can_shrink(const struct cpuset_top *top, const struct bitmap *domain, const struct bitmap *trial)
{
	const struct machine_rt_limits *limits = &top->rt_limits;
	uint64_t ratio;

	if (limits->runtime_us < 0 || limits->period_us <= 0)
		return true;
	ratio = ((uint64_t)limits->runtime_us << 20) / (uint64_t)limits->period_us;
	return ratio * bitmap_weight(trial) >= FAIR_SERVER_RATIO * bitmap_weight(domain);
}

static bool can_shrink(const struct cgroup *cgroup, const struct bitmap *trial)
{
	return bitmap_empty(cpuset_of(cgroup)->cpus) ||
	       cpuset_can_shrink(cpuset_top(cgroup), root_domain(cgroup), trial);
}

static bool becomes_empty(const struct bitmap *current, const struct bitmap *trial)
{
	return !bitmap_empty(current) && bitmap_empty(trial);
}

int cpuset_validate_change(const struct cgroup *cgroup, const struct cpuset *trial, bool populated)
{
	const unsigned guarded = CS_CPU_EXCLUSIVE | CS_SCHED_LOAD_BALANCE;
	const struct cpuset *current = cpuset_of(cgroup);
	const struct cgroup *other;

	cgroup_for_each_child(other, cgroup) {
		if (!is_subset(cpuset_of(other), trial))
			return -EBUSY;
	}
	if (cgroup_is_root(cgroup))
		return 0;
	if (!is_subset(trial, cpuset_of(cgroup->parent)))
		return -EACCES;
	if (populated && (becomes_empty(current->cpus, trial->cpus) ||
			  becomes_empty(current->mems, trial->mems)))
		return -ENOSPC;
	if ((current->flags & guarded) == guarded && !can_shrink(cgroup, trial->cpus))
		return -EBUSY;
	cgroup_for_each_child(other, cgroup->parent) {
		if (other != cgroup && conflicts(trial, cpuset_of(other)))
			return -EINVAL;
	}
	return 0;
}
