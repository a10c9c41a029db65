/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPUSET_EXCLUSIVE_H
#define CONTROLLERS_CPUSET_EXCLUSIVE_H

#include <stdbool.h>

#include "cpuset_state.h"

/*
 * Which CPUs a cgroup may have for itself and what its state as a partition is, by the functions and names of
 * kernel/cgroup/cpuset.c (6.18). All run under the tree lock, exclusive.
 */

/* A mask on the stack, empty. */
#define LOCAL_MASK(name, bits)                                                                     \
	_Alignas(struct bitmap) char name##_bytes[sizeof(struct bitmap) + BITMAP_MAX_BITS / 8];    \
	struct bitmap *name = (struct bitmap *)(void *)name##_bytes;                               \
	name->nr = (bits);                                                                         \
	bitmap_zero(name)

#define for_each_cpuset_child(child, cgroup)                      \
	cgroup_for_each_child(child, cgroup)                      \
		if (cgroup_has_css(child, &cpuset_controller))

/* The nearest cgroup above that has cpuset: all above have, as it is enabled from the top. */
static inline struct cpuset *parent_cs(const struct cgroup *cgroup)
{
	return cpuset_of(cgroup->parent);
}

static inline struct cpuset *top_cs(const struct cgroup *cgroup)
{
	return cpuset_of(cgroup->hierarchy->root);
}

static inline const struct bitmap *active_cpus(const struct cgroup *cgroup)
{
	return top_cs(cgroup)->cpus;
}

static inline bool is_partition_valid(const struct cpuset *cpuset)
{
	return cpuset->v2.state > 0;
}

static inline bool is_partition_invalid(const struct cpuset *cpuset)
{
	return cpuset->v2.state < 0;
}

/* Whether the scheduler would balance load among its CPUs: no file of v2 says so, but the way down asks. */
static inline bool is_balanced(const struct cpuset *cpuset)
{
	return cpuset->flags & CS_SCHED_LOAD_BALANCE;
}

static inline const struct bitmap *user_xcpus(const struct cpuset *cpuset)
{
	return bitmap_empty(cpuset->v2.exclusive) ? cpuset->cpus : cpuset->v2.exclusive;
}

/* css_rightmost_descendant(): from which a walk goes on past all that is below a cgroup. */
struct cgroup *cpuset_last_below(struct cgroup *cgroup);
/* Its state was `before`: who waits for news of the partition is told. */
void cpuset_note_state(struct cpuset *cpuset, int before);
/* What is no partition is balanced as its parent is. */
void cpuset_balance_as_parent(struct cgroup *cgroup);
/* update_partition_sd_lb(): its state has changed. */
void cpuset_update_balance(struct cgroup *cgroup);
/*
 * partition_is_populated(): has tasks that would be without CPUs, but for those in `except`, which is to be
 * a partition. The root always has.
 */
bool cpuset_is_populated(struct cgroup *cgroup, const struct cgroup *except);
/* Whether tasks would be without CPUs if a partition had `xcpus`, its own or its parent's. */
bool cpuset_tasks_nocpu_error(struct cgroup *cgroup, const struct bitmap *xcpus);
/* compute_effective_cpumask(): what is not a partition has its own of its parent's, or all of them. */
void cpuset_effective_cpus(struct bitmap *cpus, const struct cgroup *cgroup);
/*
 * compute_effective_exclusive_cpumask(): those of `user` that the parent has exclusively. `all`: those that
 * siblings have are left out even where a list of exclusive ones was written. How many siblings had some.
 */
unsigned cpuset_exclusive_cpus(struct bitmap *xcpus, const struct cgroup *cgroup, const struct bitmap *user,
			       bool all);
/* reset_partition_data() */
void cpuset_reset_partition(struct cgroup *cgroup);
/*
 * validate_change(): 0; -ENOSPC: its tasks would have nothing; -EBUSY: the deadline scheduler would lack
 * room; -EINVAL: a sibling has some exclusively.
 */
int cpuset_validate_partition(const struct cgroup *cgroup, const struct cpuset *trial);
/* update_partition_exclusive_flag() */
enum partition_error cpuset_set_exclusive_flag(struct cgroup *cgroup, int state);

#endif
