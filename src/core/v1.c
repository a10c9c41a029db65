/* SPDX-License-Identifier: MIT */
/* What is v1's alone: the files that every cgroup has, who may move whom (kernel/cgroup/cgroup-v1.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "machine_task.h"
#include "number.h"

#define RELEASE_AGENT_LIMIT 4095 /* PATH_MAX - 1 */

static int processes_measure(const struct request *request, struct text *out)
{
	return procs_list(request, out, true);
}

static int processes_act(const struct request *request, char *text)
{
	return procs_write(request, text, true);
}

static int tasks_measure(const struct request *request, struct text *out)
{
	return procs_list(request, out, false);
}

static int tasks_act(const struct request *request, char *text)
{
	return procs_write(request, text, false);
}

static uint64_t clone_children_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cgroup->clone_children;
}

static int clone_children_write(struct cgroup *cgroup, const struct cgroup_file *file,
				uint64_t value)
{
	(void)file;
	cgroup->clone_children = value != 0;
	return 0;
}

static uint64_t notify_on_release_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cgroup->notify_on_release;
}

static int notify_on_release_write(struct cgroup *cgroup, const struct cgroup_file *file,
				   uint64_t value)
{
	(void)file;
	cgroup->notify_on_release = value != 0;
	return 0;
}

/* 0 on every v1 hierarchy; the file went with __DEVEL__sane_behavior but clients still look. */
static uint64_t sane_behavior_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 0;
}

/* Stored and shown only: running a program of a writer's choice as root is not this daemon's to do. */
static int release_agent_show(const struct request *request, struct text *out)
{
	const char *agent = request->cgroup->hierarchy->release_agent;

	text_add(out, agent ? agent : "");
	text_add(out, "\n");
	return 0;
}

static int release_agent_store(const struct request *request, char *text)
{
	struct hierarchy *hierarchy = request->cgroup->hierarchy;
	char *copy;

	if (request->caller.uid != 0)
		return -EPERM; /* CAP_SYS_ADMIN in the initial user namespace */
	copy = strdup(text_strip(text));
	if (!copy)
		return -ENOMEM;
	free(hierarchy->release_agent);
	hierarchy->release_agent = copy;
	return 0;
}

static const struct cftype base_files[] = {
	{.name = "procs", .measure = processes_measure, .act = processes_act},
	{.name = "clone_children", .read_u64 = clone_children_read, .write_u64 = clone_children_write},
	{.name = "sane_behavior", .flags = CFTYPE_ONLY_ON_ROOT, .read_u64 = sane_behavior_read},
	{.name = "tasks", .flags = CFTYPE_NO_PREFIX, .measure = tasks_measure, .act = tasks_act},
	{.name = "notify_on_release", .flags = CFTYPE_NO_PREFIX, .read_u64 = notify_on_release_read,
	 .write_u64 = notify_on_release_write},
	{.name = "release_agent", .flags = CFTYPE_NO_PREFIX | CFTYPE_ONLY_ON_ROOT,
	 .max_write_len = RELEASE_AGENT_LIMIT, .show = release_agent_show, .store = release_agent_store},
	{0},
};

static const struct cftype *files_of(const struct controller *controller)
{
	return controller->legacy_files;
}

static const char *name_of(const struct controller *controller)
{
	return controller->name;
}

static unsigned controllers_of(const struct cgroup *cgroup)
{
	(void)cgroup;
	return ~0u; /* the hierarchy's one */
}

static int may_have_child(const struct cgroup *parent)
{
	(void)parent;
	return 0;
}

/* cgroup1_procs_write: the opener must be root, or the task's real or saved user. */
static int may_move_task(const struct caller *caller, const struct machine_task_status *status)
{
	if (caller->uid == 0 || caller->uid == status->uid[0] || caller->uid == status->uid[2])
		return 0;
	return -EACCES;
}

static int may_move(const struct move *move)
{
	(void)move;
	return 0;
}

static int members(struct cgroup *cgroup, bool process, struct task_list *list)
{
	(void)process;
	return accounting_list(&cgroup->group, list);
}

const struct hierarchy_kind hierarchy_v1 = {
	.base_files = base_files,
	.files_of = files_of,
	.name_of = name_of,
	.renames = true,
	.controllers_of = controllers_of,
	.may_have_child = may_have_child,
	.may_move_task = may_move_task,
	.may_move = may_move,
	.members = members,
};
