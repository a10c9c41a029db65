/* SPDX-License-Identifier: MIT */
/* Groups: their making and end. */
#include <utlist.h>

#include "questions.h"

int group_init(struct accounting *accounting, struct group *group, unsigned hierarchy,
	       struct group *parent)
{
	*group = (struct group){
		.accounting = accounting, .parent = parent, .hierarchy = hierarchy,
		.pids_limit = UINT64_MAX};
	guard(&accounting->lock);
	if (parent) {
		DL_APPEND(parent->children, group);
	} else {
		accounting->roots[hierarchy] = group;
		if (hierarchy >= accounting->hierarchies)
			accounting->hierarchies = hierarchy + 1;
	}
	return 0;
}

/* A member of a group that ends. */
static void leave(struct task *task, struct group *group)
{
	task_enter(task, group->hierarchy, group->parent);
	if (!task->left_path) /* it is told until its parent waits for it */
		process_forget_unwanted(group->accounting, task->process);
}

void group_retire(struct group *group)
{
	struct accounting *accounting = group->accounting;

	if (!accounting || group->retired)
		return;
	guard(&accounting->lock);
	while (group->tasks)
		leave(group->tasks->task, group);
	while (group->zombies)
		leave(group->zombies->task, group);
	heirs_retire(group);
	memory_retire(group);
	usage_free(group);
	group_gone(group);
	group_unback(group);
	if (group->parent)
		DL_DELETE(group->parent->children, group);
	else
		accounting->roots[group->hierarchy] = NULL;
	group->retired = true;
}

bool group_has_members(struct group *group)
{
	guard(&group->accounting->lock);
	return group->tasks;
}

bool group_is_populated(const struct group *group)
{
	guard(&group->accounting->lock);
	return group->populated;
}

uint64_t group_populated_turns(const struct group *group)
{
	guard(&group->accounting->lock);
	return group->populated_turns;
}
