/* SPDX-License-Identifier: MIT */
/* Stopping all members of many cgroups, and letting them go on, in the order of their descent. */
#include "freezer_members.h"

#include <stdlib.h>
#include <unistd.h>

#include "descent.h"

/* How often, and how far apart, those are looked at who are to stand first: for half a second in all. */
#define POLLS 5000
#define POLL_US 100

/* Who is in them, by descent; their places are those of the cgroups in the list. 0 or a negative errno. */
static int list_members(const struct held_list *list, struct descent *members)
{
	int error = 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		struct task_list tasks;

		error = accounting_list(&list->held[i].cgroup->group, &tasks);
		if (error)
			break;
		error = descent_add(members, &tasks, i);
		free(tasks.tasks);
	}
	if (!error && members->count)
		error = descent_sort(members, cgroup_tree(list->held[0].cgroup)->machine);
	return error;
}

/* Waits until all from `first` on stand, so that they see nothing of what comes next, or *patience is out. */
static void await(struct stopper *stopper, const struct descent *members, size_t first, size_t end,
		  unsigned *patience)
{
	while (first < end && *patience) {
		if (stopper_awaits(stopper, &members->tasks[first].id)) {
			usleep(POLL_US);
			--*patience;
		} else {
			first++;
		}
	}
}

int members_stop(struct stopper *stopper, struct held_list *list)
{
	unsigned patience = POLLS;
	struct descent members = {0};
	size_t first = 0;
	int error;

	for (size_t i = 0; i < list->count; i++)
		list->held[i].stands = true;
	if (!stopper)
		return 0;
	error = list_members(list, &members);
	for (size_t i = 0; i < members.count && !error; i++) {
		const struct descent_task *task = &members.tasks[i];

		if (task->depth != members.tasks[first].depth) {
			await(stopper, &members, first, i, &patience);
			first = i;
		}
		list->held[task->place].stands &= stopper_stop(stopper, &task->id);
	}
	descent_free(&members);
	return error;
}

int members_continue(struct stopper *stopper, const struct held_list *list)
{
	int error = 0;

	for (size_t i = 0; stopper && i < list->count && !error; i++) {
		struct task_list tasks;

		error = accounting_list(&list->held[i].cgroup->group, &tasks);
		for (size_t j = 0; j < tasks.count; j++)
			stopper_continue(stopper, &tasks.tasks[j]);
		free(tasks.tasks);
	}
	if (stopper)
		stopper_settle(stopper, STOPPER_PATIENCE);
	return error;
}
