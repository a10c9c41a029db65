/* SPDX-License-Identifier: MIT */
/* Processes in the table: their threads, parents and children, and the lists that they are in. */
#include <stdlib.h>

#include <utlist.h>

#include "table.h"

struct process *process_find(struct accounting *accounting, pid_t tgid)
{
	struct process *process;

	assert_locked(&accounting->lock);
	HASH_FIND_INT(accounting->processes, &tgid, process);
	if (process)
		process_unsaved(accounting, process); /* who looks for it changes it */
	return process;
}

struct process *process_get(struct accounting *accounting, pid_t tgid)
{
	struct process *process = process_find(accounting, tgid);

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->tgid = tgid;
	HASH_ADD_INT(accounting->processes, tgid, process);
	return HASH_KEPT(hh, process);
}

struct task *process_leader(const struct process *process)
{
	struct task *task;

	DL_FOREACH(process->tasks, task) {
		if (task->id.tid == process->tgid)
			return task;
	}
	return process->tasks;
}

void process_keep(struct accounting *accounting, struct process *process, uint64_t now)
{
	assert_locked(&accounting->lock);
	process->kept.at = now;
	LIST_ENTER(accounting->kept, process, kept.listed);
}

void process_unkeep(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	LIST_LEAVE(accounting->kept, process, kept.listed);
}

bool process_is_wanted(const struct process *process)
{
	return process->claims || process->kept.listed.is_there ||
	       (process->parent && process->parent->claims);
}

void child_add(struct process *parent, struct process *child)
{
	child->parent = parent;
	DL_APPEND(parent->children, child);
}

void child_remove(struct process *child)
{
	DL_DELETE(child->parent->children, child);
	child->parent = NULL;
}

void orphan_note(struct accounting *accounting, struct process *process, uint64_t now)
{
	assert_locked(&accounting->lock);
	process->orphan.adopted_at = now;
	LIST_ENTER(accounting->orphans, process, orphan.listed);
}

void orphan_forget(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	LIST_LEAVE(accounting->orphans, process, orphan.listed);
}

void process_remove(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	process_unkeep(accounting, process);
	orphan_forget(accounting, process);
	process_gone(accounting, process);
	HASH_DEL(accounting->processes, process);
	free(process);
}
