/* SPDX-License-Identifier: MIT */
/* Moving tasks, and where they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "questions.h"
#include "text.h"

static void task_move(struct accounting *accounting, struct task *task, struct group *group)
{
	struct process *process = task->process;

	if (task == process_leader(process))
		memory_leave(accounting, process, group->hierarchy,
			     task->links[group->hierarchy].group);
	task_enter(task, group->hierarchy, group);
	process_forget_unwanted(accounting, process);
}

int accounting_move(struct group *group, const struct task_id *tasks, size_t count)
{
	struct accounting *accounting = group->accounting;
	int error = 0;

	guard(&accounting->lock);
	for (size_t i = 0; i < count && !error; i++) {
		struct task *task = task_find(accounting, tasks[i].tid);

		if (task && !task_is(task, &tasks[i])) {
			task_free(accounting, task);
			task = NULL;
		}
		if (!task && !group->parent)
			continue; /* there already */
		if (!task)
			task = task_new(accounting, &tasks[i]);
		if (!task)
			error = -ENOMEM;
		else if (!task->zombie)
			task_move(accounting, task, group);
	}
	return error;
}

int group_list_left(const struct group *group, pid_t tgid, struct task_list *list)
{
	const struct group *wanted = group->parent ? group : NULL; /* roots list nobody */
	struct accounting *accounting = group->accounting;
	const struct process *process;
	const struct task *task;

	guard(&accounting->lock);
	process = process_find(accounting, tgid);
	DL_FOREACH(process ? process->tasks : NULL, task) {
		if (!task->zombie && task->links[group->hierarchy].group != wanted)
			list_add(list, &task->id);
	}
	return list->error;
}

struct group *accounting_group_of(struct accounting *accounting, unsigned hierarchy,
				  const struct task_id *id)
{
	const struct task *task;

	guard(&accounting->lock);
	task = task_known(accounting, id);
	return task ? task->links[hierarchy].group : NULL;
}

bool group_has_task(struct group *group, const struct task_id *id)
{
	const struct group *at = accounting_group_of(group->accounting, group->hierarchy, id);

	return at ? at == group : !group->parent;
}

void group_leave_path(struct group *group, const char *path)
{
	struct task_link *link;

	guard(&group->accounting->lock);
	DL_FOREACH(group->zombies, link) {
		free(link->task->left_path);
		link->task->left_path = strdup(path);
	}
}

bool accounting_left_path(struct accounting *accounting, const struct task_id *id, struct text *out)
{
	const struct task *task;

	guard(&accounting->lock);
	task = task_known(accounting, id);
	if (!task || !task->left_path)
		return false;
	text_add(out, task->left_path);
	return true;
}
