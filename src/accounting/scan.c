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

/*
 * Takes a task into the table if the one that made it is there, and if it was
 * made after `since` (ticks after boot): who is older was looked at before,
 * and has stayed where he was when his parent moved. True: it was new there.
 */
static bool look_at(struct accounting *accounting, pid_t tgid, pid_t tid, uint64_t since)
{
	struct machine_task_stat stat, parent;
	struct task_id id = {.tid = tid, .tgid = tgid};
	const struct task *creator;
	struct task *known;
	struct counters final;
	bool has_parent, zombie, taken = false;

	if (machine_task_stat(accounting->machine, tgid, tid, &stat) ||
	    stat.flags & MACHINE_TASK_KTHREAD || stat.starttime < since)
		return false;
	zombie = (stat.state == 'Z' || stat.state == 'X') &&
		 task_read_final(accounting->machine, &id, &final);
	has_parent = stat.ppid && !machine_task_stat(accounting->machine, stat.ppid, 0, &parent);
	id.start_time = stat.starttime;
	pthread_mutex_lock(&accounting->lock);
	known = task_find(accounting, tid);
	if (known && !task_is(known, &id)) {
		task_free(accounting, known); /* the number is another's now */
		known = NULL;
	}
	if (!known) {
		creator = find_creator(accounting, &id, &stat, has_parent ? &parent : NULL);
		taken = creator && task_fork(accounting, creator, &id);
		if (taken && tid == tgid) {
			process_find(accounting, tgid)->pgrp = stat.pgrp;
			process_find(accounting, tgid)->session = stat.session;
		}
		if (taken && zombie)
			task_end(accounting, task_find(accounting, tid), &final);
	}
	pthread_mutex_unlock(&accounting->lock);
	return taken;
}

static void probe(struct accounting *accounting, pid_t number)
{
	struct machine_task_status status;

	if (!machine_task_status(accounting->machine, number, 0, &status))
		look_at(accounting, status.tgid ? status.tgid : number, number, 0);
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

/* When all tasks had been looked at last, in ticks after boot. */
static uint64_t seen_ticks(const struct accounting *accounting)
{
	uint64_t uptime, ago = now_ns() - accounting->seen_at;

	if (machine_uptime(accounting->machine, &uptime) || uptime < ago)
		return 0;
	return (uptime - ago) / MACHINE_TICK_NS;
}

/* The threads of a process that is known. */
static void look_at_threads(struct accounting *accounting, pid_t tgid, uint64_t since,
			    struct machine_ids *threads)
{
	if (!is_known(accounting, tgid) || machine_tids(accounting->machine, tgid, threads))
		return;
	for (size_t i = 0; i < threads->nr; i++) {
		if (threads->id[i] != tgid)
			look_at(accounting, tgid, threads->id[i], since);
	}
}

/*
 * Looks at all processes, and at all threads of those that are members. A
 * child's number may be lower than its parent's: again until there is nothing new.
 */
static void look_at_all(struct accounting *accounting)
{
	const uint64_t since = seen_ticks(accounting);
	struct machine_ids processes = {0}, threads = {0};
	uint64_t spent = spent_ns();
	bool taken;

	machine_pids(accounting->machine, &processes);
	do {
		taken = false;
		for (size_t i = 0; i < processes.nr; i++)
			taken |= look_at(accounting, processes.id[i], processes.id[i], since);
	} while (taken);
	for (size_t i = 0; i < processes.nr; i++)
		look_at_threads(accounting, processes.id[i], since, &threads);
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
	bool changed = true, looked = true;
	uint64_t now;
	pid_t last;

	pthread_mutex_lock(&accounting->scanning);
	now = now_ns();
	last = newest(accounting);
	if (last && last == accounting->last_pid) {
		changed = false;
	} else if (last > accounting->last_pid && accounting->last_pid &&
		   last - accounting->last_pid <= PROBES) {
		for (pid_t number = accounting->last_pid + 1; number <= last; number++)
			probe(accounting, number);
	} else {
		looked = last || is_due(accounting);
		if (looked)
			look_at_all(accounting);
	}
	accounting->last_pid = last;
	if (looked)
		accounting->seen_at = now;
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
	return changed;
}

void scan_start(struct accounting *accounting)
{
	pthread_mutex_lock(&accounting->scanning);
	accounting->last_pid = newest(accounting);
	accounting->seen_at = now_ns();
	pthread_mutex_unlock(&accounting->scanning);
}

void scan_all(struct accounting *accounting, uint64_t seen_at)
{
	struct task_list known = {0};
	uint64_t now;

	if (!list_known(accounting, &known))
		tasks_refresh(accounting, &known);
	free(known.tasks);
	pthread_mutex_lock(&accounting->scanning);
	now = now_ns();
	accounting->last_pid = newest(accounting);
	accounting->seen_at = seen_at;
	look_at_all(accounting);
	accounting->seen_at = now;
	pthread_mutex_unlock(&accounting->scanning);
	forks_announce(accounting);
}
