/* SPDX-License-Identifier: MIT */
/*
 * v2's effective masks, and CPUs that go from a parent to a partition and back. kernel/cgroup/cpuset.c of
 * Linux 6.18.
 */
#include "cpuset_effective.h"

/* --- CPUs that go from a parent to a partition and back --- */

void cpuset_isolate(struct cpuset *top, int state, const struct bitmap *cpus)
{
	if (state == PARTITION_ISOLATED)
		bitmap_or(top->top->isolated, top->top->isolated, cpus);
	else
		bitmap_andnot(top->top->isolated, top->top->isolated, cpus);
}

/* partition_xcpus_add(): `parent` loses them to a partition of this state. */
static void take_cpus(struct cpuset *top, struct cpuset *parent, int state, const struct bitmap *cpus)
{
	if (parent == top)
		bitmap_or(top->top->subpartitions, top->top->subpartitions, cpus);
	if (state != parent->v2.state)
		cpuset_isolate(top, state, cpus);
	bitmap_andnot(parent->v2.cpus, parent->v2.cpus, cpus);
}

/* partition_xcpus_del() */
static void give_back(struct cpuset *top, struct cpuset *parent, int state, const struct bitmap *cpus)
{
	if (parent == top)
		bitmap_andnot(top->top->subpartitions, top->top->subpartitions, cpus);
	if (state != parent->v2.state)
		cpuset_isolate(top, parent->v2.state, cpus);
	bitmap_or(parent->v2.cpus, parent->v2.cpus, cpus);
	bitmap_and(parent->v2.cpus, parent->v2.cpus, top->cpus);
}

/* --- the way down: update_cpumasks_hier --- */

/*
 * compute_partition_effective_cpumask(): its own less what partitions below it have, which become invalid
 * where they must.
 */
static void partition_cpus(struct bitmap *cpus, struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	bool populated = cpuset_is_populated(cgroup, NULL);
	struct cgroup *child;

	cpuset_exclusive_cpus(cpus, cgroup, user_xcpus(cpuset), false);
	bitmap_and(cpus, cpus, active_cpus(cgroup));
	for_each_cpuset_child(child, cgroup) {
		struct cpuset *below = cpuset_of(child);
		int before = below->v2.state;

		if (!is_partition_valid(below))
			continue;
		below->v2.error = PARTITION_OK;
		if (!bitmap_subset(below->v2.xcpus, cpuset->v2.xcpus))
			below->v2.error = PARTITION_CPUS;
		else if (populated && bitmap_subset(cpus, below->v2.xcpus))
			below->v2.error = PARTITION_NO_CPUS;
		if (below->v2.error) {
			below->v2.state = -before;
			cpuset_note_state(below, before);
		} else {
			bitmap_andnot(cpus, cpus, below->v2.xcpus);
		}
	}
}

/* Whether a remote partition below the top of the way has other CPUs now; it may become invalid by that. */
static bool update_remote(struct cgroup *cgroup, struct bitmap *cpus)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	cpuset_exclusive_cpus(cpus, cgroup, user_xcpus(cpuset), false);
	if (bitmap_equal(cpus, cpuset->v2.xcpus))
		return false;
	cpuset_remote_update(cgroup, NULL, cpus, true);
	return true;
}

/* What was worked out becomes effective. */
static void settle(struct cgroup *cgroup, const struct cgroup *top, const struct bitmap *cpus, int state)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	bitmap_copy(cpuset->v2.cpus, cpus);
	cpuset->v2.state = state;
	if (!bitmap_empty(cpuset->v2.exclusive) && cgroup != top)
		cpuset_exclusive_cpus(cpuset->v2.xcpus, cgroup, user_xcpus(cpuset), false);
	/* As in the kernel, without a look at the siblings: two that become valid together have the same. */
	if (state > 0 && bitmap_empty(cpuset->v2.exclusive))
		bitmap_and(cpuset->v2.xcpus, cpuset->cpus, parent_cs(cgroup)->v2.xcpus);
	else if (state < 0)
		cpuset_reset_partition(cgroup);
	if (state <= 0)
		cpuset_balance_as_parent(cgroup);
}

/* One cgroup of update_cpumasks_hier(). False: nothing changes below it either. */
static bool update_one(struct cgroup *cgroup, const struct cgroup *top, bool force)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);
	struct bitmap *cpus = top_cs(cgroup)->top->scratch;
	int before = cpuset->v2.state, state = before;
	bool remote = cpuset->v2.remote, ask_parent = false;

	if (remote && cgroup != top) {
		if (!update_remote(cgroup, cpus))
			return false;
		state = cpuset->v2.state;
		remote = state == before;
	}
	if (remote || (is_partition_valid(parent) && is_partition_valid(cpuset)))
		partition_cpus(cpus, cgroup);
	else
		bitmap_and(cpus, cpuset->cpus, parent->v2.cpus);
	if (!remote && is_partition_valid(cpuset) && bitmap_empty(cpus)) {
		ask_parent = true;
	} else if (!remote) {
		if (bitmap_empty(cpus))
			bitmap_copy(cpus, parent->v2.cpus);
		if (!cpuset->v2.state && !force && bitmap_equal(cpus, cpuset->v2.cpus) &&
		    is_balanced(cpuset) == is_balanced(parent))
			return false;
	}
	if (!remote && cgroup != top && before) {
		if (is_partition_valid(parent)) {
			ask_parent = true;
		} else {
			state = is_partition_valid(cpuset) ? -cpuset->v2.state : state;
			cpuset->v2.error =
				is_partition_invalid(parent) ? PARTITION_PARENT_INVALID : PARTITION_NO_PARENT;
		}
	}
	if (ask_parent) {
		cpuset_update_parent(cgroup, COMMAND_UPDATE, 0, NULL);
		state = cpuset->v2.state;
	}
	settle(cgroup, top, cpus, state);
	cpuset_note_state(cpuset, before);
	return true;
}

void cpuset_update_down(struct cgroup *top, bool force)
{
	struct cgroup *position = top;

	while (position) {
		if (!cgroup_has_css(position, &cpuset_controller) || !update_one(position, top, force))
			position = cpuset_last_below(position);
		position = cgroup_next_descendant(position, top);
	}
}

/* update_sibling_cpumasks() */
static void update_siblings(struct cgroup *parent, const struct cgroup *except)
{
	struct bitmap *cpus = top_cs(parent)->top->scratch;
	struct cgroup *sibling;

	for_each_cpuset_child(sibling, parent) {
		const struct cpuset *cpuset = cpuset_of(sibling);

		if (sibling == except || (is_partition_valid(cpuset) && cpuset->v2.remote))
			continue;
		if (!is_partition_valid(cpuset)) {
			/* As in the kernel: who has all of its parent's stays without where it has none. */
			bitmap_and(cpus, cpuset->cpus, cpuset_of(parent)->v2.cpus);
			if (bitmap_equal(cpus, cpuset->v2.cpus))
				continue;
		}
		cpuset_update_down(sibling, false);
	}
}

/* --- local partitions: update_parent_effective_cpumask --- */

struct exchange {
	struct bitmap *add, *del; /* to and from the parent's */
	bool adding, deleting;
};

static bool siblings_are_exclusive(const struct cgroup *cgroup)
{
	struct cgroup *sibling;

	for_each_cpuset_child(sibling, cgroup->parent) {
		if (sibling != cgroup &&
		    bitmap_intersects(user_xcpus(cpuset_of(cgroup)), user_xcpus(cpuset_of(sibling))))
			return false;
	}
	return true;
}

/* The list becomes `cpus`: what goes to the parent and what comes from it. */
static enum partition_error exchange_list(struct cgroup *cgroup, const struct bitmap *cpus, bool nocpu,
					  struct exchange *exchange)
{
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);

	if (bitmap_empty(cpus))
		return PARTITION_EMPTY;
	nocpu |= cpuset_tasks_nocpu_error(cgroup, cpus);
	if (is_partition_invalid(cpuset)) {
		exchange->deleting = bitmap_and(exchange->del, cpus, parent->v2.xcpus);
	} else {
		bitmap_andnot(exchange->add, xcpus, cpus);
		exchange->adding = bitmap_and(exchange->add, exchange->add, parent->v2.xcpus);
		bitmap_andnot(exchange->del, cpus, xcpus);
		exchange->deleting = bitmap_and(exchange->del, exchange->del, parent->v2.xcpus);
	}
	if (!nocpu || (exchange->adding && bitmap_intersects(exchange->add, active_cpus(cgroup))))
		return PARTITION_OK;
	exchange->deleting = false;
	exchange->adding = bitmap_and(exchange->add, xcpus, parent->v2.xcpus);
	return PARTITION_NO_CPUS;
}

/* Nothing was written here: may it stay valid, or become so? */
static enum partition_error exchange_again(struct cgroup *cgroup, bool nocpu, struct exchange *exchange)
{
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);

	if (nocpu) {
		if (is_partition_valid(cpuset))
			exchange->adding = bitmap_and(exchange->add, xcpus, parent->v2.xcpus);
		return PARTITION_NO_CPUS;
	}
	if (!is_partition_invalid(cpuset) || bitmap_empty(xcpus) || !bitmap_subset(xcpus, parent->v2.xcpus))
		return PARTITION_OK;
	if (!siblings_are_exclusive(cgroup))
		return PARTITION_NOT_EXCLUSIVE;
	exchange->deleting = bitmap_and(exchange->del, xcpus, parent->v2.cpus);
	return PARTITION_OK;
}

static enum partition_error exchange_enabled(struct cgroup *cgroup, bool nocpu, struct exchange *exchange)
{
	cpuset_exclusive_cpus(exchange->del, cgroup, user_xcpus(cpuset_of(cgroup)), false);
	if (bitmap_empty(exchange->del))
		return PARTITION_CPUS;
	if (nocpu)
		return PARTITION_NO_CPUS;
	exchange->deleting = true;
	return PARTITION_OK;
}

/* Carries it out. */
static void carry_out(struct cgroup *cgroup, const struct exchange *exchange, int before, int state)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup), *top = top_cs(cgroup);

	cpuset->v2.state = state;
	if (exchange->adding)
		give_back(top, parent, before, exchange->add);
	if (exchange->deleting)
		take_cpus(top, parent, state, exchange->del);
	if (exchange->adding || exchange->deleting)
		update_siblings(cgroup->parent, cgroup);
	cpuset_note_state(cpuset, before);
}

/* `wanted` is the state for COMMAND_ENABLE; `cpus` the new list for COMMAND_UPDATE, or NULL. */
enum partition_error cpuset_update_parent(struct cgroup *cgroup, enum partition_command command, int wanted,
					  const struct bitmap *cpus)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_cs(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);
	int before = cpuset->v2.state, state = before;
	enum partition_error error = PARTITION_OK;
	struct exchange exchange = {0};
	LOCAL_MASK(add, cpuset->cpus->nr);
	LOCAL_MASK(del, cpuset->cpus->nr);
	bool nocpu;

	exchange.add = add;
	exchange.del = del;
	if (command == COMMAND_INVALIDATE) {
		if (is_partition_invalid(cpuset))
			return PARTITION_OK;
		if (is_partition_valid(parent))
			exchange.adding = bitmap_and(add, xcpus, parent->v2.xcpus);
		state = before > 0 ? -before : before;
	} else {
		if (!is_partition_valid(parent))
			return is_partition_invalid(parent) ? PARTITION_PARENT_INVALID : PARTITION_NO_PARENT;
		if (!cpus && bitmap_empty(xcpus))
			return PARTITION_EMPTY;
		nocpu = cpuset_tasks_nocpu_error(cgroup, xcpus);
		if (command == COMMAND_ENABLE) {
			error = exchange_enabled(cgroup, nocpu, &exchange);
			if (error)
				return error;
			state = wanted;
		} else if (command == COMMAND_DISABLE) {
			exchange.adding = is_partition_valid(cpuset);
			bitmap_copy(add, cpuset->v2.xcpus);
			state = PARTITION_MEMBER;
		} else if (cpus) {
			error = exchange_list(cgroup, cpus, nocpu, &exchange);
		} else {
			error = exchange_again(cgroup, nocpu, &exchange);
		}
	}
	if (error)
		cpuset->v2.error = error;
	if (command == COMMAND_UPDATE && (before > 0) == (error != PARTITION_OK))
		state = -before;
	if (!exchange.adding && !exchange.deleting && state == before)
		return PARTITION_OK;
	if (state != before && command != COMMAND_UPDATE) {
		error = cpuset_set_exclusive_flag(cgroup, state);
		if (error)
			return error;
	}
	carry_out(cgroup, &exchange, before, state);
	if (state != before && command == COMMAND_UPDATE)
		cpuset_set_exclusive_flag(cgroup, state);
	if (command == COMMAND_UPDATE && !cpus)
		cpuset_update_balance(cgroup);
	return PARTITION_OK;
}

/* --- remote partitions --- */

enum partition_error cpuset_remote_enable(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_cs(cgroup);
	LOCAL_MASK(xcpus, cpuset->cpus->nr);

	if (!privileged)
		return PARTITION_ACCESS;
	cpuset_exclusive_cpus(xcpus, cgroup, user_xcpus(cpuset), false);
	if (!bitmap_intersects(xcpus, top->cpus) || bitmap_subset(top->v2.cpus, xcpus))
		return PARTITION_CPUS;
	take_cpus(top, top, state, xcpus);
	cpuset->v2.remote = true;
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	cpuset->v2.error = PARTITION_OK;
	update_siblings(cgroup->hierarchy->root, NULL);
	return PARTITION_OK;
}

void cpuset_remote_disable(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_cs(cgroup);

	cpuset->v2.remote = false;
	give_back(top, top, cpuset->v2.state, cpuset->v2.xcpus);
	cpuset->v2.state = cpuset->v2.error ? -cpuset->v2.state : PARTITION_MEMBER;
	cpuset_exclusive_cpus(cpuset->v2.xcpus, cgroup, user_xcpus(cpuset), false);
	cpuset_reset_partition(cgroup);
	update_siblings(cgroup->hierarchy->root, NULL);
}

void cpuset_remote_update(struct cgroup *cgroup, const struct bitmap *exclusive, const struct bitmap *xcpus,
			  bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_cs(cgroup);
	LOCAL_MASK(add, cpuset->cpus->nr);
	LOCAL_MASK(del, cpuset->cpus->nr);
	bool adding = bitmap_andnot(add, xcpus, cpuset->v2.xcpus);

	if (bitmap_empty(xcpus))
		cpuset->v2.error = PARTITION_EMPTY;
	else if (adding && !privileged)
		cpuset->v2.error = PARTITION_ACCESS;
	else if (adding &&
		 (bitmap_intersects(add, top->top->subpartitions) || bitmap_subset(top->v2.cpus, add)))
		cpuset->v2.error = PARTITION_NO_CPUS;
	/* As in the kernel, why it was invalid before counts here too, but only where CPUs are added. */
	if (bitmap_empty(xcpus) || (adding && cpuset->v2.error)) {
		cpuset_remote_disable(cgroup);
		return;
	}
	if (adding)
		take_cpus(top, top, cpuset->v2.state, add);
	if (bitmap_andnot(del, cpuset->v2.xcpus, xcpus))
		give_back(top, top, cpuset->v2.state, del);
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	if (exclusive)
		bitmap_copy(cpuset->v2.exclusive, exclusive);
	update_siblings(cgroup->hierarchy->root, NULL);
}
