/* SPDX-License-Identifier: MIT */
/* Processes in the table: their threads, parents and children, and the lists that they are in. */
#include <stdlib.h>

#include <utlist.h>

#include "table.h"

struct process *process_find(struct accounting *accounting, pid_t tgid)
{
	struct process *process;

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
	return process;
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
	process->kept_at = now;
	if (process->is_kept)
		return;
	process->is_kept = true;
	DL_APPEND2(accounting->kept, process, kept_prev, kept_next);
}

void process_unkeep(struct accounting *accounting, struct process *process)
{
	if (!process->is_kept)
		return;
	process->is_kept = false;
	DL_DELETE2(accounting->kept, process, kept_prev, kept_next);
}

bool process_is_wanted(const struct process *process)
{
	return process->claims || process->is_kept || (process->parent && process->parent->claims);
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
	process->adopted_at = now;
	if (process->is_orphan)
		return;
	process->is_orphan = true;
	DL_APPEND2(accounting->orphans, process, orphan_prev, orphan_next);
}

void orphan_forget(struct accounting *accounting, struct process *process)
{
	if (!process->is_orphan)
		return;
	process->is_orphan = false;
	DL_DELETE2(accounting->orphans, process, orphan_prev, orphan_next);
}

void process_remove(struct accounting *accounting, struct process *process)
{
	process_unkeep(accounting, process);
	orphan_forget(accounting, process);
	process_gone(accounting, process);
	HASH_DEL(accounting->processes, process);
	free(process);
}
