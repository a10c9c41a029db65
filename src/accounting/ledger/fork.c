/* SPDX-License-Identifier: MIT */
/* A new task, and another program in an old one. */
#include <string.h>

#include <utlist.h>

#include "ledger.h"
#include "log.h"

struct task *task_new(struct accounting *accounting, const struct task_id *id)
{
	struct task *task = task_find(accounting, id->tid);

	if (task)
		task_free(accounting, task);
	return task_add(accounting, id);
}

struct task *task_fork(struct accounting *accounting, const struct task *creator,
		       const struct task_id *id)
{
	struct group *groups[ACCOUNTING_MAX_HIERARCHIES];
	struct process *parent = creator->process;
	struct task *task;

	if (id->tid == id->tgid && !task_is_claimed(accounting, creator))
		return NULL;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		groups[i] = creator->links[i].group;
	task = task_new(accounting, id);
	if (!task)
		return NULL;
	task->measured = true;
	if (id->tid == id->tgid) {
		task->process->counted.measured = task->process->io.measured = true;
		task->process->complete = true;
		process_set_parent(accounting, task->process, parent->tgid);
		memory_fork(task->process, parent, groups);
		high_water_fork(task->process, parent);
		task->process->origin.startstack = parent->origin.startstack;
		memcpy(task->process->origin.comm, parent->origin.comm, sizeof(parent->origin.comm));
	}
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (!groups[i])
			continue;
		task_enter(task, i, groups[i]);
		count_over_limit(groups[i]);
		note_fork(accounting, task, i);
	}
	log_debug("accounting: task %d of process %d was forked by task %d, and is in its cgroups", id->tid,
		  id->tgid, creator->id.tid);
	return task;
}

/* de_thread(): the survivor is the leader from here on. */
static void take_over(struct accounting *accounting, struct process *process, struct task *survivor)
{
	struct task *leader = process_leader(process);

	survivor->id.start_time = 0; /* it has the leader's, if that is not known */
	survivor->id.forked_at = 0;
	if (leader->id.tid == process->tgid) {
		survivor->id.start_time = leader->id.start_time;
		task_free(accounting, leader);
	}
	survivor->id.tid = process->tgid;
	HASH_PUT_LAST(hh, accounting->tasks, &survivor->id.tid, sizeof(survivor->id.tid), survivor);
}

void task_exec(struct accounting *accounting, pid_t tgid)
{
	struct process *process = process_find(accounting, tgid);
	struct task *task, *survivor = NULL;

	if (!process)
		return;
	memory_release(accounting, process);
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie)
			survivor = task;
	}
	if (survivor && survivor->id.tid != tgid)
		take_over(accounting, process, survivor);
}

static bool can_be(const struct task *task, const struct task_marks *now)
{
	return now->faults >= task->marks.faults && now->waited >= task->marks.waited;
}

void task_exec_seen(struct accounting *accounting, pid_t tgid, const struct task_marks *now)
{
	struct process *process = process_find(accounting, tgid);
	struct task *task, *survivor = NULL, *leader = process ? process_leader(process) : NULL;

	if (!leader || leader->id.tid != tgid || can_be(leader, now))
		return;
	DL_FOREACH(process->tasks, task) {
		if (task != leader && !task->zombie && can_be(task, now))
			survivor = task;
	}
	if (!survivor)
		return;
	memory_release(accounting, process);
	take_over(accounting, process, survivor);
	process_forget_unwanted(accounting, process);
}
