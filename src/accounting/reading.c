/* Reading one process: as few of its files as will do. */
#include <errno.h>

#include "reading.h"

/* Who shares memory with a process changes the process' part of it, though it sleeps: ns. */
#define SHARED_WINDOW 1000000000u /* while members' memory changes */
#define STRANGERS_WINDOW 10000000000u /* others share it too */

/* The thread's run time in ns: schedstat, or ticks where there is none. */
static void read_run(const struct machine *machine, pid_t tgid, struct thread_reading *thread)
{
	struct machine_task_schedstat sched;
	int error = machine_task_schedstat(machine, tgid, thread->id.tid, &sched);

	thread->has_run = !error;
	if (!error)
		thread->run = sched.run_ns;
	else if (error == -ESRCH)
		thread->liveness = TASK_GONE;
	else if (error != -ENOENT)
		thread->liveness = TASK_UNKNOWN; /* ticks are for a kernel without that file */
}

/* A process of one thread has the thread's figures, but for its times. */
static int read_thread_stat(const struct machine *machine, const struct reading *reading,
			    const struct thread_reading *thread, struct machine_task_stat *stat)
{
	if (reading->has_stat && reading->stat.num_threads == 1 && thread->has_run &&
	    thread->id.tid == reading->tgid) {
		*stat = reading->stat;
		return 0;
	}
	return machine_task_stat(machine, reading->tgid, thread->id.tid, stat);
}

static void read_thread(const struct machine *machine, struct reading *reading,
			struct thread_reading *thread)
{
	struct machine_task_stat stat;
	int error = read_thread_stat(machine, reading, thread, &stat);

	if (error || !id_started(&thread->id, stat.starttime)) {
		thread->liveness = !error || error_is_gone(error) ? TASK_GONE : TASK_UNKNOWN;
		return;
	}
	if (thread->liveness == TASK_UNKNOWN)
		return;
	thread->id.start_time = stat.starttime;
	thread->cpu = (unsigned)stat.processor;
	if (stat.state == 'Z' || stat.state == 'X')
		thread->liveness = TASK_ZOMBIE;
	if (!thread->has_run) {
		thread->run = (stat.utime + stat.stime) * MACHINE_TICK_NS;
		thread->has_run = true;
	}
}

/* True when a thread has run since it was read last. */
static bool read_runs(const struct machine *machine, struct reading *reading)
{
	bool moved = reading->first;

	reading->run = 0;
	for (size_t i = 0; i < reading->count; i++) {
		struct thread_reading *thread = &reading->threads[i];

		if (reading->is_run_known) {
			reading->run += thread->last_run;
			continue;
		}
		read_run(machine, reading->tgid, thread);
		if (!thread->has_run || thread->run != thread->last_run)
			moved = true;
		reading->run += thread->run;
	}
	return moved;
}

/* The process ran on while its files were read, or threads that are not listed did. */
static bool has_run_on(const struct reading *reading)
{
	const struct machine_task_stat *stat = &reading->stat;

	return reading->has_stat &&
	       (stat->utime + stat->stime) * MACHINE_TICK_NS > reading->run + reading->ended_run;
}

/*
 * Pages come by faults, and go from what statm counts: while neither changes,
 * smaps_rollup, which costs ten times as much, has nothing new but what sharers did.
 */
static bool has_new_memory(const struct machine *machine, struct reading *reading, uint64_t now)
{
	const struct memory_mark *last = &reading->last_memory;
	struct memory_mark *mark = &reading->mark;
	struct machine_task_statm statm;
	uint64_t age = now - last->at;

	*mark = (struct memory_mark){.at = now, .run = reading->run, .faults = reading->last_faults};
	if (reading->has_stat)
		mark->faults = reading->stat.minflt + reading->stat.majflt;
	if (last->at && mark->run == last->run && age < SHARED_WINDOW)
		return false;
	if (machine_task_statm(machine, reading->tgid, 0, &statm))
		return true;
	mark->size = statm.size;
	mark->resident = statm.resident;
	mark->shared = statm.shared;
	return !last->at || age >= (reading->is_settled ? STRANGERS_WINDOW : SHARED_WINDOW) ||
	       mark->faults != last->faults || mark->size != last->size ||
	       mark->resident != last->resident || mark->shared != last->shared;
}

/* Uninterruptible sleep: for a disk, but for a short while when it is for something else. */
static bool is_blocked(const struct machine *machine, const struct reading *reading)
{
	struct machine_task_stat stat;

	for (size_t i = 0; i < reading->count; i++) {
		if (!machine_task_stat(machine, reading->tgid, reading->threads[i].id.tid, &stat) &&
		    stat.state == 'D')
			return true;
	}
	return false;
}

void reading_fill(const struct machine *machine, struct reading *reading, uint64_t now)
{
	bool moved = read_runs(machine, reading);

	reading->at = now;
	/* Before the stat, which tells whether children were waited for, whose I/O is in it. */
	reading->io_run = reading->run;
	if (reading->kinds & USAGE_IO)
		reading->has_io = (moved || reading->run != reading->last_io_run) &&
				  !machine_task_io(machine, reading->tgid, 0, &reading->io);
	if (moved) {
		reading->has_stat = !machine_task_stat(machine, reading->tgid, 0, &reading->stat);
		if (has_run_on(reading))
			read_runs(machine, reading); /* what is missing then was no listed thread's */
		for (size_t i = 0; i < reading->count; i++)
			read_thread(machine, reading, &reading->threads[i]);
	}
	reading->is_blocked = !moved && !reading->is_run_known && !reading->has_rested &&
			      is_blocked(machine, reading);
	if (reading->kinds & USAGE_MEMORY && has_new_memory(machine, reading, now))
		reading->has_memory = !memory_read(machine, reading->tgid, reading->parent,
						   &reading->memory, &reading->shared);
}
