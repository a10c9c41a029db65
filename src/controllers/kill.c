/* SPDX-License-Identifier: MIT */
/* cgroup.kill of v2: ends all processes of a cgroup and below (kernel/cgroup/cgroup.c cgroup_kill_write). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "cgroup.h"
#include "controller.h"
#include "machine_task.h"
#include "number.h"

#define ROUNDS 100 /* in which those are looked for whom the dying have forked meanwhile */

/* Whom we have signalled already: pid and start, in no order. */
struct killed {
	struct task_id *tasks;
	size_t count, capacity;
};

static bool is_killed(const struct killed *killed, const struct task_id *task)
{
	for (size_t i = 0; i < killed->count; i++) {
		if (killed->tasks[i].tid == task->tid && killed->tasks[i].start_time == task->start_time)
			return true;
	}
	return false;
}

static int note_killed(struct killed *killed, const struct task_id *task)
{
	struct task_id *tasks = array_room(killed->tasks, killed->count, &killed->capacity, sizeof(*tasks));

	if (!tasks)
		return -ENOMEM;
	killed->tasks = tasks;
	tasks[killed->count++] = *task;
	return 0;
}

/* A thread ends with its process, whose start is its leader's. */
static void kill_process(const struct machine *machine, const struct task_id *task)
{
	struct machine_task_stat leader;
	uint64_t start_time = task->start_time;

	if (task->tid != task->tgid) {
		if (machine_task_stat(machine, task->tgid, 0, &leader))
			return;
		start_time = leader.starttime;
	}
	machine_process_signal(machine, task->tgid, start_time, SIGKILL);
}

/* Signals who has not been. *found: there was one. Neither this process nor the first of all is ended. */
static int kill_members(struct cgroup *cgroup, struct killed *killed, bool *found)
{
	const struct machine *machine = cgroup_tree(cgroup)->machine;
	struct task_list list;
	int error = accounting_list(&cgroup->group, &list);

	for (size_t i = 0; i < list.count && !error; i++) {
		const struct task_id *task = &list.tasks[i];

		if (task->tgid == getpid() || task->tgid == 1 || is_killed(killed, task))
			continue;
		*found = true;
		kill_process(machine, task);
		error = note_killed(killed, task);
	}
	free(list.tasks);
	return error;
}

static int kill_all(struct cgroup *top)
{
	struct killed killed = {0};
	struct cgroup **list;
	bool found = true;
	size_t count;
	int error = 0;

	for (unsigned i = 0; i < ROUNDS && found && !error; i++) {
		found = false;
		list = cgroup_hold_subtree(top, NULL, &count);
		error = list ? 0 : -ENOMEM;
		for (size_t j = 0; j < count && !error; j++)
			error = kill_members(list[j], &killed, &found);
		cgroup_put_all(list, count);
	}
	free(killed.tasks);
	return error;
}

static int kill_act(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int number, error = number_parse_int(text_strip(text), 0, &number);
	bool threaded;

	if (error)
		return error;
	if (number != 1)
		return -ERANGE;
	tree_read_lock(tree);
	threaded = cgroup->v2.domain != cgroup;
	tree_unlock(tree);
	return threaded ? -EOPNOTSUPP : kill_all(cgroup);
}

static const struct cftype dfl_files[] = {
	{.name = "cgroup.kill", .flags = CFTYPE_NO_PREFIX | CFTYPE_NOT_ON_ROOT, .act = kill_act},
	{0},
};

const struct controller kill_controller = {
	.name = "kill",
	.dfl_files = dfl_files,
	.threaded = true,
	.unlisted_on_dfl = true,
};
