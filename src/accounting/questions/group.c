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
	pthread_mutex_lock(&accounting->lock);
	if (parent) {
		DL_APPEND(parent->children, group);
	} else {
		accounting->roots[hierarchy] = group;
		if (hierarchy >= accounting->hierarchies)
			accounting->hierarchies = hierarchy + 1;
	}
	pthread_mutex_unlock(&accounting->lock);
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
	pthread_mutex_lock(&accounting->lock);
	while (group->tasks)
		leave(group->tasks->task, group);
	while (group->zombies)
		leave(group->zombies->task, group);
	heirs_retire(group);
	memory_retire(group);
	usage_free(group);
	group_gone(group);
	if (group->parent)
		DL_DELETE(group->parent->children, group);
	else
		accounting->roots[group->hierarchy] = NULL;
	group->retired = true;
	pthread_mutex_unlock(&accounting->lock);
}

bool group_has_members(struct group *group)
{
	bool has;

	pthread_mutex_lock(&group->accounting->lock);
	has = group->tasks;
	pthread_mutex_unlock(&group->accounting->lock);
	return has;
}

bool group_is_populated(const struct group *group)
{
	bool populated;

	pthread_mutex_lock(&group->accounting->lock);
	populated = group->populated;
	pthread_mutex_unlock(&group->accounting->lock);
	return populated;
}

uint64_t group_populated_turns(const struct group *group)
{
	uint64_t turns;

	pthread_mutex_lock(&group->accounting->lock);
	turns = group->populated_turns;
	pthread_mutex_unlock(&group->accounting->lock);
	return turns;
}
