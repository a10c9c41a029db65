/* SPDX-License-Identifier: MIT */
/*
 * cpuset: the root's share is the machine, and the machine may change. cpuset_hotplug_workfn of
 * kernel/cgroup/cpuset.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "cpuset_partition.h"

#define FOLLOW_ALL (FOLLOW_CPUS | FOLLOW_MEMS | FOLLOW_LIMITS)

/* What was looked at, the rest is NULL. */
struct online {
	struct bitmap *cpus;
	struct bitmap *mems;
	bool has_limits;
	struct machine_rt_limits rt_limits;
};

static void online_free(struct online *online)
{
	bitmap_free(online->cpus);
	bitmap_free(online->mems);
}

/* 0 or a negative errno; online_free() in any case. */
static int online_read(const struct machine *machine, unsigned what, struct online *online)
{
	int error = 0;

	*online = (struct online){ .has_limits = what & FOLLOW_LIMITS };
	if (what & FOLLOW_CPUS)
		error = machine_cpus(machine, MACHINE_CPUS_ONLINE, &online->cpus);
	if (!error && (what & FOLLOW_MEMS))
		error = machine_nodes(machine, MACHINE_NODES_MEMORY, &online->mems);
	if (!error && online->has_limits)
		error = machine_rt_limits(machine, &online->rt_limits);
	return error;
}

void cpuset_exit(void *state)
{
	struct cpuset *cpuset = state;

	bitmap_free(cpuset->cpus);
	bitmap_free(cpuset->mems);
	bitmap_free(cpuset->v2.cpus);
	bitmap_free(cpuset->v2.mems);
	bitmap_free(cpuset->v2.exclusive);
	bitmap_free(cpuset->v2.xcpus);
	if (cpuset->top) {
		pthread_mutex_destroy(&cpuset->top->following);
		bitmap_free(cpuset->top->subpartitions);
		bitmap_free(cpuset->top->isolated);
		bitmap_free(cpuset->top->scratch);
	}
	free(cpuset->top);
}

bool cpuset_new_masks(struct cpuset *cpuset, unsigned cpus, unsigned mems)
{
	struct bitmap **const of_cpus[] = {&cpuset->cpus, &cpuset->v2.cpus, &cpuset->v2.exclusive,
					   &cpuset->v2.xcpus};
	struct bitmap **const of_mems[] = {&cpuset->mems, &cpuset->v2.mems};
	bool all = true;

	for (unsigned i = 0; i < sizeof(of_cpus) / sizeof(of_cpus[0]); i++)
		all &= *of_cpus[i] || (*of_cpus[i] = bitmap_new(cpus));
	for (unsigned i = 0; i < sizeof(of_mems) / sizeof(of_mems[0]); i++)
		all &= *of_mems[i] || (*of_mems[i] = bitmap_new(mems));
	return all;
}

/* The root is a partition that has all CPUs there may be, and uses those that are online. */
static bool make_root_partition(struct cpuset *root)
{
	unsigned cpus = root->cpus->nr;

	root->top->subpartitions = bitmap_new(cpus);
	root->top->isolated = bitmap_new(cpus);
	root->top->scratch = bitmap_new(cpus);
	if (!cpuset_new_masks(root, cpus, root->mems->nr) || !root->top->subpartitions ||
	    !root->top->isolated || !root->top->scratch)
		return false;
	bitmap_copy(root->v2.cpus, root->cpus);
	bitmap_copy(root->v2.mems, root->mems);
	for (unsigned i = 0; i < cpus; i++)
		bitmap_set(root->v2.xcpus, i);
	root->v2.state = PARTITION_ROOT;
	return true;
}

int cpuset_init_root(struct cpuset *cpuset, const struct machine *machine)
{
	struct online online;
	struct cpuset_top *top;
	int error = online_read(machine, FOLLOW_ALL, &online);

	cpuset->cpus = online.cpus;
	cpuset->mems = online.mems;
	if (error)
		return error;
	top = cpuset->top = calloc(1, sizeof(*top));
	if (!top)
		return -ENOMEM;
	pthread_mutex_init(&top->following, NULL);
	top->nr_cpus = machine_nr_cpus(machine);
	top->domain_level_max = machine_sched_domain_level_max(machine);
	top->rt_limits = online.rt_limits;
	cpuset->flags |= CS_CPU_EXCLUSIVE | CS_MEM_EXCLUSIVE;
	return make_root_partition(cpuset) ? 0 : -ENOMEM;
}

static bool is_current(const struct cpuset *root, const struct online *online)
{
	const struct machine_rt_limits *limits = &root->top->rt_limits;

	return (!online->cpus || bitmap_equal(root->cpus, online->cpus)) &&
	       (!online->mems || bitmap_equal(root->mems, online->mems)) &&
	       (!online->has_limits || (limits->period_us == online->rt_limits.period_us &&
					limits->runtime_us == online->rt_limits.runtime_us));
}

/* On v1 what is no longer the root's is nobody's. */
static void follow(struct hierarchy *hierarchy, const struct online *online)
{
	struct cpuset *root = cpuset_of(hierarchy->root);
	struct cgroup *position;

	if (online->has_limits)
		root->top->rt_limits = online->rt_limits;
	if (online->cpus)
		bitmap_copy(root->cpus, online->cpus);
	if (online->mems)
		bitmap_copy(root->mems, online->mems);
	if (hierarchy->tree->unified) {
		partition_follow(hierarchy->root);
		return;
	}
	cgroup_for_each_descendant(position, hierarchy->root) {
		struct cpuset *cpuset = cpuset_of(position);

		bitmap_and(cpuset->cpus, cpuset->cpus, root->cpus);
		bitmap_and(cpuset->mems, cpuset->mems, root->mems);
	}
}

static void follow_if_changed(struct hierarchy *hierarchy, const struct online *online)
{
	struct tree *tree = hierarchy->tree;
	bool current;

	tree_read_lock(tree);
	current = is_current(cpuset_of(hierarchy->root), online);
	tree_unlock(tree);
	if (current)
		return;
	tree_write_lock(tree);
	follow(hierarchy, online);
	tree_unlock(tree);
}

int cpuset_follow_machine(struct hierarchy *hierarchy, unsigned what)
{
	struct cpuset_top *top = cpuset_of(hierarchy->root)->top;
	struct online online;
	int error;

	pthread_mutex_lock(&top->following);
	error = online_read(hierarchy->tree->machine, what, &online);
	if (!error)
		follow_if_changed(hierarchy, &online);
	pthread_mutex_unlock(&top->following);
	online_free(&online);
	return error;
}
