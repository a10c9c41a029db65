/* SPDX-License-Identifier: MIT */
/*
 * What is v2's alone: the files that every cgroup has, who may have children, who may move whom
 * (kernel/cgroup/cgroup.c).
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "inode.h"
#include "number.h"

/* --- cgroup.procs, cgroup.threads --- */

static int processes_measure(const struct request *request, struct text *out)
{
	return procs_list(request, out, true);
}

/* Its threads are the processes of its domain. */
static int processes_check(const struct request *request)
{
	return cgroup_is_threaded(request->cgroup) ? -EOPNOTSUPP : 0;
}

static int processes_act(const struct request *request, char *text)
{
	return procs_write(request, text, true);
}

static int threads_measure(const struct request *request, struct text *out)
{
	return procs_list(request, out, false);
}

static int threads_act(const struct request *request, char *text)
{
	return procs_write(request, text, false);
}

/* --- cgroup.type --- */

static int type_show(const struct request *request, struct text *out)
{
	const struct cgroup *cgroup = request->cgroup;

	if (cgroup_is_threaded(cgroup))
		text_add(out, "threaded\n");
	else if (!cgroup_is_valid_domain(cgroup))
		text_add(out, "domain invalid\n");
	else if (cgroup_is_thread_root(cgroup))
		text_add(out, "domain threaded\n");
	else
		text_add(out, "domain\n");
	return 0;
}

static int type_measure(const struct request *request, struct text *out)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	int error;

	cgroup_settle_members(request->cgroup);
	tree_read_lock(tree);
	error = type_show(request, out);
	tree_unlock(tree);
	return error;
}

/* cgroup_enable_threaded */
static int make_threaded(struct cgroup *cgroup)
{
	struct cgroup *domain = cgroup->parent->v2.domain, *position;

	if (cgroup_is_threaded(cgroup))
		return 0;
	if (group_is_populated(&cgroup->group) || cgroup_domain_controllers(cgroup))
		return -EOPNOTSUPP;
	if (!cgroup_is_valid_domain(domain) || !cgroup_can_be_thread_root(domain))
		return -EOPNOTSUPP;
	cgroup_for_each_descendant(position, cgroup) {
		if (position == cgroup || cgroup_is_threaded(position))
			position->v2.domain = domain;
	}
	cgroup->parent->v2.threaded_children++;
	/* It loses the controllers that are not for threads, which cannot fail. */
	return cgroup_apply_control(cgroup, cgroup->uid, cgroup->gid);
}

static int type_act(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int error;

	if (strcmp(text_strip(text), "threaded"))
		return -EINVAL;
	cgroup_settle_members(cgroup);
	tree_write_lock(tree);
	error = cgroup->dead ? -ENODEV : make_threaded(cgroup);
	tree_unlock(tree);
	return error;
}

/* --- cgroup.stat --- */

static unsigned count_css(struct cgroup *top, const struct controller *controller)
{
	struct cgroup *position;
	unsigned count = 0;

	cgroup_for_each_descendant(position, top)
		count += cgroup_has_css(position, controller);
	return count;
}

/* Dying ones, which only the kernel's caches keep, there are none. */
static int stat_show(const struct request *request, struct text *out)
{
	const struct hierarchy *hierarchy = request->cgroup->hierarchy;
	const struct controller *const *list = hierarchy->controllers;

	text_add_pair(out, "nr_descendants", (uint64_t)request->cgroup->v2.descendants);
	for (unsigned i = 0; list[i] && !list[i]->unlisted_on_dfl; i++)
		text_printf(out, "nr_subsys_%s %u\n", hierarchy->kind->name_of(list[i]),
			    count_css(request->cgroup, list[i]));
	text_add_pair(out, "nr_dying_descendants", 0);
	for (unsigned i = 0; list[i] && !list[i]->unlisted_on_dfl; i++)
		text_printf(out, "nr_dying_subsys_%s 0\n", hierarchy->kind->name_of(list[i]));
	return 0;
}

/* --- cgroup.max.depth, cgroup.max.descendants --- */

static int show_limit(int limit, struct text *out)
{
	if (limit == INT_MAX)
		text_add(out, "max");
	else
		text_add_u64(out, (uint64_t)limit);
	text_add(out, "\n");
	return 0;
}

static int parse_limit(char *text, int *limit)
{
	int value = INT_MAX;
	int error = 0;

	text = text_strip(text);
	if (strcmp(text, "max"))
		error = number_parse_int(text, 0, &value);
	if (!error && value < 0)
		error = -ERANGE;
	if (!error)
		*limit = value;
	return error;
}

static int max_depth_show(const struct request *request, struct text *out)
{
	return show_limit(request->cgroup->v2.max_depth, out);
}

static int max_depth_store(const struct request *request, char *text)
{
	return parse_limit(text, &request->cgroup->v2.max_depth);
}

static int max_descendants_show(const struct request *request, struct text *out)
{
	return show_limit(request->cgroup->v2.max_descendants, out);
}

static int max_descendants_store(const struct request *request, char *text)
{
	return parse_limit(text, &request->cgroup->v2.max_descendants);
}

/* --- cgroup.pressure: whether pressure is accounted, and its files are there --- */

static int pressure_show(const struct request *request, struct text *out)
{
	text_add_u64(out, !request->cgroup->v2.no_pressure);
	text_add(out, "\n");
	return 0;
}

static int pressure_store(const struct request *request, char *text)
{
	int on, error = number_parse_int(text_strip(text), 0, &on);

	if (error)
		return error;
	if (on < 0 || on > 1)
		return -ERANGE;
	request->cgroup->v2.no_pressure = !on;
	cgroup_tree(request->cgroup)->files_gone += !on;
	return 0;
}

static const struct cftype base_files[] = {
	{.name = "type", .flags = CFTYPE_NOT_ON_ROOT, .measure = type_measure, .act = type_act},
	{.name = "procs", .flags = CFTYPE_NS_DELEGATABLE, .measure = processes_measure,
	 .check = processes_check, .act = processes_act},
	{.name = "threads", .flags = CFTYPE_NS_DELEGATABLE, .measure = threads_measure, .act = threads_act},
	{.name = "controllers", .show = subtree_controllers_show},
	{.name = "subtree_control", .flags = CFTYPE_NS_DELEGATABLE, .show = subtree_control_show,
	 .act = subtree_control_act},
	{.name = "max.descendants", .show = max_descendants_show, .store = max_descendants_store},
	{.name = "max.depth", .show = max_depth_show, .store = max_depth_store},
	{.name = "stat", .show = stat_show},
	{.name = "pressure", .show = pressure_show, .store = pressure_store},
	{0},
};

/* --- the kind --- */

static const struct cftype *files_of(const struct controller *controller)
{
	return controller->dfl_files;
}

static const char *name_of(const struct controller *controller)
{
	return controller->dfl_name ? controller->dfl_name : controller->name;
}

/* cgroup_check_hierarchy_limits */
static int may_have_child(const struct cgroup *parent)
{
	int level = 0;

	for (const struct cgroup *up = parent; up; up = up->parent, level++) {
		if (up->v2.descendants >= up->v2.max_descendants || level >= up->v2.max_depth)
			return -EAGAIN;
	}
	return 0;
}

static void init(struct cgroup *cgroup)
{
	cgroup->v2.domain = cgroup;
	cgroup->v2.max_depth = cgroup->v2.max_descendants = INT_MAX;
}

static void leave_path(struct cgroup *cgroup)
{
	struct text path = {0};

	cgroup_add_path(cgroup, &path);
	text_add_bytes(&path, "", 1);
	if (!path.error)
		group_leave_path(&cgroup->group, path.data);
	text_free(&path);
}

static void linked(struct cgroup *cgroup, bool is_linked)
{
	if (!is_linked && cgroup->parent)
		leave_path(cgroup);
	for (struct cgroup *up = cgroup->parent; up; up = up->parent)
		up->v2.descendants += is_linked ? 1 : -1;
	/* Without the lock where the whole tree goes: not by cgroup_is_threaded. */
	if (!is_linked && cgroup->parent && cgroup->v2.domain != cgroup)
		cgroup->parent->v2.threaded_children--;
}

/* Whose the task is does not matter: the way to the common ancestor does (may_write). */
static int may_move_task(const struct caller *caller, const struct machine_task_status *status)
{
	(void)caller;
	(void)status;
	return 0;
}

static bool is_descendant(const struct cgroup *cgroup, const struct cgroup *ancestor)
{
	while (cgroup && cgroup != ancestor)
		cgroup = cgroup->parent;
	return cgroup;
}

/* With nsdelegate nobody is moved out of the opener's namespace, nor into it. */
static int may_cross(const struct caller *caller, const struct cgroup *from, const struct cgroup *to)
{
	const struct cgroup *root = caller->namespace;

	if (!root || !(cgroup_tree(to)->root_flags & CGROUP_NSDELEGATE))
		return 0;
	return is_descendant(from, root) && is_descendant(to, root) ? 0 : -ENOENT;
}

/* cgroup_procs_write_permission: the opener must be able to write the common ancestor's cgroup.procs. */
static int may_write(const struct caller *caller, struct cgroup *from, const struct cgroup *to)
{
	struct cgroup *common = from;
	struct cgroup_file *file;
	struct node node;
	struct stat st;

	while (!is_descendant(to, common))
		common = common->parent;
	HASH_FIND_STR(common->hierarchy->file_table, "cgroup.procs", file);
	node = (struct node){.cgroup = common, .file = file};
	inode_stat(cgroup_tree(common), &node, &st);
	if (caller->uid == 0 || (caller->uid == st.st_uid ? st.st_mode & S_IWUSR :
				 caller->gid == st.st_gid ? st.st_mode & S_IWGRP : st.st_mode & S_IWOTH))
		return may_cross(caller, from, to);
	return -EACCES;
}

/* cgroup_migrate_vet_dst */
static int may_host(const struct cgroup *cgroup)
{
	if (!cgroup_is_valid_domain(cgroup->v2.domain))
		return -EOPNOTSUPP;
	if (cgroup_can_be_thread_root(cgroup) || cgroup_is_threaded(cgroup))
		return 0;
	return cgroup->v2.subtree_control ? -EBUSY : 0;
}

/* cgroup_attach_permissions */
static int may_move(const struct move *move)
{
	struct cgroup *from = cgroup_of_task(move->cgroup->hierarchy, move->named);
	int error = may_write(move->caller, from, move->cgroup);

	if (!error)
		error = may_host(move->cgroup);
	if (!error && !move->process && from->v2.domain != move->cgroup->v2.domain)
		error = -EOPNOTSUPP;
	return error;
}

/* Appends the members of the next cgroup of a threaded subtree. */
static int add_members(struct cgroup *cgroup, struct task_list *list)
{
	struct task_list more;
	struct task_id *tasks;
	int error = accounting_list(&cgroup->group, &more);

	if (error)
		return error;
	tasks = reallocarray(list->tasks, list->count + more.count + 1, sizeof(*tasks));
	if (tasks) {
		list->tasks = tasks;
		if (more.count)
			memcpy(tasks + list->count, more.tasks, more.count * sizeof(*tasks));
		list->count += more.count;
		list->capacity = list->count + 1;
	}
	free(more.tasks);
	return tasks ? 0 : -ENOMEM;
}

static bool has_domain(const struct cgroup *cgroup, const struct cgroup *domain)
{
	return cgroup->v2.domain == domain;
}

/* A domain's cgroup.procs has all processes of its threads (cgroup_procs_start, CSS_TASK_ITER_THREADED). */
static int members(struct cgroup *cgroup, bool process, struct task_list *list)
{
	struct tree *tree = cgroup_tree(cgroup);
	struct cgroup **cgroups;
	bool is_threaded, has_threads_below;
	size_t count;
	int error = 0;

	*list = (struct task_list){0};
	tree_read_lock(tree);
	is_threaded = cgroup_is_threaded(cgroup);
	has_threads_below = cgroup->v2.threaded_children;
	tree_unlock(tree);
	if (process && is_threaded)
		return -EOPNOTSUPP;
	if (!process || !has_threads_below)
		return accounting_list(&cgroup->group, list);
	cgroups = cgroup_hold_subtree(cgroup, has_domain, &count);
	if (!cgroups)
		return -ENOMEM;
	for (size_t i = 0; i < count && !error; i++)
		error = add_members(cgroups[i], list);
	cgroup_put_all(cgroups, count);
	if (error) {
		free(list->tasks);
		*list = (struct task_list){0};
	}
	return error;
}

const struct hierarchy_kind hierarchy_v2 = {
	.base_files = base_files,
	.files_of = files_of,
	.name_of = name_of,
	.controllers_of = cgroup_v2_controllers,
	.may_have_child = may_have_child,
	.init = init,
	.linked = linked,
	.may_move_task = may_move_task,
	.may_move = may_move,
	.members = members,
	.save = cgroup_v2_save,
	.restore = cgroup_v2_restore,
};
