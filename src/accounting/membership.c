/* Which task is in which group: the tables, and every step in a task's life. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "internal.h"

struct task *task_find(struct accounting *accounting, pid_t tid)
{
	struct task *task;

	HASH_FIND_INT(accounting->tasks, &tid, task);
	return task;
}

bool task_is(const struct task *task, const struct task_id *id)
{
	return !task->id.start_time || !id->start_time || task->id.start_time == id->start_time;
}

bool task_is_claimed(const struct accounting *accounting, const struct task *task)
{
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (task->links[i].group)
			return true;
	}
	return false;
}

static struct process *process_get(struct accounting *accounting, pid_t tgid)
{
	struct process *process;

	HASH_FIND_INT(accounting->processes, &tgid, process);
	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->tgid = tgid;
	HASH_ADD_INT(accounting->processes, tgid, process);
	return process;
}

struct task *task_new(struct accounting *accounting, const struct task_id *id)
{
	struct task *task = task_find(accounting, id->tid);
	struct process *process;

	if (task)
		task_free(accounting, task);
	process = process_get(accounting, id->tgid);
	task = calloc(1, sizeof(*task) + accounting->hierarchies * sizeof(task->links[0]));
	if (!process || !task) {
		free(task);
		return NULL; /* an empty process does no harm */
	}
	task->id = *id;
	task->process = process;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		task->links[i].task = task;
	DL_APPEND(process->tasks, task);
	HASH_ADD_INT(accounting->tasks, id.tid, task);
	return task;
}

/* Counts a task in or out, here and above. */
static void group_count(struct group *group, int pids, int live)
{
	for (; group; group = group->parent) {
		group->pids += pids;
		group->populated += live;
		if (group->pids > group->pids_peak)
			group->pids_peak = group->pids;
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
	group_count(group, -1, zombie ? 0 : -1);
	link->group = NULL;
}

void task_enter(struct task *task, unsigned hierarchy, struct group *group)
{
	struct task_link *link = &task->links[hierarchy];

	if (group && !group->parent)
		group = NULL; /* roots list nobody */
	if (link->group == group)
		return;
	link_leave(link);
	link->group = group;
	if (!group)
		return;
	if (task->zombie)
		DL_APPEND(group->zombies, link);
	else
		DL_APPEND(group->tasks, link);
	group_count(group, 1, task->zombie ? 0 : 1);
}

void task_end(struct accounting *accounting, struct task *task)
{
	if (task->zombie)
		return;
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		struct task_link *link = &task->links[i];

		if (!link->group)
			continue;
		DL_DELETE(link->group->tasks, link);
		DL_APPEND(link->group->zombies, link);
		group_count(link->group, 0, -1);
	}
	task->zombie = true;
}

void task_free(struct accounting *accounting, struct task *task)
{
	struct process *process = task->process;

	for (unsigned i = 0; i < accounting->hierarchies; i++)
		link_leave(&task->links[i]);
	DL_DELETE(process->tasks, task);
	HASH_DEL(accounting->tasks, task);
	free(task);
	if (!process->tasks) {
		HASH_DEL(accounting->processes, process);
		free(process);
	}
}

int accounting_move(struct group *group, const struct task_id *tasks, size_t count)
{
	struct accounting *accounting = group->accounting;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
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
			task_enter(task, group->hierarchy, group);
		if (task && !task_is_claimed(accounting, task))
			task_free(accounting, task);
	}
	pthread_mutex_unlock(&accounting->lock);
	return error;
}
