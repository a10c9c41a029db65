/*
 * Finding new tasks in /proc. A new process belongs where its parent does, a
 * new thread where its process' leader does. Numbers are given in turn, so
 * that those since the last scan are the new tasks, and nothing else need be looked at.
 */
#include <stdlib.h>

#include "internal.h"

#define PROBES 2048 /* numbers tried one by one; beyond it all tasks are listed */
#define WINDOW 10000000u /* ns: looking at all tasks is not done more often */
#define WINDOW_MAX 1000000000u
#define COST_SHARE 20u

/* How much a process has in common with an orphan: its group, at least its session, or nothing. */
static int kinship(const struct process *process, const struct machine_task_stat *orphan)
{
	if (process->tgid == orphan->pgrp)
		return 4;
	if (process->pgrp == orphan->pgrp)
		return 3;
	if (process->tgid == orphan->session)
		return 2;
	return process->session == orphan->session;
}

/*
 * Who may have forked a process whose true parent has ended meanwhile: one of
 * its process group, or of its session. A daemon that called setsid() has neither.
 */
static const struct task *orphan_creator(struct accounting *accounting,
					 const struct machine_task_stat *stat,
					 const struct machine_task_stat *parent)
{
	const struct process *nearest = NULL;
	struct process *process;
	int best = 0;

	if (parent->session == stat->session)
		return NULL; /* no orphan: a new parent is of another session */
	for (process = accounting->processes; process; process = process->hh.next) {
		int kin = process->tgid == stat->pid ? 0 : kinship(process, stat);

		if (kin > best) {
			best = kin;
			nearest = process;
		}
	}
	return nearest ? process_leader(nearest) : NULL;
}

static const struct task *find_creator(struct accounting *accounting, const struct task_id *id,
				       const struct machine_task_stat *stat,
				       const struct machine_task_stat *parent)
{
	struct process *process =
		process_find(accounting, id->tid == id->tgid ? stat->ppid : id->tgid);

	if (process)
		return process_leader(process);
	return id->tid == id->tgid && parent ? orphan_creator(accounting, stat, parent) : NULL;
}

/* Takes a task into the table if the one that made it is there. True: it was new there. */
static bool look_at(struct accounting *accounting, pid_t tgid, pid_t tid)
{
	struct machine_task_stat stat, parent;
	struct task_id id = {.tid = tid, .tgid = tgid};
	const struct task *known, *creator;
	bool has_parent, taken = false;

	if (machine_task_stat(accounting->machine, tgid, tid, &stat) || stat.state == 'Z' ||
	    stat.state == 'X' || stat.flags & MACHINE_TASK_KTHREAD)
		return false;
	has_parent = stat.ppid && !machine_task_stat(accounting->machine, stat.ppid, 0, &parent);
	id.start_time = stat.starttime;
	pthread_mutex_lock(&accounting->lock);
	known = task_find(accounting, tid);
	if (!known || !task_is(known, &id)) {
		creator = find_creator(accounting, &id, &stat, has_parent ? &parent : NULL);
		taken = creator && task_fork(accounting, creator, &id);
		if (taken && tid == tgid) {
			process_find(accounting, tgid)->pgrp = stat.pgrp;
			process_find(accounting, tgid)->session = stat.session;
		}
	}
	pthread_mutex_unlock(&accounting->lock);
	return taken;
}

static void probe(struct accounting *accounting, pid_t number)
{
	struct machine_task_status status;

	if (!machine_task_status(accounting->machine, number, 0, &status))
		look_at(accounting, status.tgid ? status.tgid : number, number);
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

static bool is_known(struct accounting *accounting, pid_t tgid)
{
	bool known;

	pthread_mutex_lock(&accounting->lock);
	known = process_find(accounting, tgid);
	pthread_mutex_unlock(&accounting->lock);
	return known;
}

/* The threads of a process that is known. */
static void look_at_threads(struct accounting *accounting, pid_t tgid, struct machine_ids *threads)
{
	if (!is_known(accounting, tgid) || machine_tids(accounting->machine, tgid, threads))
		return;
	for (size_t i = 0; i < threads->nr; i++) {
		if (threads->id[i] != tgid)
			look_at(accounting, tgid, threads->id[i]);
	}
}

/*
 * Looks at all processes, and at all threads of those that are members. A
 * child's number may be lower than its parent's: again until there is nothing new.
 */
static void look_at_all(struct accounting *accounting)
{
	struct machine_ids processes = {0}, threads = {0};
	uint64_t spent = spent_ns();
	bool taken;

	machine_pids(accounting->machine, &processes);
	do {
		taken = false;
		for (size_t i = 0; i < processes.nr; i++)
			taken |= look_at(accounting, processes.id[i], processes.id[i]);
	} while (taken);
	for (size_t i = 0; i < processes.nr; i++)
		look_at_threads(accounting, processes.id[i], &threads);
	machine_ids_free(&processes);
	machine_ids_free(&threads);
	accounting->scanned_at = now_ns();
	accounting->scan_cost = spent_ns() - spent;
}

/* The newest task's number; 0 where it is not to be had. */
static pid_t newest(const struct accounting *accounting)
{
	pid_t pid;

	return machine_last_pid(accounting->machine, &pid) ? 0 : pid;
}

static bool is_due(const struct accounting *accounting)
{
	uint64_t window = COST_SHARE * accounting->scan_cost;

	if (window < WINDOW)
		window = WINDOW;
	if (window > WINDOW_MAX)
		window = WINDOW_MAX;
	return now_ns() - accounting->scanned_at >= window;
}

bool scan_new(struct accounting *accounting)
{
	bool changed = true;
	pid_t last;

	pthread_mutex_lock(&accounting->scanning);
	last = newest(accounting);
	if (last && last == accounting->last_pid) {
		changed = false;
	} else if (last > accounting->last_pid && accounting->last_pid &&
		   last - accounting->last_pid <= PROBES) {
		for (pid_t number = accounting->last_pid + 1; number <= last; number++)
			probe(accounting, number);
	} else if (last || is_due(accounting)) {
		look_at_all(accounting);
	}
	accounting->last_pid = last;
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
	return changed;
}

void scan_start(struct accounting *accounting)
{
	pthread_mutex_lock(&accounting->scanning);
	accounting->last_pid = newest(accounting);
	pthread_mutex_unlock(&accounting->scanning);
}

void scan_all(struct accounting *accounting)
{
	struct task_list known = {0};

	if (!list_known(accounting, &known))
		tasks_refresh(accounting, &known);
	free(known.tasks);
	pthread_mutex_lock(&accounting->scanning);
	accounting->last_pid = newest(accounting);
	look_at_all(accounting);
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
}
