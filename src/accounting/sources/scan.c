/* SPDX-License-Identifier: MIT */
/*
 * Finding new tasks in /proc. A new process belongs where its parent does, a
 * new thread where its process' leader does. Numbers are given in turn, so
 * that those since the last scan are the new tasks, and nothing else need be looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "newcomer.h"
#include "tracer.h"

#define PROBES 2048 /* numbers tried one by one; beyond it all tasks are listed */

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
		*taken |= newcomer_look(accounting, status.tgid ? status.tgid : number, number, since);
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
		taken |= newcomer_look(accounting, hung[i].id.tgid, hung[i].id.tid, &hung[i].since);
	return taken;
}

/* The processes that accounting knows. */
static void list_known(struct accounting *accounting, struct task_list *list)
{
	const struct process *process;

	guard(&accounting->lock);
	for (process = accounting->processes; process; process = process->hh.next) {
		if (process->live)
			list_add(list, &process_leader(process)->id);
	}
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
			newcomer_look(accounting, tgid, threads->id[i], since);
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
			taken |= newcomer_look(accounting, processes.id[i], processes.id[i], since);
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
	assert_locked(&accounting->scanning);
	if (accounting->scan_failed)
		return;
	guard(&accounting->lock);
	moment_reach(accounting, moment);
}

bool scan_hear(struct accounting *accounting)
{
	struct accounting_moment seen;
	enum told told = tracer_sync(accounting, &seen);

	if (told == TOLD_WITH_LOSSES)
		scan_all(accounting, &seen);
	return told != TOLD_NOTHING;
}

bool scan_new(struct accounting *accounting)
{
	struct accounting_moment now, since;
	bool told = scan_hear(accounting), taken;

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
	if (taken)
		tracer_meet_stranger(accounting);
	forks_announce(accounting);
	return taken || told;
}

void scan_start(struct accounting *accounting)
{
	struct accounting_moment now;

	guard(&accounting->scanning);
	accounting->scan_failed = false;
	now = moment_now(accounting);
	reach(accounting, &now);
}

void scan_all(struct accounting *accounting, const struct accounting_moment *seen)
{
	struct task_list known = {0};
	struct accounting_moment now;

	list_known(accounting, &known);
	if (!known.error)
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
