/* SPDX-License-Identifier: MIT */
/* Processes in the table: their threads, parents and children, and how long they stay. */
#include <stdlib.h>

#include <utlist.h>

#include "internal.h"

#define GRACE 10000000000u /* ns: from a settling to its attach */

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

/* --- how long it stays --- */

void process_keep(struct accounting *accounting, struct process *process)
{
	process->kept_at = now_ns();
	if (process->is_kept)
		return;
	process->is_kept = true;
	DL_APPEND2(accounting->kept, process, kept_prev, kept_next);
}

static void unkeep(struct accounting *accounting, struct process *process)
{
	if (!process->is_kept)
		return;
	process->is_kept = false;
	DL_DELETE2(accounting->kept, process, kept_prev, kept_next);
}

/*
 * A group has a thread of it, or it will; or its parent is in a group: what a
 * child uses elsewhere must be told from what the parent's other children use.
 */
static bool is_wanted(const struct process *process)
{
	return process->claims || process->is_kept || (process->parent && process->parent->claims);
}

void process_forget_unwanted(struct accounting *accounting, struct process *process)
{
	struct task *task, *next;

	if (process->claims)
		unkeep(accounting, process);
	else
		process->complete = false; /* who it forks now is not followed */
	if (is_wanted(process))
		return;
	for (task = process->tasks; task; task = next) {
		next = task->next; /* with the last one the process goes */
		task_free(accounting, task);
	}
}

void processes_forget_kept(struct accounting *accounting)
{
	uint64_t now = now_ns();

	while (accounting->kept && now - accounting->kept->kept_at > GRACE) {
		struct process *process = accounting->kept;

		unkeep(accounting, process);
		process_forget_unwanted(accounting, process);
	}
}

/* --- family --- */

static void leave_parent(struct process *process)
{
	if (!process->parent)
		return;
	sharing_leave(process);
	DL_DELETE(process->parent->children, process);
	process->parent = NULL;
}

static void join_parent(struct process *process, struct process *parent)
{
	process->parent = parent;
	DL_APPEND(parent->children, process);
}

/* A zombie's parent: it became a member after the zombie, or has adopted it. */
static void set_reaper(struct accounting *accounting, struct process *process,
		       struct process *reaper)
{
	if (process->reaper == reaper)
		return;
	reap_release(accounting, process);
	if (reaper)
		reap_await(reaper, process);
}

void process_set_parent(struct accounting *accounting, struct process *process, pid_t parent)
{
	struct process *found;

	if (process->parent && process->parent->tgid == parent)
		return;
	found = process_find(accounting, parent);
	if (found && !found->live)
		return; /* read before the parent's end */
	if (!process->live) {
		set_reaper(accounting, process, found);
		return;
	}
	leave_parent(process);
	if (!found || found == process)
		return;
	join_parent(process, found);
}

void orphan_note(struct accounting *accounting, struct process *process)
{
	process->adopted_at = now_ns();
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

/*
 * Its children are orphans where exits are told of in their order. Else a child
 * may have ended before it, unseen yet, and is in what it gives to its parent:
 * the child is the grandparent's until it is seen to have another parent.
 */
static void leave_children(struct accounting *accounting, struct process *process,
			   struct process *parent)
{
	bool is_ordered = accounting->source && accounting->source->tells_exits;

	while (process->children) {
		struct process *child = process->children;

		leave_parent(child);
		if (parent && parent->live && !is_ordered)
			join_parent(child, parent);
		orphan_note(accounting, child);
		process_forget_unwanted(accounting, child);
	}
}

void process_end(struct accounting *accounting, struct process *process)
{
	struct process *parent = process->parent;

	memory_release(accounting, process);
	reaper_end(accounting, process);
	reap_credit(accounting, process);
	if (parent)
		parent->written_here += process->written_here; /* who reaps it has it in its own figures */
	leave_parent(process);
	leave_children(accounting, process, parent);
}

void process_free(struct accounting *accounting, struct process *process)
{
	unkeep(accounting, process);
	orphan_forget(accounting, process);
	reap_done(accounting, process);
	process_gone(accounting, process);
	HASH_DEL(accounting->processes, process);
	free(process);
}
