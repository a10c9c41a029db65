/* SPDX-License-Identifier: MIT */
/* Which controllers a v2 cgroup has and hands on to its children (kernel/cgroup/cgroup.c). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "inode.h"
#include "lock.h"
#include "number.h"

static unsigned implicit_controllers(const struct hierarchy *hierarchy)
{
	unsigned mask = 0;

	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		if (hierarchy->controllers[i]->implicit_on_dfl || hierarchy->controllers[i]->unlisted_on_dfl)
			mask |= 1u << i;
	}
	return mask;
}

static unsigned all_controllers(const struct hierarchy *hierarchy)
{
	unsigned count = 0;

	while (hierarchy->controllers[count])
		count++;
	return (unsigned)((UINT64_C(1) << count) - 1);
}

unsigned cgroup_control(const struct cgroup *cgroup)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	unsigned mask;

	if (!cgroup->parent)
		return all_controllers(hierarchy) & ~implicit_controllers(hierarchy);
	mask = cgroup->parent->v2.subtree_control;
	return cgroup_is_threaded(cgroup) ? hierarchy_threaded(hierarchy, mask) : mask;
}

unsigned cgroup_v2_controllers(const struct cgroup *cgroup)
{
	return cgroup_control(cgroup) | implicit_controllers(cgroup->hierarchy);
}

static int show_names(const struct cgroup *cgroup, unsigned mask, struct text *out)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	const char *separator = "";

	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		if (!(mask >> i & 1))
			continue;
		text_add(out, separator);
		text_add(out, hierarchy->kind->name_of(hierarchy->controllers[i]));
		separator = " ";
	}
	if (mask)
		text_add(out, "\n");
	return 0;
}

int subtree_controllers_show(const struct request *request, struct text *out)
{
	return show_names(request->cgroup, cgroup_control(request->cgroup), out);
}

int subtree_control_show(const struct request *request, struct text *out)
{
	return show_names(request->cgroup, request->cgroup->v2.subtree_control, out);
}

/* --- applying: cgroup_apply_control_enable, cgroup_apply_control_disable --- */

static bool is_online(const struct cgroup *cgroup, unsigned position)
{
	const struct css *css = cgroup->css[position];

	return css && css->online;
}

static int enable_one(struct cgroup *cgroup, unsigned position, uid_t uid, gid_t gid)
{
	int error;

	if (is_online(cgroup, position)) {
		if (cgroup_v2_controllers(cgroup) >> position & 1 && !cgroup->css[position]->visible)
			css_show(cgroup, position, uid, gid);
		return 0;
	}
	error = css_create(cgroup, position, uid, gid);
	if (!error)
		css_set_online(cgroup, position, true);
	return error;
}

static int enable(struct cgroup *top, uid_t uid, gid_t gid)
{
	struct cgroup *position;

	cgroup_for_each_descendant(position, top) {
		unsigned wanted = hierarchy_with_needed(top->hierarchy, cgroup_v2_controllers(position));

		for (unsigned i = 0; wanted >> i; i++) {
			int error = wanted >> i & 1 ? enable_one(position, i, uid, gid) : 0;

			if (error)
				return error;
		}
	}
	return 0;
}

/* Its state goes too, unless another controller needs that. */
static void disable_one(struct cgroup *cgroup, unsigned position, bool needed)
{
	if (!cgroup->css[position]->visible && needed)
		return;
	if (needed)
		css_hide(cgroup->css[position]);
	else
		css_set_online(cgroup, position, false);
	cgroup_tree(cgroup)->files_gone++;
	inode_forget_files(cgroup, cgroup->hierarchy->controllers[position]);
}

/* What is below goes first (cgroup_for_each_live_descendant_post). */
static void disable(struct cgroup *cgroup)
{
	unsigned wanted = cgroup_v2_controllers(cgroup);
	unsigned needed = hierarchy_with_needed(cgroup->hierarchy, wanted);
	struct cgroup *child;

	cgroup_for_each_child(child, cgroup)
		disable(child);
	for (unsigned i = 0; cgroup->hierarchy->controllers[i]; i++) {
		if (!(wanted >> i & 1) && is_online(cgroup, i))
			disable_one(cgroup, i, needed >> i & 1);
	}
}

int cgroup_apply_control(struct cgroup *cgroup, uid_t uid, gid_t gid)
{
	int error;

	assert_write_locked(&cgroup_tree(cgroup)->lock);
	error = enable(cgroup, uid, gid);
	if (!error)
		disable(cgroup);
	return error;
}

/* --- cgroup.subtree_control: cgroup_subtree_control_write --- */

struct change {
	unsigned enable, disable;
	unsigned start; /* whose states the children get by it */
};

/* The position of the controller, or -1. Implicit ones have names too. */
static int find_position(const struct hierarchy *hierarchy, const char *name)
{
	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		const struct controller *controller = hierarchy->controllers[i];

		if (!controller->unlisted_on_dfl && !strcmp(hierarchy->kind->name_of(controller), name))
			return (int)i;
	}
	return -1;
}

/* "+memory -io": the last word on a controller counts. */
static int parse(const struct hierarchy *hierarchy, char *text, struct change *change)
{
	char *word;

	*change = (struct change){0};
	while ((word = strsep(&text, " "))) {
		int position;

		if (!*word)
			continue;
		position = find_position(hierarchy, word + 1);
		if (position < 0 || (*word != '+' && *word != '-'))
			return -EINVAL;
		change->enable &= ~(1u << position);
		change->disable &= ~(1u << position);
		if (*word == '+')
			change->enable |= 1u << position;
		else
			change->disable |= 1u << position;
	}
	return 0;
}

/* Leaves what is so already out. The first controller that cannot be changed says why. */
static int check_hierarchy(const struct cgroup *cgroup, struct change *change)
{
	unsigned now = cgroup->v2.subtree_control, missing, busy = 0;
	struct cgroup *child;

	change->enable &= ~now;
	change->disable &= now;
	missing = change->enable & ~cgroup_control(cgroup);
	cgroup_for_each_child(child, cgroup)
		busy |= child->v2.subtree_control & change->disable;
	if (!(missing | busy))
		return 0;
	return missing && (!busy || ffs((int)missing) < ffs((int)busy)) ? -ENOENT : -EBUSY;
}

/* cgroup_vet_subtree_control_enable */
static int check_members(struct cgroup *cgroup, unsigned enabled)
{
	unsigned domain = enabled & ~hierarchy_threaded(cgroup->hierarchy, enabled);

	if (!enabled)
		return 0;
	if (!cgroup_is_valid_domain(cgroup->v2.domain))
		return -EOPNOTSUPP;
	if (!cgroup->parent)
		return 0;
	if (domain && (cgroup_is_thread_root(cgroup) || cgroup_is_threaded(cgroup)))
		return -EOPNOTSUPP;
	if (!domain && (cgroup_can_be_thread_root(cgroup) || cgroup_is_threaded(cgroup)))
		return 0;
	return group_has_members(&cgroup->group) ? -EBUSY : 0;
}

static int store(struct cgroup *cgroup, struct change *change, const struct caller *caller)
{
	unsigned before = cgroup->v2.subtree_control;
	int error = cgroup->dead ? -ENODEV : check_hierarchy(cgroup, change);

	if (!error)
		error = check_members(cgroup, change->enable);
	if (error || !(change->enable | change->disable))
		return error;
	cgroup->v2.subtree_control = (before | change->enable) & ~change->disable;
	change->start = hierarchy_with_needed(cgroup->hierarchy, cgroup->v2.subtree_control) &
			~hierarchy_with_needed(cgroup->hierarchy, before);
	error = cgroup_apply_control(cgroup, caller->task_uid, caller->gid);
	if (error) {
		cgroup->v2.subtree_control = before;
		disable(cgroup); /* those that were made */
	}
	return error;
}

static bool is_child(const struct cgroup *cgroup, const struct cgroup *top)
{
	return cgroup->parent == top;
}

static void start_css(struct cgroup *cgroup, unsigned position)
{
	struct tree *tree = cgroup_tree(cgroup);
	struct css *css;

	tree_read_lock(tree);
	css = is_online(cgroup, position) ? css_get(cgroup->css[position]) : NULL;
	tree_unlock(tree);
	if (css && css->controller->css_start)
		css->controller->css_start(cgroup, css->state);
	css_put(css);
}

/* Those whose states are new in the children begin to count: looks at processes. */
static void start(struct cgroup *cgroup, unsigned started)
{
	struct cgroup **children;
	size_t count = 0;

	children = started ? cgroup_hold_subtree(cgroup, is_child, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		for (unsigned position = 0; started >> position; position++) {
			if (started >> position & 1)
				start_css(children[i], position);
		}
	}
	cgroup_put_all(children, count);
}

int subtree_control_act(const struct request *request, char *text)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct change change;
	int error = parse(request->cgroup->hierarchy, text_strip(text), &change);

	if (error)
		return error;
	cgroup_settle_members(request->cgroup);
	tree_write_lock(tree);
	error = store(request->cgroup, &change, &request->caller);
	tree_unlock(tree);
	if (!error)
		start(request->cgroup, change.start);
	return error;
}
