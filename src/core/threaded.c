/* SPDX-License-Identifier: MIT */
/* Domains and threaded cgroups of v2, by the rules and names of kernel/cgroup/cgroup.c. */
#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "lock.h"

bool cgroup_is_threaded(const struct cgroup *cgroup)
{
	assert_rwlocked(&cgroup_tree(cgroup)->lock);
	return cgroup->v2.domain != cgroup;
}

/* cgroup_is_mixable: the root may have both processes and children with controllers. */
static bool is_mixable(const struct cgroup *cgroup)
{
	return !cgroup->parent;
}

static bool has_populated_domain_children(const struct cgroup *cgroup)
{
	struct cgroup *child;

	cgroup_for_each_child(child, cgroup) {
		if (!cgroup_is_threaded(child) && group_is_populated(&child->group))
			return true;
	}
	return false;
}

unsigned hierarchy_threaded(const struct hierarchy *hierarchy, unsigned mask)
{
	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		if (!hierarchy->controllers[i]->threaded)
			mask &= ~(1u << i);
	}
	return mask;
}

unsigned cgroup_domain_controllers(const struct cgroup *cgroup)
{
	unsigned mask = cgroup->v2.subtree_control;

	return mask & ~hierarchy_threaded(cgroup->hierarchy, mask);
}

bool cgroup_can_be_thread_root(const struct cgroup *cgroup)
{
	if (is_mixable(cgroup))
		return true;
	return !cgroup_is_threaded(cgroup) && !has_populated_domain_children(cgroup) &&
	       !cgroup_domain_controllers(cgroup);
}

bool cgroup_is_thread_root(const struct cgroup *cgroup)
{
	if (cgroup_is_threaded(cgroup))
		return false;
	if (cgroup->v2.threaded_children)
		return true;
	return group_has_members((struct group *)&cgroup->group) &&
	       hierarchy_threaded(cgroup->hierarchy, cgroup->v2.subtree_control);
}

bool cgroup_is_valid_domain(const struct cgroup *cgroup)
{
	if (cgroup_is_threaded(cgroup))
		return false;
	while ((cgroup = cgroup->parent)) {
		if (!is_mixable(cgroup) && cgroup_is_thread_root(cgroup))
			return false;
		if (cgroup_is_threaded(cgroup))
			return false;
	}
	return true;
}

static bool is_below_a_root(const struct cgroup *cgroup, const struct cgroup *top)
{
	(void)top;
	return cgroup->parent;
}

/* Each cgroup holds its parent: those above need no other hold. */
void cgroup_settle_members(struct cgroup *cgroup)
{
	size_t count;
	struct cgroup **below = cgroup_hold_subtree(cgroup, is_below_a_root, &count);

	for (struct cgroup *up = cgroup->parent; up && up->parent; up = up->parent)
		group_is_busy(&up->group);
	for (size_t i = 0; i < count; i++)
		group_is_busy(&below[i]->group);
	cgroup_put_all(below, count);
}
