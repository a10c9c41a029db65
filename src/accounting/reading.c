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

/* --- what may never be answered --- */

struct io_question {
	struct patient_head head;
	bool has_io;
	struct machine_task_io io;
};

static void ask_io(const struct machine *machine, void *question)
{
	struct io_question *io = question;

	io->has_io = !machine_task_io(machine, io->head.pid, 0, &io->io);
}

struct memory_question {
	struct patient_head head;
	pid_t parent;
	bool has_memory;
	struct memory_usage memory;
	uint64_t shared;
};

static void ask_memory(const struct machine *machine, void *question)
{
	struct memory_question *memory = question;

	memory->has_memory = !memory_read(machine, memory->head.pid, memory->parent, &memory->memory,
					  &memory->shared);
}

/* Which of the readings ask: an array for the questions, NULL where there are none, or no memory. */
static void *new_questions(const struct reading *readings, size_t count, bool asks_memory, size_t size,
			   size_t *wanted)
{
	*wanted = 0;
	for (size_t i = 0; i < count; i++)
		*wanted += asks_memory ? readings[i].asks_memory : readings[i].asks_io;
	return *wanted ? calloc(*wanted, size) : NULL;
}

static void read_io(const struct machine *machine, struct reading *readings, size_t count)
{
	static const struct patient_kind kind = {.size = sizeof(struct io_question), .ask = ask_io};
	size_t wanted;
	struct io_question *questions = new_questions(readings, count, false, kind.size, &wanted);
	struct io_question *at = questions;

	if (!questions)
		return;
	for (size_t i = 0; i < count; i++) {
		if (readings[i].asks_io)
			*at++ = (struct io_question){.head.pid = readings[i].tgid};
	}
	patient_ask(machine, &kind, questions, wanted);
	at = questions;
	for (size_t i = 0; i < count; i++) {
		if (!readings[i].asks_io)
			continue;
		readings[i].has_io = at->head.answered && at->has_io;
		readings[i].io = at++->io;
	}
	free(questions);
}

static void take_memory(const struct machine *machine, struct reading *reading,
			const struct memory_question *question)
{
	reading->memory = question->memory;
	reading->shared = question->shared;
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
	size_t wanted;
	struct memory_question *questions = new_questions(readings, count, true, kind.size, &wanted);
	struct memory_question *at = questions;

	if (!questions)
		return;
	for (size_t i = 0; i < count; i++) {
		if (readings[i].asks_memory)
			*at++ = (struct memory_question){.head.pid = readings[i].tgid,
							 .parent = readings[i].parent};
	}
	patient_ask(machine, &kind, questions, wanted);
	at = questions;
	for (size_t i = 0; i < count; i++) {
		if (readings[i].asks_memory)
			take_memory(machine, &readings[i], at++);
	}
	free(questions);
}

/* --- in their order --- */

/* Before the I/O: whether it may have grown. */
static void begin(const struct machine *machine, struct reading *reading, uint64_t now)
{
	reading->moved = read_runs(machine, reading);
	reading->at = now;
	reading->io_run = reading->run;
	reading->asks_io = reading->kinds & USAGE_IO &&
			   (reading->moved || reading->run != reading->last_io_run);
}

static void go_on(const struct machine *machine, struct reading *reading, uint64_t now)
{
	if (reading->moved) {
		reading->has_stat = !machine_task_stat(machine, reading->tgid, 0, &reading->stat);
		if (has_run_on(reading))
			read_runs(machine, reading); /* what is missing then was no listed thread's */
		for (size_t i = 0; i < reading->count; i++)
			read_thread(machine, reading, &reading->threads[i]);
	}
	reading->is_blocked = !reading->moved && !reading->is_run_known && !reading->has_rested &&
			      is_blocked(machine, reading);
	reading->asks_memory = reading->kinds & USAGE_MEMORY && has_new_memory(machine, reading, now);
}

void readings_fill(const struct machine *machine, struct reading *readings, size_t count, uint64_t now)
{
	for (size_t i = 0; i < count; i++)
		begin(machine, &readings[i], now);
	/* Before the stat, which tells whether children were waited for, whose I/O is in it. */
	read_io(machine, readings, count);
	for (size_t i = 0; i < count; i++)
		go_on(machine, &readings[i], now);
	read_memory(machine, readings, count);
}
