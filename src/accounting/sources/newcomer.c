/* SPDX-License-Identifier: MIT */
/* A task that a scan finds: read, and given to who made it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "newcomer.h"
#include "tracer.h"

/*
 * Reads about the task. -ESRCH: it has ended, is older than `since`, or none that can be a member;
 * other errors: it could not be read.
 */
static int read_newcomer(const struct machine *machine, struct newcomer *newcomer,
			 const struct accounting_moment *since)
{
	struct machine_task_stat *stat = &newcomer->stat;
	int error = machine_task_stat(machine, newcomer->id.tgid, newcomer->id.tid, stat);

	if (error)
		return error_is_gone(error) ? -ESRCH : error;
	if (stat->flags & MACHINE_TASK_KTHREAD ||
	    !moment_is_before(since, stat->starttime, newcomer->id.tid))
		return -ESRCH;
	newcomer->id.start_time = stat->starttime;
	return 0;
}

bool is_known(struct accounting *accounting, pid_t tgid)
{
	guard(&accounting->lock);
	return process_find(accounting, tgid);
}

static void leave_out(struct task_list *list, pid_t tgid)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->tasks[i].tgid != tgid)
			list->tasks[kept++] = list->tasks[i];
	}
	list->count = kept;
}

/*
 * Before it is counted: who has ended without a word is not counted with it. But who made it was there beside
 * it, and is known to have made it as long as it is in the table.
 */
static void make_room(struct accounting *accounting, const struct newcomer *newcomer)
{
	struct task_list list = {0};
	const struct task *creator;

	pthread_mutex_lock(&accounting->lock);
	creator = creator_find(accounting, newcomer);
	for (unsigned i = 0; creator && i < accounting->hierarchies; i++) {
		if (creator->links[i].group)
			group_list_crowd(creator->links[i].group, &list);
	}
	if (creator)
		leave_out(&list, creator->id.tgid);
	pthread_mutex_unlock(&accounting->lock);
	tasks_bury(accounting, &list);
	free(list.tasks);
}

/* What a process shows besides its parent; it may be another program by now than who forked it. */
static void note_process(struct accounting *accounting, struct process *process,
			 const struct machine_task_stat *stat)
{
	process->origin.pgrp = stat->pgrp;
	process->origin.session = stat->session;
	if (!stat->startstack || process->origin.startstack == stat->startstack)
		return;
	memory_release(accounting, process);
	process->origin.startstack = stat->startstack;
	strcpy(process->origin.comm, stat->comm);
}

/* Gives the newcomer to who made it, if that is there; under the lock. True: it is in the table now. */
static bool take(struct accounting *accounting, const struct newcomer *newcomer,
		 const struct counters *final)
{
	const struct task_id *id = &newcomer->id;
	struct task *known = task_find(accounting, id->tid);
	const struct task *creator;

	if (known && task_is(known, id))
		return false;
	if (known)
		task_free(accounting, known); /* the number is another's now */
	creator = creator_find(accounting, newcomer);
	if (newcomer->cgroups ? !placed_take(accounting, newcomer, creator)
			      : !creator || !task_fork(accounting, creator, id))
		return false;
	if (id->tid == id->tgid)
		note_process(accounting, process_find(accounting, id->tgid), &newcomer->stat);
	if (final)
		task_end(accounting, task_find(accounting, id->tid), final);
	return true;
}

int note_failure(struct accounting *accounting, int error)
{
	assert_locked(&accounting->scanning);
	if (error && !error_is_gone(error))
		accounting->scan_failed = true;
	return error;
}

/*
 * One that hangs, or whose parent does, is looked at again by each scan until it can be read: the scan
 * has not failed for it. False: there are too many such.
 */
static bool note_hung(struct accounting *accounting, const struct newcomer *newcomer,
		      const struct accounting_moment *since)
{
	if (accounting->hung_count == HUNG_MAX)
		return false;
	accounting->hung[accounting->hung_count].id = newcomer->id;
	accounting->hung[accounting->hung_count++].since = *since;
	return true;
}

/* Reads all that tells whose it is, and what it used if it has ended. 0 or a negative errno. */
static int read_all(struct accounting *accounting, struct newcomer *newcomer,
		    const struct accounting_moment *since, struct counters *final, bool *ended)
{
	const struct task_id *id = &newcomer->id;
	int error = read_newcomer(accounting->machine, newcomer, since);

	*ended = false;
	if (!error && tracer_tells_of(accounting, id))
		return -ESRCH;
	if (!error && id->tid == id->tgid && !is_known(accounting, newcomer->stat.ppid))
		error = creator_read(accounting, newcomer, since);
	if (!error)
		error = placed_read(accounting, newcomer);
	if (error || (newcomer->stat.state != 'Z' && newcomer->stat.state != 'X'))
		return error;
	error = task_read_final(accounting->machine, id, final);
	*ended = !error;
	return error_is_gone(error) ? 0 : error;
}

/* Reads and takes it. True: who seemed to have made it is gone meanwhile, and another may have. */
static bool take_newcomer(struct accounting *accounting, struct newcomer *newcomer,
			  const struct accounting_moment *since, bool *taken)
{
	struct counters final;
	bool ended, is_stale;
	int error = read_all(accounting, newcomer, since, &final, &ended);

	if (error == -EBUSY && note_hung(accounting, newcomer, since))
		return false;
	if (note_failure(accounting, error))
		return false;
	make_room(accounting, newcomer);
	guard(&accounting->lock);
	*taken = take(accounting, newcomer, ended ? &final : NULL);
	is_stale = newcomer->waited && !process_find(accounting, newcomer->waited);
	return is_stale && !*taken;
}

static bool look_at_newcomer(struct accounting *accounting, pid_t tgid, pid_t tid,
			     const struct accounting_moment *since)
{
	struct newcomer newcomer;
	bool taken = false, again;

	do {
		newcomer = (struct newcomer){.id = {.tid = tid, .tgid = tgid}};
		again = take_newcomer(accounting, &newcomer, since, &taken);
		free(newcomer.cgroups);
	} while (again);
	return taken;
}

bool newcomer_look(struct accounting *accounting, pid_t tgid, pid_t tid,
		   const struct accounting_moment *since)
{

	assert_locked(&accounting->scanning);
	/* Else its parent might wait for it, and be paid for it as for one never seen, meanwhile. */
	guard(&accounting->settling);
	return look_at_newcomer(accounting, tgid, tid, since);
}
