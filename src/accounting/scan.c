/* SPDX-License-Identifier: MIT */
/*
 * Finding new tasks in /proc. A new process belongs where its parent does, a
 * new thread where its process' leader does. Numbers are given in turn, so
 * that those since the last scan are the new tasks, and nothing else need be looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "creator.h"

#define PROBES 2048 /* numbers tried one by one; beyond it all tasks are listed */

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

static bool is_known(struct accounting *accounting, pid_t tgid)
{
	bool known;

	pthread_mutex_lock(&accounting->lock);
	known = process_find(accounting, tgid);
	pthread_mutex_unlock(&accounting->lock);
	return known;
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
	size_t capacity = 0;

	pthread_mutex_lock(&accounting->lock);
	creator = creator_find(accounting, newcomer);
	for (unsigned i = 0; creator && i < accounting->hierarchies; i++) {
		if (creator->links[i].group)
			group_list_crowd(creator->links[i].group, &list, &capacity);
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
	process->pgrp = stat->pgrp;
	process->session = stat->session;
	if (!stat->startstack || process->startstack == stat->startstack)
		return;
	memory_release(accounting, process);
	process->startstack = stat->startstack;
	strcpy(process->comm, stat->comm);
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
	if (!creator || !task_fork(accounting, creator, id))
		return false;
	if (id->tid == id->tgid)
		note_process(accounting, process_find(accounting, id->tgid), &newcomer->stat);
	if (final)
		task_end(accounting, task_find(accounting, id->tid), final);
	return true;
}

/* The state that this scan did not see everything, but for whom the kernel says that there is none. */
static int note_failure(struct accounting *accounting, int error)
{
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
	if (!error && id->tid == id->tgid && !is_known(accounting, newcomer->stat.ppid))
		error = creator_read(accounting, newcomer, since);
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
	pthread_mutex_lock(&accounting->lock);
	*taken = take(accounting, newcomer, ended ? &final : NULL);
	is_stale = newcomer->waited && !process_find(accounting, newcomer->waited);
	pthread_mutex_unlock(&accounting->lock);
	return is_stale && !*taken;
}

/*
 * Takes a task into the table if the one that made it is there, and if it was
 * made after `since`: who is older was looked at before, and has stayed where
 * he was when his parent moved. True: it was new there.
 */
static bool look_at_newcomer(struct accounting *accounting, pid_t tgid, pid_t tid,
			     const struct accounting_moment *since)
{
	struct newcomer newcomer;
	bool taken = false;

	do
		newcomer = (struct newcomer){.id = {.tid = tid, .tgid = tgid}};
	while (take_newcomer(accounting, &newcomer, since, &taken));
	return taken;
}

static bool look_at(struct accounting *accounting, pid_t tgid, pid_t tid,
		    const struct accounting_moment *since)
{
	bool taken;

	/* Else its parent might wait for it, and be paid for it as for one never seen, meanwhile. */
	pthread_mutex_lock(&accounting->settling);
	taken = look_at_newcomer(accounting, tgid, tid, since);
	pthread_mutex_unlock(&accounting->settling);
	return taken;
}

/* Adds the number; the oldest makes room. */
static void note_absent(struct accounting *accounting, pid_t number)
{
	pid_t *absent = accounting->absent;

	if (accounting->absent_count == ABSENT_MAX)
		memmove(absent, absent + 1, --accounting->absent_count * sizeof(*absent));
	absent[accounting->absent_count++] = number;
}

/* Looks at who has the number. 0; -ESRCH: nobody; other errors: it could not be seen. */
static int probe(struct accounting *accounting, pid_t number, const struct accounting_moment *since,
		 bool *taken)
{
	struct machine_task_status status;
	int error = -ESRCH;

	if (!machine_task_is_gone(accounting->machine, number, 0))
		error = machine_task_status(accounting->machine, number, 0, &status);
	if (!error)
		*taken |= look_at(accounting, status.tgid ? status.tgid : number, number, since);
	return note_failure(accounting, error);
}

/* fork() takes a number some time before the task can be seen. */
static bool look_at_absent(struct accounting *accounting)
{
	pid_t numbers[ABSENT_MAX];
	unsigned count = accounting->absent_count;
	bool taken = false;

	memcpy(numbers, accounting->absent, sizeof(numbers));
	for (unsigned i = 0; i < count; i++)
		probe(accounting, numbers[i], &accounting->absent_since, &taken);
	if (!accounting->scan_failed)
		accounting->absent_count = 0; /* they have ended */
	return taken;
}

/* Those that hung when they were looked at last. */
static bool look_at_hung(struct accounting *accounting)
{
	struct hung_newcomer hung[HUNG_MAX];
	unsigned count = accounting->hung_count;
	bool taken = false;

	memcpy(hung, accounting->hung, sizeof(hung));
	accounting->hung_count = 0;
	for (unsigned i = 0; i < count; i++)
		taken |= look_at(accounting, hung[i].id.tgid, hung[i].id.tid, &hung[i].since);
	return taken;
}

/* The processes that accounting knows. */
static int list_known(struct accounting *accounting, struct task_list *list)
{
	struct process *process;
	size_t capacity = 0;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	for (process = accounting->processes; process && !error; process = process->hh.next) {
		if (process->live)
			error = list_add(list, &capacity, &process_leader(process)->id);
	}
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

/* The threads of a process that is known. */
static void look_at_threads(struct accounting *accounting, pid_t tgid,
			    const struct accounting_moment *since, struct machine_ids *threads)
{
	if (!is_known(accounting, tgid) ||
	    note_failure(accounting, machine_tids(accounting->machine, tgid, threads)))
		return;
	for (size_t i = 0; i < threads->nr; i++) {
		if (threads->id[i] != tgid)
			look_at(accounting, tgid, threads->id[i], since);
	}
}

/*
 * Looks at all processes, and at all threads of those that are members. A
 * child's number may be lower than its parent's: again until there is nothing
 * new. True: there was a process that is a member now.
 */
static bool look_at_all(struct accounting *accounting, const struct accounting_moment *since)
{
	struct machine_ids processes = {0}, threads = {0};
	bool taken, any = false;

	note_failure(accounting, machine_pids(accounting->machine, &processes));
	do {
		taken = false;
		for (size_t i = 0; i < processes.nr; i++)
			taken |= look_at(accounting, processes.id[i], processes.id[i], since);
		any |= taken;
	} while (taken);
	for (size_t i = 0; i < processes.nr; i++)
		look_at_threads(accounting, processes.id[i], since, &threads);
	machine_ids_free(&processes);
	machine_ids_free(&threads);
	return any;
}

/* The numbers that were given since the last look, one by one. */
static bool look_at_numbers(struct accounting *accounting, const struct accounting_moment *since,
			    pid_t last)
{
	bool taken = false;

	for (pid_t number = since->last_pid + 1; number <= last; number++) {
		if (error_is_gone(probe(accounting, number, since, &taken)))
			note_absent(accounting, number);
	}
	return taken;
}

/* What was not looked at is not seen: the next scan will. */
static void reach(struct accounting *accounting, const struct accounting_moment *moment)
{
	if (accounting->scan_failed)
		return;
	pthread_mutex_lock(&accounting->lock);
	moment_reach(accounting, moment);
	pthread_mutex_unlock(&accounting->lock);
}

bool scan_new(struct accounting *accounting)
{
	struct accounting_moment now, since;
	bool taken;

	pthread_mutex_lock(&accounting->scanning);
	accounting->scan_failed = false;
	since = moment_seen(accounting);
	now = moment_now(accounting);
	pthread_mutex_lock(&accounting->lock);
	accounting->scans++;
	pthread_mutex_unlock(&accounting->lock);
	taken = look_at_absent(accounting);
	taken |= look_at_hung(accounting);
	if (now.last_pid > since.last_pid && since.last_pid &&
	    now.last_pid - since.last_pid <= PROBES)
		taken |= look_at_numbers(accounting, &since, now.last_pid);
	else if (!now.last_pid || now.last_pid != since.last_pid)
		taken |= look_at_all(accounting, &since);
	if (!accounting->scan_failed)
		accounting->absent_since = since;
	reach(accounting, &now);
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
	return taken;
}

void scan_start(struct accounting *accounting)
{
	struct accounting_moment now;

	pthread_mutex_lock(&accounting->scanning);
	accounting->scan_failed = false;
	now = moment_now(accounting);
	reach(accounting, &now);
	pthread_mutex_unlock(&accounting->scanning);
}

void scan_all(struct accounting *accounting, const struct accounting_moment *seen)
{
	struct task_list known = {0};
	struct accounting_moment now;

	if (!list_known(accounting, &known))
		tasks_heal(accounting, &known);
	free(known.tasks);
	pthread_mutex_lock(&accounting->scanning);
	accounting->scan_failed = false;
	now = moment_now(accounting);
	look_at_all(accounting, seen);
	reach(accounting, &now);
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
}
