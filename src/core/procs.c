/* SPDX-License-Identifier: MIT */
/* cgroup.procs and tasks: who is in a cgroup, and moving in (kernel/cgroup/cgroup.c, cgroup-v1.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "log.h"
#include "machine_task.h"
#include "number.h"
#include "pid_namespace.h"

#define KTHREADD 2
#define PF_NO_SETAFFINITY 0x04000000u /* linux/sched.h */

static int compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

/* Sorted and each number once, as pidlist_uniq. Numbers that the reader does not see are 0 and go. */
static void print_pids(struct text *out, pid_t *pids, size_t count)
{
	pid_t last = 0;

	qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == last)
			continue;
		last = pids[i];
		text_add_u64(out, (uint64_t)last);
		text_add_bytes(out, "\n", 1);
	}
}

int procs_list(const struct request *request, struct text *out, bool process)
{
	const struct machine *machine = cgroup_tree(request->cgroup)->machine;
	struct pid_namespace space = pid_namespace_of(machine, request->caller.tid);
	struct task_list list;
	pid_t *pids;
	int error = request->cgroup->hierarchy->kind->members(request->cgroup, process, &list);

	if (error)
		return error;
	pids = calloc(list.count ? list.count : 1, sizeof(*pids));
	if (pids) {
		for (size_t i = 0; i < list.count; i++) {
			const struct task_id *task = &list.tasks[i];

			if (space.level)
				pids[i] = pid_namespace_show(machine, &space, task->tid, process);
			else
				pids[i] = process ? task->tgid : task->tid;
		}
		print_pids(out, pids, list.count);
	}
	free(pids);
	free(list.tasks);
	return pids ? 0 : -ENOMEM;
}

/*
 * The task a writer names, in the daemon's numbers; 0 is the writer itself. One outside of them has numbers
 * of his own.
 */
static int find_task(const struct machine *machine, const struct caller *caller, const char *text,
		     pid_t *tid)
{
	struct pid_namespace space;
	int error = number_parse_int(text, 0, tid);

	if (error || *tid < 0)
		return -EINVAL;
	if (!*tid || !caller->tid) {
		*tid = caller->tid;
		return *tid ? 0 : -ESRCH;
	}
	space = pid_namespace_of(machine, caller->tid);
	if (space.error)
		return space.error;
	if (space.level)
		*tid = pid_namespace_find(machine, &space, *tid);
	return *tid ? 0 : -ESRCH;
}

/* Who it is, and whether it is exiting. */
static int read_task(const struct machine *machine, pid_t tgid, pid_t tid, struct task_id *id, bool *exiting)
{
	struct machine_task_stat stat;
	int error = machine_task_stat(machine, tgid, tid, &stat);

	*id = (struct task_id){.tid = tid, .tgid = tgid};
	*exiting = false;
	if (error == -EBUSY)
		return task_id_of_hung(machine, id);
	if (!error) {
		id->start_time = stat.starttime;
		*exiting = id->start_time && (stat.state == 'Z' || stat.state == 'X');
	}
	return error;
}

static int add_task(const struct machine *machine, struct task_list *list, pid_t tgid, pid_t tid)
{
	struct task_id id;
	bool exiting;
	int error = read_task(machine, tgid, tid, &id, &exiting);

	if (!error && !exiting) /* those are passed over (cgroup_migrate_add_task) */
		list->tasks[list->count++] = id;
	return error == -ESRCH ? 0 : error;
}

/* The threads that move: one, or all of its process. */
static int collect_tasks(const struct machine *machine, pid_t tgid, pid_t tid, bool process,
			 struct task_list *list)
{
	struct machine_ids threads = {0};
	int error = process ? machine_tids(machine, tgid, &threads) : 0;

	if (error)
		return error;
	list->capacity = threads.nr ? threads.nr : 1;
	list->tasks = calloc(list->capacity, sizeof(*list->tasks));
	if (!list->tasks)
		error = -ENOMEM;
	else if (!process)
		error = add_task(machine, list, tgid, tid);
	for (size_t i = 0; i < threads.nr && !error; i++)
		error = add_task(machine, list, tgid, threads.id[i]);
	machine_ids_free(&threads);
	return error;
}

/* Kernel threads that must stay where they are. */
static int check_kernel_thread(const struct machine *machine, pid_t tgid, pid_t tid)
{
	struct machine_task_stat stat;
	int error = machine_task_stat(machine, tgid, tid, &stat);

	if (error)
		return error == -EBUSY ? 0 : error; /* a kernel thread has nothing to hang over */
	if (stat.flags & PF_NO_SETAFFINITY)
		return -EINVAL;
	if (tid == KTHREADD && (stat.flags & MACHINE_TASK_KTHREAD))
		return -EINVAL; /* no_cgroup_migration */
	return 0;
}

/* Who is there already does not move, and nobody is asked (cgroup_migrate_prepare_dst). */
static void drop_members(struct cgroup *cgroup, struct task_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!group_has_task(&cgroup->group, &list->tasks[i]))
			list->tasks[kept++] = list->tasks[i];
	}
	list->count = kept;
}

struct cgroup *cgroup_of_task(const struct hierarchy *hierarchy, const struct task_id *task)
{
	struct group *group = accounting_group_of(hierarchy->tree->accounting, hierarchy->index, task);

	return group ? cgroup_of_group(group) : hierarchy->root;
}

/*
 * A controller of a hierarchy that tasks come to: where it has them from now on, and which come from
 * elsewhere.
 */
struct arrival {
	const struct controller *controller;
	struct cgroup *cgroup; /* the nearest in which it is enabled */
	struct task_list tasks;
};

/*
 * Who changes css: where a controller is not enabled, its tasks stay with the nearest ancestor in which
 * it is (cgroup_migrate_prepare_dst). -ENOMEM.
 */
static int arrival_init(struct arrival *arrival, const struct controller *controller,
			const struct move *move)
{
	arrival->controller = controller;
	arrival->cgroup = cgroup_effective(move->cgroup, controller);
	arrival->tasks = (struct task_list){.tasks = calloc(move->tasks->count, sizeof(struct task_id))};
	if (!arrival->tasks.tasks)
		return -ENOMEM;
	for (size_t i = 0; i < move->tasks->count; i++) {
		const struct task_id *task = &move->tasks->tasks[i];
		struct cgroup *from = cgroup_of_task(move->cgroup->hierarchy, task);

		if (cgroup_effective(from, controller) != arrival->cgroup)
			arrival->tasks.tasks[arrival->tasks.count++] = *task;
	}
	return 0;
}

/* Asks the controllers from `controller` on, moves when none refuses, and tells them. */
static int attach_to_rest(const struct controller *const *controller, const struct move *move)
{
	struct arrival arrival;
	int error;

	while (*controller && !(*controller)->can_attach && !(*controller)->attach)
		controller++;
	if (!*controller) {
		error = cgroup_native_attach(move);
		return error ? error : accounting_move(&move->cgroup->group, move->tasks->tasks,
						       move->tasks->count);
	}
	error = arrival_init(&arrival, *controller, move);
	if (!error && arrival.tasks.count && (*controller)->can_attach)
		error = (*controller)->can_attach(arrival.cgroup, &arrival.tasks, move->caller);
	if (!error)
		error = attach_to_rest(controller + 1, move);
	if (!error && arrival.tasks.count && (*controller)->attach)
		(*controller)->attach(arrival.cgroup, &arrival.tasks);
	free(arrival.tasks.tasks);
	return error;
}

/*
 * Moves those of the list, and of a process the threads, too, that were made since it was listed: in the
 * kernel it cannot fork meanwhile (cgroup_threadgroup_rwsem). *moved: how many.
 */
static int attach(struct cgroup *cgroup, const struct task_id *named, struct task_list *list,
		  const struct caller *caller, bool process, size_t *moved)
{
	const struct move move = {cgroup, named, list, caller, process};
	int error = cgroup->dead ? -ENODEV : cgroup->hierarchy->kind->may_move(&move);

	if (error)
		return error;
	drop_members(cgroup, list);
	do {
		if (list->count)
			error = attach_to_rest(cgroup->hierarchy->controllers, &move);
		*moved += list->count;
		list->count = 0;
		if (!error && process)
			error = group_list_left(&cgroup->group, named->tgid, list);
	} while (!error && list->count);
	return error;
}

/* -d; under the tree lock. `count` tasks have moved. */
static void tell_attached(const struct cgroup *cgroup, pid_t tid, size_t count, int error)
{
	struct text path = {0};

	if (!log_is_debug())
		return;
	cgroup_add_path(cgroup, &path);
	log_debug("attach: process or task %d to %s:%.*s: %s (%zu tasks)", tid, cgroup->hierarchy->name,
		  (int)path.len, path.data, error ? strerror(-error) : "done", count);
	text_free(&path);
}

int procs_write(const struct request *request, char *text, bool process)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct machine_task_status status;
	struct task_list list = {0};
	struct task_id named;
	size_t moved = 0;
	bool exiting;
	pid_t tid;
	int error = find_task(tree->machine, &request->caller, text_strip(text), &tid);

	if (!error)
		error = machine_task_status(tree->machine, tid, 0, &status);
	if (error)
		return error == -ENOENT ? -ESRCH : error;
	if (process)
		tid = status.tgid;
	error = check_kernel_thread(tree->machine, status.tgid, tid);
	if (!error)
		error = request->cgroup->hierarchy->kind->may_move_task(&request->caller, &status);
	if (!error)
		error = read_task(tree->machine, status.tgid, tid, &named, &exiting);
	if (!error)
		error = collect_tasks(tree->machine, status.tgid, tid, process, &list);
	if (!error)
		error = accounting_settle(tree->accounting, list.tasks, list.count);
	if (!error)
		error = group_recount(&request->cgroup->group);
	if (!error) { /* what none of which can move is refused all the same */
		tree_write_lock(tree);
		error = attach(request->cgroup, &named, &list, &request->caller, process, &moved);
		tell_attached(request->cgroup, tid, moved, error);
		tree_unlock(tree);
	}
	free(list.tasks);
	return error;
}
