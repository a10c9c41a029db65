/* SPDX-License-Identifier: MIT */
/* Which task is in which group, and how many are. */
#include <utlist.h>

#include "table.h"

void count_over_limit(struct group *own)
{
	struct group *limited = own;

	assert_locked(&own->accounting->lock);
	while (limited && limited->populated <= limited->pids_limit)
		limited = limited->parent;
	if (!limited)
		return;
	own->pids_over++;
	limited->pids_hits++;
	tell_news(own->accounting);
	group_unsaved(own);
	for (; limited; limited = limited->parent) {
		limited->pids_hits_below++;
		group_unsaved(limited);
	}
}

/* Counts a task in or out, here and above. */
static void group_count(struct group *group, int live, int zombies)
{
	for (; group; group = group->parent) {
		bool was_populated = group->populated;

		group->populated += (unsigned)live;
		if (was_populated != (group->populated > 0)) {
			group->populated_turns++;
			tell_news(group->accounting);
		}
		group->zombie_count += (unsigned)zombies;
		if (group->populated > group->pids_peak) {
			group->pids_peak = group->populated;
			group_unsaved(group);
		}
	}
}

static void link_leave(struct task_link *link)
{
	struct group *group = link->group;
	bool zombie = link->task->zombie;

	if (!group)
		return;
	if (zombie)
		DL_DELETE(group->zombies, link);
	else
		DL_DELETE(group->tasks, link);
	group_count(group, zombie ? 0 : -1, zombie ? -1 : 0);
	link->task->process->claims--;
	link->group = NULL;
}

void task_enter(struct task *task, unsigned hierarchy, struct group *group)
{
	struct task_link *link = &task->links[hierarchy];

	if (group && !group->parent)
		group = NULL; /* roots list nobody */
	if (link->group == group)
		return;
	process_unsaved((group ? group : link->group)->accounting, task->process);
	/* In before out, as pids_can_attach(): a common ancestor's peak tells. */
	group_count(group, task->zombie ? 0 : 1, task->zombie ? 1 : 0);
	link_leave(link);
	link->group = group;
	if (!group)
		return;
	task->process->claims++;
	if (task->zombie)
		DL_APPEND(group->zombies, link);
	else
		DL_APPEND(group->tasks, link);
}

void task_become_zombie(struct accounting *accounting, struct task *task)
{
	assert_locked(&accounting->lock);
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		struct task_link *link = &task->links[i];

		if (!link->group)
			continue;
		DL_DELETE(link->group->tasks, link);
		DL_APPEND(link->group->zombies, link);
		group_count(link->group, -1, 1);
	}
	task->zombie = true;
	accounting->zombies++;
	task->process->live--;
}

void task_leave_all(struct accounting *accounting, struct task *task)
{
	assert_locked(&accounting->lock);
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		link_leave(&task->links[i]);
}
