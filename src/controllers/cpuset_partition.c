/* SPDX-License-Identifier: MIT */
/* cpuset on v2: effective masks and partitions. kernel/cgroup/cpuset.c of Linux 6.18. */
#include <errno.h>
#include <string.h>

#include "cpuset_partition.h"

/* A mask on the stack, empty. */
#define LOCAL_MASK(name, bits)                                                                     \
	_Alignas(struct bitmap) char name##_bytes[sizeof(struct bitmap) + BITMAP_MAX_BITS / 8];    \
	struct bitmap *name = (struct bitmap *)(void *)name##_bytes;                               \
	name->nr = (bits);                                                                         \
	bitmap_zero(name)

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

/* --- short questions, by the kernel's names --- */

/* The nearest cgroup above that has cpuset: all above have, as it is enabled from the top. */
static struct cpuset *parent_of(const struct cgroup *cgroup)
{
	return cpuset_of(cgroup->parent);
}

static struct cpuset *top_of(const struct cgroup *cgroup)
{
	return cpuset_of(cgroup->hierarchy->root);
}

static const struct bitmap *active_cpus(const struct cgroup *cgroup)
{
	return top_of(cgroup)->cpus;
}

static bool is_valid(const struct cpuset *cpuset)
{
	return cpuset->v2.state > 0;
}

static bool is_invalid(const struct cpuset *cpuset)
{
	return cpuset->v2.state < 0;
}

static const struct bitmap *user_xcpus(const struct cpuset *cpuset)
{
	return bitmap_empty(cpuset->v2.exclusive) ? cpuset->cpus : cpuset->v2.exclusive;
}

#define for_each_cpuset_child(child, cgroup)                      \
	cgroup_for_each_child(child, cgroup)                      \
		if (cgroup_has_css(child, &cpuset_controller))

static void note_state(struct cpuset *cpuset, int before)
{
	if (before == cpuset->v2.state)
		return;
	cpuset->v2.turns++;
	if (is_valid(cpuset))
		cpuset->v2.error = PARTITION_OK;
}

/* partition_is_populated(): has tasks that would be without CPUs. The root always has. */
static bool is_populated(struct cgroup *cgroup, const struct cgroup *except)
{
	struct cgroup *child;

	if (cgroup_is_root(cgroup) || group_has_members(&cgroup->group))
		return true;
	for_each_cpuset_child(child, cgroup) {
		if (child != except && !is_valid(cpuset_of(child)) && group_is_populated(&child->group))
			return true;
	}
	return false;
}

static bool tasks_nocpu_error(struct cgroup *cgroup, const struct bitmap *xcpus)
{
	const struct cpuset *parent = parent_of(cgroup);

	return (bitmap_subset(parent->v2.cpus, xcpus) && is_populated(cgroup->parent, cgroup)) ||
	       (!bitmap_intersects(xcpus, active_cpus(cgroup)) && is_populated(cgroup, NULL));
}

/* compute_effective_cpumask(): what is not a partition has its own of its parent's, or all of them. */
static void effective_cpus(struct bitmap *cpus, const struct cgroup *cgroup)
{
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);

	if (!bitmap_and(cpus, cpuset->cpus, parent->v2.cpus))
		bitmap_copy(cpus, parent->v2.cpus);
}

/*
 * compute_effective_exclusive_cpumask(): those of `user` that the parent has exclusively. `all`: those that
 * siblings have are left out even where a list of exclusive ones was written. How many siblings had some.
 */
static unsigned exclusive_cpus(struct bitmap *xcpus, const struct cgroup *cgroup, const struct bitmap *user,
			       bool all)
{
	unsigned conflicts = 0;
	struct cgroup *sibling;

	bitmap_and(xcpus, user, parent_of(cgroup)->v2.xcpus);
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

/* reset_partition_data() */
static void reset_data(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	if (bitmap_empty(cpuset->v2.exclusive)) {
		bitmap_zero(cpuset->v2.xcpus);
		cpuset->flags &= ~(unsigned)CS_CPU_EXCLUSIVE;
	}
	effective_cpus(cpuset->v2.cpus, cgroup);
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

static int validate(const struct cgroup *cgroup, const struct cpuset *trial)
{
	const struct cpuset *current = cpuset_of(cgroup);
	struct cgroup *sibling;

	if (group_is_populated(&cgroup->group) &&
	    ((!bitmap_empty(current->cpus) && bitmap_empty(trial->cpus)) ||
	     (!bitmap_empty(current->mems) && bitmap_empty(trial->mems))))
		return -ENOSPC;
	for_each_cpuset_child(sibling, cgroup->parent) {
		if (sibling != cgroup && conflicts(trial, cpuset_of(sibling)))
			return -EINVAL;
	}
	return 0;
}

/* update_partition_exclusive_flag() */
static enum partition_error set_exclusive_flag(struct cgroup *cgroup, int state)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;

	if (state <= PARTITION_MEMBER) {
		cpuset->flags &= ~(unsigned)CS_CPU_EXCLUSIVE;
		return PARTITION_OK;
	}
	trial.flags |= CS_CPU_EXCLUSIVE;
	if (!(cpuset->flags & CS_CPU_EXCLUSIVE) && validate(cgroup, &trial))
		return PARTITION_NOT_EXCLUSIVE;
	cpuset->flags = trial.flags;
	return PARTITION_OK;
}

/* --- CPUs that go from a parent to a partition and back --- */

static void isolate(struct cpuset *top, int state, const struct bitmap *cpus)
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
		isolate(top, state, cpus);
	bitmap_andnot(parent->v2.cpus, parent->v2.cpus, cpus);
}

/* partition_xcpus_del() */
static void give_back(struct cpuset *top, struct cpuset *parent, int state, const struct bitmap *cpus)
{
	if (parent == top)
		bitmap_andnot(top->top->subpartitions, top->top->subpartitions, cpus);
	if (state != parent->v2.state)
		isolate(top, parent->v2.state, cpus);
	bitmap_or(parent->v2.cpus, parent->v2.cpus, cpus);
	bitmap_and(parent->v2.cpus, parent->v2.cpus, top->cpus);
}

/* --- the way down: update_cpumasks_hier --- */

enum command { ENABLE, DISABLE, UPDATE, INVALIDATE };

static enum partition_error update_parent(struct cgroup *cgroup, enum command command, int wanted,
					  const struct bitmap *cpus);
static void update_down(struct cgroup *top, bool force);
static void remote_update(struct cgroup *cgroup, const struct bitmap *xcpus, bool privileged);

/*
 * compute_partition_effective_cpumask(): its own less what partitions below it have, which become invalid
 * where they must.
 */
static void partition_cpus(struct bitmap *cpus, struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	bool populated = is_populated(cgroup, NULL);
	struct cgroup *child;

	exclusive_cpus(cpus, cgroup, user_xcpus(cpuset), false);
	bitmap_and(cpus, cpus, active_cpus(cgroup));
	for_each_cpuset_child(child, cgroup) {
		struct cpuset *below = cpuset_of(child);
		int before = below->v2.state;

		if (!is_valid(below))
			continue;
		below->v2.error = PARTITION_OK;
		if (!bitmap_subset(below->v2.xcpus, cpuset->v2.xcpus))
			below->v2.error = PARTITION_CPUS;
		else if (populated && bitmap_subset(cpus, below->v2.xcpus))
			below->v2.error = PARTITION_NO_CPUS;
		if (below->v2.error) {
			below->v2.state = -before;
			note_state(below, before);
		} else {
			bitmap_andnot(cpus, cpus, below->v2.xcpus);
		}
	}
}

/* One cgroup of update_cpumasks_hier(). False: nothing changes below it either. */
static bool update_one(struct cgroup *cgroup, const struct cgroup *top, bool force)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);
	int before = cpuset->v2.state, state = before;
	bool remote = cpuset->v2.remote, ask_parent = false;
	LOCAL_MASK(cpus, cpuset->cpus->nr);

	if (remote && cgroup != top) {
		exclusive_cpus(cpus, cgroup, user_xcpus(cpuset), false);
		if (bitmap_equal(cpus, cpuset->v2.xcpus))
			return false;
		remote_update(cgroup, cpus, true);
		state = cpuset->v2.state;
		remote = state == before;
	}
	if (remote || (is_valid(parent) && is_valid(cpuset)))
		partition_cpus(cpus, cgroup);
	else
		effective_cpus(cpus, cgroup);
	if (!remote && is_valid(cpuset) && bitmap_empty(cpus))
		ask_parent = true;
	else if (!remote && !cpuset->v2.state && !force && bitmap_equal(cpus, cpuset->v2.cpus))
		return false;
	if (!remote && cgroup != top && before) {
		if (is_valid(parent)) {
			ask_parent = true;
		} else {
			state = is_valid(cpuset) ? -cpuset->v2.state : cpuset->v2.state;
			cpuset->v2.error =
				is_invalid(parent) ? PARTITION_PARENT_INVALID : PARTITION_NO_PARENT;
		}
	}
	if (ask_parent) {
		update_parent(cgroup, UPDATE, 0, NULL);
		state = cpuset->v2.state;
	}
	bitmap_copy(cpuset->v2.cpus, cpus);
	cpuset->v2.state = state;
	if (state > 0 || !bitmap_empty(cpuset->v2.exclusive))
		exclusive_cpus(cpuset->v2.xcpus, cgroup, user_xcpus(cpuset), false);
	if (state <= 0)
		reset_data(cgroup);
	note_state(cpuset, before);
	return true;
}

static void update_down(struct cgroup *top, bool force)
{
	struct cgroup *child;

	if (!update_one(top, top, force))
		return;
	for (struct cgroup *position = top->children ? cgroup_next_descendant(top, top) : NULL; position;) {
		bool skip =
			!cgroup_has_css(position, &cpuset_controller) || !update_one(position, top, force);

		/* Past what is below it, where nothing changes. */
		while (skip && (child = cgroup_next_descendant(position, position)))
			position = child;
		position = cgroup_next_descendant(position, top);
	}
}

/* update_sibling_cpumasks() */
static void update_siblings(struct cgroup *parent, const struct cgroup *except)
{
	struct cgroup *sibling;
	LOCAL_MASK(cpus, cpuset_of(parent)->cpus->nr);

	for_each_cpuset_child(sibling, parent) {
		if (sibling == except || is_valid(cpuset_of(sibling)))
			continue;
		effective_cpus(cpus, sibling);
		if (!bitmap_equal(cpus, cpuset_of(sibling)->v2.cpus))
			update_down(sibling, false);
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
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);

	if (bitmap_empty(cpus))
		return PARTITION_EMPTY;
	nocpu |= tasks_nocpu_error(cgroup, cpus);
	if (is_invalid(cpuset)) {
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
	const struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);

	if (nocpu) {
		if (is_valid(cpuset))
			exchange->adding = bitmap_and(exchange->add, xcpus, parent->v2.xcpus);
		return PARTITION_NO_CPUS;
	}
	if (!is_invalid(cpuset) || bitmap_empty(xcpus) || !bitmap_subset(xcpus, parent->v2.xcpus))
		return PARTITION_OK;
	if (!siblings_are_exclusive(cgroup))
		return PARTITION_NOT_EXCLUSIVE;
	exchange->deleting = bitmap_and(exchange->del, xcpus, parent->v2.cpus);
	return PARTITION_OK;
}

static enum partition_error exchange_enabled(struct cgroup *cgroup, bool nocpu, struct exchange *exchange)
{
	exclusive_cpus(exchange->del, cgroup, user_xcpus(cpuset_of(cgroup)), false);
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
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup), *top = top_of(cgroup);

	cpuset->v2.state = state;
	if (exchange->adding)
		give_back(top, parent, before, exchange->add);
	if (exchange->deleting)
		take_cpus(top, parent, state, exchange->del);
	if (exchange->adding || exchange->deleting)
		update_siblings(cgroup->parent, cgroup);
	note_state(cpuset, before);
}

/* `wanted` is the state for ENABLE; `cpus` the new list for UPDATE, or NULL. */
static enum partition_error update_parent(struct cgroup *cgroup, enum command command, int wanted,
					  const struct bitmap *cpus)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);
	const struct bitmap *xcpus = user_xcpus(cpuset);
	int before = cpuset->v2.state, state = before;
	enum partition_error error = PARTITION_OK;
	struct exchange exchange = {0};
	LOCAL_MASK(add, cpuset->cpus->nr);
	LOCAL_MASK(del, cpuset->cpus->nr);
	bool nocpu;

	exchange.add = add;
	exchange.del = del;
	if (command == INVALIDATE) {
		if (is_invalid(cpuset))
			return PARTITION_OK;
		if (is_valid(parent))
			exchange.adding = bitmap_and(add, xcpus, parent->v2.xcpus);
		state = before > 0 ? -before : before;
	} else {
		if (!is_valid(parent))
			return is_invalid(parent) ? PARTITION_PARENT_INVALID : PARTITION_NO_PARENT;
		if (!cpus && bitmap_empty(xcpus))
			return PARTITION_EMPTY;
		nocpu = tasks_nocpu_error(cgroup, xcpus);
		if (command == ENABLE) {
			error = exchange_enabled(cgroup, nocpu, &exchange);
			if (error)
				return error;
			state = wanted;
		} else if (command == DISABLE) {
			exchange.adding = is_valid(cpuset);
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
	if (command == UPDATE && (before > 0) == (error != PARTITION_OK))
		state = -before;
	if (!exchange.adding && !exchange.deleting && state == before)
		return PARTITION_OK;
	if (state != before && command != UPDATE) {
		error = set_exclusive_flag(cgroup, state);
		if (error)
			return error;
	}
	carry_out(cgroup, &exchange, before, state);
	if (state != before && command == UPDATE)
		set_exclusive_flag(cgroup, state);
	return PARTITION_OK;
}

/* --- remote partitions --- */

static enum partition_error remote_enable(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_of(cgroup);
	LOCAL_MASK(xcpus, cpuset->cpus->nr);

	if (!privileged)
		return PARTITION_ACCESS;
	exclusive_cpus(xcpus, cgroup, user_xcpus(cpuset), false);
	if (!bitmap_intersects(xcpus, top->cpus) || bitmap_subset(top->v2.cpus, xcpus))
		return PARTITION_CPUS;
	take_cpus(top, top, state, xcpus);
	cpuset->v2.remote = true;
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	cpuset->v2.error = PARTITION_OK;
	update_siblings(cgroup->hierarchy->root, NULL);
	return PARTITION_OK;
}

static void remote_disable(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_of(cgroup);

	cpuset->v2.remote = false;
	give_back(top, top, cpuset->v2.state, cpuset->v2.xcpus);
	cpuset->v2.state = cpuset->v2.error ? -cpuset->v2.state : PARTITION_MEMBER;
	exclusive_cpus(cpuset->v2.xcpus, cgroup, user_xcpus(cpuset), false);
	reset_data(cgroup);
	update_siblings(cgroup->hierarchy->root, NULL);
}

/* Its CPUs become these, or it becomes invalid. */
static void remote_update(struct cgroup *cgroup, const struct bitmap *xcpus, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *top = top_of(cgroup);
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
	if (cpuset->v2.error) {
		remote_disable(cgroup);
		return;
	}
	if (adding)
		take_cpus(top, top, cpuset->v2.state, add);
	if (bitmap_andnot(del, cpuset->v2.xcpus, xcpus))
		give_back(top, top, cpuset->v2.state, del);
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	update_siblings(cgroup->hierarchy->root, NULL);
}

/* --- writes --- */

/* Partitions beside it that have some of these CPUs become invalid. */
static void invalidate_siblings(struct cgroup *cgroup, const struct bitmap *cpus)
{
	struct cgroup *sibling;

	for_each_cpuset_child(sibling, cgroup->parent) {
		if (sibling != cgroup && is_valid(cpuset_of(sibling)) &&
		    bitmap_intersects(cpus, cpuset_of(sibling)->v2.xcpus))
			update_parent(sibling, INVALIDATE, 0, NULL);
	}
}

/* Whether a partition with these exclusive CPUs cannot be; its error then says why. */
static bool becomes_invalid(struct cgroup *cgroup, const struct bitmap *xcpus)
{
	struct cpuset *cpuset = cpuset_of(cgroup);

	if (!cpuset->v2.state)
		return false;
	if (bitmap_empty(xcpus))
		cpuset->v2.error = PARTITION_CPUS;
	else if (tasks_nocpu_error(cgroup, xcpus))
		cpuset->v2.error = PARTITION_NO_CPUS;
	else
		return false;
	return true;
}

/* update_cpumask() */
int partition_set_cpus(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int before = cpuset->v2.state, error;
	bool invalidate, force;
	LOCAL_MASK(xcpus, map->nr);

	if (bitmap_equal(cpuset->cpus, map))
		return 0;
	trial.cpus = (struct bitmap *)map;
	trial.v2.xcpus = xcpus;
	exclusive_cpus(xcpus, cgroup, before ? user_xcpus(&trial) : cpuset->v2.exclusive, true);
	invalidate = becomes_invalid(cgroup, xcpus);
	force = !bitmap_equal(cpuset->v2.xcpus, xcpus);
	error = validate(cgroup, &trial);
	if (error == -EINVAL) {
		invalidate = true;
		invalidate_siblings(cgroup, user_xcpus(&trial));
		error = 0;
	}
	if (error)
		return error;
	if (is_valid(cpuset) || (is_invalid(cpuset) && !invalidate)) {
		const struct bitmap *wanted = bitmap_empty(xcpus) && is_invalid(cpuset) ? map : xcpus;

		if (cpuset->v2.remote)
			remote_update(cgroup, wanted, true);
		else
			update_parent(cgroup, invalidate ? INVALIDATE : UPDATE, 0, wanted);
	}
	bitmap_copy(cpuset->cpus, map);
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	if (before > 0 && !is_valid(cpuset))
		reset_data(cgroup);
	update_down(cgroup, force);
	return 0;
}

/* update_exclusive_cpumask() */
int partition_set_exclusive(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int before = cpuset->v2.state, error;
	bool invalidate, force;
	LOCAL_MASK(xcpus, map->nr);

	if (bitmap_equal(cpuset->v2.exclusive, map))
		return 0;
	trial.v2.exclusive = (struct bitmap *)map;
	trial.v2.xcpus = xcpus;
	if (!bitmap_empty(map) && exclusive_cpus(xcpus, cgroup, map, true))
		return -EINVAL;
	force = !bitmap_equal(cpuset->v2.xcpus, xcpus);
	error = validate(cgroup, &trial);
	if (error)
		return error;
	if (before) {
		invalidate = becomes_invalid(cgroup, xcpus);
		if (cpuset->v2.remote && invalidate)
			remote_disable(cgroup);
		else if (cpuset->v2.remote)
			remote_update(cgroup, xcpus, true);
		else
			update_parent(cgroup, invalidate ? INVALIDATE : UPDATE, 0, xcpus);
	}
	bitmap_copy(cpuset->v2.exclusive, map);
	bitmap_copy(cpuset->v2.xcpus, xcpus);
	if (before > 0 && !is_valid(cpuset))
		reset_data(cgroup);
	if (is_valid(cpuset) || force)
		update_down(cgroup, force);
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
		if (!bitmap_and(cpuset->v2.mems, cpuset->mems, parent_of(position)->v2.mems))
			bitmap_copy(cpuset->v2.mems, parent_of(position)->v2.mems);
	}
}

int partition_set_mems(struct cgroup *cgroup, const struct bitmap *map)
{
	struct cpuset *cpuset = cpuset_of(cgroup), trial = *cpuset;
	int error;

	if (!bitmap_subset(map, top_of(cgroup)->mems))
		return -EINVAL;
	if (bitmap_equal(cpuset->mems, map))
		return 0;
	trial.mems = (struct bitmap *)map;
	error = validate(cgroup, &trial);
	if (error)
		return error;
	bitmap_copy(cpuset->mems, map);
	update_mems_down(cgroup);
	return 0;
}

/* What a member lacks to become a partition, or PARTITION_OK and it is one. */
static enum partition_error enable(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent = parent_of(cgroup);
	enum partition_error error;

	if (bitmap_empty(user_xcpus(cpuset)))
		return PARTITION_EMPTY;
	error = set_exclusive_flag(cgroup, state);
	if (error)
		return error;
	if (parent == top_of(cgroup) &&
	    bitmap_intersects(cpuset->v2.exclusive, top_of(cgroup)->top->subpartitions))
		return PARTITION_REMOTE_BELOW;
	return is_valid(parent) ? update_parent(cgroup, ENABLE, state, NULL)
				: remote_enable(cgroup, state, privileged);
}

/* update_prstate() */
void partition_set_state(struct cgroup *cgroup, int state, bool privileged)
{
	struct cpuset *cpuset = cpuset_of(cgroup);
	enum partition_error error = PARTITION_OK;
	int first = cpuset->v2.state, before = first;

	if (before == state)
		return;
	if (state && before < 0)
		before = PARTITION_MEMBER; /* an invalid one is treated as a member */
	if (!before)
		error = enable(cgroup, state, privileged);
	else if (!state && cpuset->v2.remote)
		remote_disable(cgroup);
	else if (!state)
		update_parent(cgroup, DISABLE, 0, NULL);
	else
		isolate(top_of(cgroup), state, cpuset->v2.xcpus);
	if (error) {
		state = -state;
		set_exclusive_flag(cgroup, state);
	}
	cpuset->v2.state = state;
	cpuset->v2.error = error;
	if (!is_valid(cpuset))
		reset_data(cgroup);
	update_down(cgroup, !state);
	if (first != cpuset->v2.state)
		cpuset->v2.turns++;
}

/* --- life, and the machine --- */

void partition_online(struct cgroup *cgroup)
{
	struct cpuset *cpuset = cpuset_of(cgroup), *parent;

	if (cgroup_is_root(cgroup))
		return;
	parent = parent_of(cgroup);
	bitmap_copy(cpuset->v2.cpus, parent->v2.cpus);
	bitmap_copy(cpuset->v2.mems, parent->v2.mems);
}

void partition_offline(struct cgroup *cgroup)
{
	if (!cgroup_is_root(cgroup) && is_valid(cpuset_of(cgroup)))
		partition_set_state(cgroup, PARTITION_MEMBER, true);
}

void partition_follow(struct cgroup *root)
{
	struct cpuset *top = cpuset_of(root);
	struct cgroup *child;

	bitmap_andnot(top->v2.cpus, top->cpus, top->top->subpartitions);
	bitmap_copy(top->v2.mems, top->mems);
	for_each_cpuset_child(child, root)
		update_down(child, true);
	update_mems_down(root);
}
