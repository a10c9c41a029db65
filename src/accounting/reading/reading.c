/* SPDX-License-Identifier: MIT */
/*
 * Reading processes: as few of their files as will do. Those that a process may keep from being read,
 * its I/O and its memory, are asked for all processes together, by a thread that may be lost.
 */
#include <errno.h>
#include <stdlib.h>

#include "machine_patient.h"
#include "reading.h"

/* Who shares memory with a process changes the process' part of it, though it sleeps: ns. */
#define SHARED_WINDOW 1000000000u /* while members' memory changes */
#define STRANGERS_WINDOW 10000000000u /* others share it too */
/* Who runs now and then shows no tick for long: ns. */
#define TICKS_WINDOW 1000000000u

/* The thread's run time in ns: schedstat, or ticks where there is none. */
static void read_run(const struct machine *machine, pid_t tgid, struct thread_reading *thread)
{
	struct machine_task_schedstat sched;
	int error = machine_task_schedstat(machine, tgid, thread->id.tid, &sched);

	thread->has_run = !error;
	if (!error) {
		thread->run = sched.run_ns;
		thread->waited = sched.wait_ns;
	} else if (error == -ESRCH) {
		thread->liveness = TASK_GONE;
	} else if (error != -ENOENT) {
		thread->liveness = TASK_UNKNOWN; /* ticks are for a kernel without that file */
	}
}

/* A process of one thread has the thread's figures, but for its times. */
static bool is_thread_like(const struct reading *reading, const struct thread_reading *thread)
{
	return reading->has_stat && reading->stat.num_threads == 1 && thread->has_run &&
	       thread->id.tid == reading->tgid;
}

static void note_thread(struct reading *reading, struct thread_reading *thread, int error,
			const struct machine_task_stat *stat)
{
	if (error || !id_started(&thread->id, stat->starttime)) {
		thread->liveness = !error || error_is_gone(error) ? TASK_GONE : TASK_UNKNOWN;
		return;
	}
	if (thread->liveness == TASK_UNKNOWN)
		return;
	thread->id.start_time = stat->starttime;
	thread->cpu = (unsigned)stat->processor;
	if (stat->state == 'Z' || stat->state == 'X')
		thread->liveness = TASK_ZOMBIE;
	if (!thread->has_run) {
		thread->run = (stat->utime + stat->stime) * MACHINE_TICK_NS;
		thread->has_run = true;
		reading->tells_ticks = true;
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

/* Its threads live, and have no schedstat: stat tells all there is. */
static bool has_ticks_only(const struct reading *reading)
{
	bool ticks = false;

	for (size_t i = 0; i < reading->count; i++)
		ticks |= !reading->threads[i].has_run && reading->threads[i].liveness == TASK_LIVES;
	return ticks;
}

/* The process ran on while its files were read, or threads that are not listed did. */
static bool has_run_on(const struct reading *reading)
{
	const struct machine_task_stat *stat = &reading->stat;

	return reading->has_stat && !has_ticks_only(reading) &&
	       (stat->utime + stat->stime) * MACHINE_TICK_NS > reading->run + reading->ended_run;
}

/* Ticks do not tell (gVisor has no schedstat): within one of them much memory comes and goes. */
static bool is_exact(uint64_t run)
{
	return run % MACHINE_TICK_NS;
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
	if (last->at && mark->run == last->run && is_exact(mark->run) && age < SHARED_WINDOW)
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

bool reading_is_outdated(const struct reading *reading, uint64_t now)
{
	return reading->kinds & USAGE_MEMORY && !reading->asks_memory &&
	       now - reading->last_memory.at >= SHARED_WINDOW;
}

/* I/O, then stat, which tells whether children were waited for, whose I/O is in that. */
struct process_question {
	struct patient_head head;
	bool wants_io, wants_stat;
	bool has_io, has_stat;
	struct machine_task_io io;
	struct machine_task_stat stat;
};

static void ask_process(const struct machine *machine, void *question)
{
	struct process_question *asked = question;
	const pid_t tgid = asked->head.pid;

	asked->has_io = asked->wants_io && !machine_task_io(machine, tgid, 0, &asked->io);
	asked->has_stat = asked->wants_stat && !machine_task_stat(machine, tgid, 0, &asked->stat);
}

static bool asks_process(const struct reading *reading)
{
	return reading->moved || reading->asks_io;
}

static void read_processes(const struct machine *machine, struct reading *readings, size_t count)
{
	static const struct patient_kind kind = {.size = sizeof(struct process_question),
						 .ask = ask_process};
	struct process_question *questions = calloc(count, kind.size);

	if (!questions)
		return; /* no memory: the next reading knows better */
	for (size_t i = 0; i < count; i++)
		questions[i] = (struct process_question){
			.head = {.pid = readings[i].tgid, .passed_over = !asks_process(&readings[i])},
			.wants_io = readings[i].asks_io, .wants_stat = readings[i].moved};
	patient_ask(machine, &kind, questions, count);
	for (size_t i = 0; i < count; i++) {
		readings[i].has_io = questions[i].has_io;
		readings[i].has_stat = questions[i].has_stat;
		readings[i].io = questions[i].io;
		readings[i].stat = questions[i].stat;
	}
	free(questions);
}

/* Whether one that has not run waits for a disk: uninterruptible sleep for something else is short. */
static bool asks_blocked(const struct reading *reading)
{
	return !reading->moved && !reading->is_run_known && !reading->has_rested;
}

static bool asks_thread(const struct reading *reading, const struct thread_reading *thread)
{
	return reading->moved ? !is_thread_like(reading, thread) : asks_blocked(reading);
}

/* Takes what was asked of a thread, or of its process in its place. */
static void take_thread(struct reading *reading, struct thread_reading *thread,
			const struct machine_stat_question *asked)
{
	if (!reading->moved)
		reading->is_blocked |= !asked->error && asked->stat.state == 'D';
	else if (asked->head.passed_over)
		note_thread(reading, thread, 0, &reading->stat);
	else
		note_thread(reading, thread, asked->error, &asked->stat);
}

static void read_threads(const struct machine *machine, struct reading *readings, size_t count)
{
	struct machine_stat_question *questions, *at;
	size_t threads = 0;

	for (size_t i = 0; i < count; i++)
		threads += readings[i].count;
	questions = at = calloc(threads, sizeof(*questions));
	if (!questions)
		return; /* no memory: the next reading knows better */
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < readings[i].count; j++) {
			at->head.pid = readings[i].tgid;
			at->head.passed_over = !asks_thread(&readings[i], &readings[i].threads[j]);
			at++->tid = readings[i].threads[j].id.tid;
		}
	}
	machine_task_stats(machine, questions, threads);
	at = questions;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < readings[i].count; j++)
			take_thread(&readings[i], &readings[i].threads[j], at++);
	}
	free(questions);
}

/* What its files tell, now that they are read, of whether it has run. */
static void note_whether_it_ran(struct reading *reading, uint64_t now)
{
	bool ran = reading->first;
	uint64_t run = 0;

	if (!reading->has_stat)
		return;
	for (size_t i = 0; i < reading->count; i++) {
		const struct thread_reading *thread = &reading->threads[i];

		ran |= !thread->has_run || thread->run != thread->last_run;
		run += thread->run;
	}
	if (reading->tells_ticks)
		reading->run = run;
	if (ran || !reading->ran_at)
		reading->ran_at = now; /* a new one has had no time to show */
	reading->has_run = ran || (reading->tells_ticks && now - reading->ran_at < TICKS_WINDOW);
}

struct memory_question {
	struct patient_head head;
	pid_t parent;
	bool has_memory;
	struct memory_read memory;
};

static void ask_memory(const struct machine *machine, void *question)
{
	struct memory_question *memory = question;

	memory->has_memory = !memory_read(machine, memory->head.pid, memory->parent, &memory->memory);
}

static void take_memory(const struct machine *machine, struct reading *reading,
			const struct memory_question *question)
{
	reading->memory = question->memory;
	reading->has_memory = question->has_memory;
	if (question->head.answered || reading->last_memory.at)
		return; /* what is known of it stays */
	reading->has_memory = !memory_estimate(machine, reading->tgid, &reading->memory);
	reading->mark.at = 0;
}

static void read_memory(const struct machine *machine, struct reading *readings, size_t count)
{
	static const struct patient_kind kind = {.size = sizeof(struct memory_question),
						 .ask = ask_memory};
	struct memory_question *questions = calloc(count, kind.size);

	if (!questions)
		return;
	for (size_t i = 0; i < count; i++)
		questions[i] = (struct memory_question){
			.head = {.pid = readings[i].tgid, .passed_over = !readings[i].asks_memory},
			.parent = readings[i].parent};
	patient_ask(machine, &kind, questions, count);
	for (size_t i = 0; i < count; i++) {
		if (readings[i].asks_memory)
			take_memory(machine, &readings[i], &questions[i]);
	}
	free(questions);
}

void readings_fill(const struct machine *machine, struct reading *readings, size_t count, uint64_t now)
{
	for (size_t i = 0; i < count; i++) {
		struct reading *reading = &readings[i];

		reading->moved = read_runs(machine, reading);
		reading->at = now;
		reading->io_run = reading->run;
		reading->asks_io = reading->kinds & USAGE_IO &&
				   (reading->moved || reading->run != reading->last_io_run);
	}
	read_processes(machine, readings, count);
	for (size_t i = 0; i < count; i++) {
		if (has_run_on(&readings[i]))
			read_runs(machine, &readings[i]); /* what is missing then was no listed thread's */
	}
	read_threads(machine, readings, count);
	for (size_t i = 0; i < count; i++)
		note_whether_it_ran(&readings[i], now);
	for (size_t i = 0; i < count; i++)
		readings[i].asks_memory = readings[i].kinds & USAGE_MEMORY &&
					  has_new_memory(machine, &readings[i], now);
	read_memory(machine, readings, count);
}
