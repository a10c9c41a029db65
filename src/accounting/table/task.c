/* SPDX-License-Identifier: MIT */
/* Tasks in the table, and lists of tasks. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "array.h"
#include "table.h"

struct task *task_find(struct accounting *accounting, pid_t tid)
{
	struct task *task;

	assert_locked(&accounting->lock);
	HASH_FIND_INT(accounting->tasks, &tid, task);
	return task;
}

/* Of a fork that is told the task is there already; clocks that are read in turn differ a little. */
bool id_started(const struct task_id *id, uint64_t start_time)
{
	if (id->start_time)
		return start_time == id->start_time;
	return !id->forked_at || start_time <= id->forked_at + 1;
}

bool task_is(const struct task *task, const struct task_id *id)
{
	return !id->start_time || id_started(&task->id, id->start_time);
}

struct task *task_known(struct accounting *accounting, const struct task_id *id)
{
	struct task *task = task_find(accounting, id->tid);

	return task && task_is(task, id) ? task : NULL;
}

bool task_is_claimed(const struct accounting *accounting, const struct task *task)
{
	assert_locked(&accounting->lock);
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (task->links[i].group)
			return true;
	}
	return false;
}

struct task *task_add(struct accounting *accounting, const struct task_id *id)
{
	struct process *process = process_get(accounting, id->tgid);
	struct task *task;

	assert_locked(&accounting->lock);
	if (process)
		process_unsaved(accounting, process);
	task = calloc(1, sizeof(*task) + accounting->hierarchies * sizeof(task->links[0]));
	if (!process || !task) {
		free(task);
		return NULL; /* an empty process does no harm */
	}
	task->id = *id;
	task->process = process;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		task->links[i].task = task;
	HASH_ADD_INT(accounting->tasks, id.tid, task);
	if (!HASH_KEPT(hh, task))
		return NULL;
	DL_APPEND(process->tasks, task);
	process->live++;
	return task;
}

void task_remove(struct accounting *accounting, struct task *task)
{
	assert_locked(&accounting->lock);
	accounting->zombies--;
	DL_DELETE(task->process->tasks, task);
	HASH_DEL(accounting->tasks, task);
	free(task->left_path);
	free(task);
}

void list_add(struct task_list *list, const struct task_id *id)
{
	struct task_id *tasks = array_room(list->tasks, list->count, &list->capacity, sizeof(*tasks));

	if (!tasks)
		list->error = -ENOMEM;
	else
		list->tasks = tasks;
	if (!list->error)
		tasks[list->count++] = *id;
}

void list_links(const struct task_link *links, struct task_list *list)
{
	const struct task_link *link;

	DL_FOREACH(links, link)
		list_add(list, &link->task->id);
}
