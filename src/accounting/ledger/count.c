/* SPDX-License-Identifier: MIT */
/* Counting what was read: from the threads and the process to their groups. */
#include <string.h>

#include <utlist.h>

#include "count.h"

void count_run(struct accounting *accounting, struct task *task, uint64_t run,
	       const struct counters *ticks, uint64_t all, uint64_t *explained)
{
	struct counters delta = {0};
	uint64_t grown = run - task->run;
	uint64_t known = grown < *explained ? grown : *explained;

	assert_locked(&accounting->lock);
	task->run = run;
	*explained -= known;
	task->process->counted.lost_run -= known;
	delta.value[COUNTER_RUN] = grown - known;
	for (enum counter i = COUNTER_USER; i <= COUNTER_SYSTEM; i++)
		delta.value[i] = number_scale(ticks->value[i], grown, all);
	usage_count(accounting, task->links, &delta, task->cpu);
}

static uint64_t known_run(const struct process *process)
{
	uint64_t run = process->counted.ended_run;
	struct task *task;

	DL_FOREACH(process->tasks, task)
		run += task->run;
	return run;
}

/* A thread that is gone since it was read, or the leader. */
static const struct task *last_gone(struct accounting *accounting, const struct process *process,
				    const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		const struct task *task = task_find(accounting, reading->threads[i].id.tid);

		if (reading->threads[i].liveness == TASK_GONE && task && task->process == process)
			return task;
	}
	return process_leader(process);
}

/* Else the process may have run what is not known of one of them. */
static bool are_threads_known(const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		if (reading->threads[i].liveness == TASK_UNKNOWN)
			return false;
	}
	return true;
}

/*
 * The process has run longer than all that is known of its threads: some came
 * and went unseen, ended after they were read, or are not found yet.
 */
static void count_lost_run(struct accounting *accounting, struct process *process,
			   const struct reading *reading, uint64_t total)
{
	const struct task *task = last_gone(accounting, process, reading);
	struct counters delta = {0};
	uint64_t known = known_run(process);

	if (total <= known + process->counted.lost_run || !are_threads_known(reading))
		return;
	delta.value[COUNTER_RUN] = total - known - process->counted.lost_run;
	process->counted.lost_run = total - known;
	usage_count(accounting, task->links, &delta, task->cpu);
}

/* How much of what was lost has shown up now that the threads have grown by so much. */
static uint64_t explain_lost_run(const struct process *process, uint64_t grown, uint64_t total)
{
	uint64_t known = known_run(process) + grown;
	uint64_t lost = total > known ? total - known : 0;

	return process->counted.lost_run > lost ? process->counted.lost_run - lost : 0;
}

struct counters counters_of_stat(const struct machine_task_stat *stat)
{
	return (struct counters){{
		[COUNTER_RUN] = (stat->utime + stat->stime) * MACHINE_TICK_NS,
		[COUNTER_USER] = stat->utime * MACHINE_TICK_NS,
		[COUNTER_SYSTEM] = stat->stime * MACHINE_TICK_NS,
		[COUNTER_FAULTS] = stat->minflt + stat->majflt,
		[COUNTER_MAJOR_FAULTS] = stat->majflt,
	}};
}

static struct counters counters_of_children(const struct machine_task_stat *stat)
{
	uint64_t user = (uint64_t)stat->cutime, system = (uint64_t)stat->cstime;

	return (struct counters){{
		[COUNTER_RUN] = (user + system) * MACHINE_TICK_NS,
		[COUNTER_USER] = user * MACHINE_TICK_NS,
		[COUNTER_SYSTEM] = system * MACHINE_TICK_NS,
		[COUNTER_FAULTS] = stat->cminflt + stat->cmajflt,
		[COUNTER_MAJOR_FAULTS] = stat->cmajflt,
	}};
}

/* What *seen grew by; *seen becomes now, but never less than it was. */
struct counters counters_grow(struct counters *seen, const struct counters *now)
{
	struct counters delta = {0};

	for (enum counter i = 0; i < COUNTERS; i++) {
		if (now->value[i] <= seen->value[i])
			continue;
		delta.value[i] = now->value[i] - seen->value[i];
		seen->value[i] = now->value[i];
	}
	return delta;
}

/* Which program it runs. */
static void note_program(struct process *process, const struct machine_task_stat *stat)
{
	process->origin.startstack = stat->startstack;
	strcpy(process->origin.comm, stat->comm);
}

/* Every child has had a fault. For whom one waited that only now becomes a member is not of interest. */
static void note_reaped(struct process *process, const struct reading *reading)
{
	const struct counters now = counters_of_children(&reading->stat);

	if (counters_grow(&process->reaped.figures.now, &now).value[COUNTER_FAULTS] && process->claims)
		/* not when the reading began: a scan may have come after */
		process->reaped.waited_at = now_ns();
}

/* A process that was there before it became a member: from here on it counts. */
static void start_process(struct process *process, const struct reading *reading)
{
	uint64_t known = known_run(process);

	process->counted.measured = true;
	process->counted.seen = counters_of_stat(&reading->stat);
	if (process->counted.seen.value[COUNTER_RUN] > known)
		process->counted.ended_run =
			process->counted.seen.value[COUNTER_RUN] - known + 2 * MACHINE_TICK_NS;
	note_reaped(process, reading);
	process->reaped.figures.start = process->reaped.figures.now;
	note_program(process, &reading->stat);
}

/* A process' /proc/PID/io has its reaped children's too (wait_task_zombie): what they were counted for. */
static uint64_t without_children(const struct process *process, enum counter counter, uint64_t value)
{
	uint64_t children = process->reaped.figures.credited.value[counter] -
			    process->reaped.zombies_known.value[counter];

	return value > children ? value - children : 0;
}

static struct counters own_io(const struct process *process, const struct machine_task_io *io)
{
	return (struct counters){{
		[COUNTER_READ] = without_children(process, COUNTER_READ, io->read_bytes),
		[COUNTER_WRITTEN] = without_children(process, COUNTER_WRITTEN, io->write_bytes),
	}};
}

static void count_io(struct accounting *accounting, struct process *process,
		     const struct reading *reading)
{
	const struct task *leader = process_leader(process);
	const struct counters now = own_io(process, &reading->io);
	struct counters delta = counters_grow(&process->counted.seen, &now);
	bool first = !process->io.measured;

	process->io.measured = true;
	process->io.run = reading->io_run;
	process->io.reaped = process->reaped.figures.now.value[COUNTER_FAULTS];
	if (first)
		return;
	io_count_requests(accounting, process, &delta);
	usage_count(accounting, leader->links, &delta, leader->cpu);
}

bool reading_awaits_children(const struct reading *reading, const struct process *process)
{
	const struct counters now = own_io(process, &reading->io), *seen = &process->counted.seen;

	return reading->io_waits && (now.value[COUNTER_READ] > seen->value[COUNTER_READ] ||
				     now.value[COUNTER_WRITTEN] > seen->value[COUNTER_WRITTEN]);
}

void reading_count_io(struct accounting *accounting, const struct reading *reading)
{
	struct process *process = process_find(accounting, reading->tgid);

	if (process && process->live && reading->io_waits)
		count_io(accounting, process, reading);
}

/* The task that was read, if it is still the same and its run time was read. */
static struct task *task_of(struct accounting *accounting, const struct process *process,
			    const struct thread_reading *read)
{
	struct task *task = task_known(accounting, &read->id);

	if (!task || task->process != process || read->liveness == TASK_GONE ||
	    read->liveness == TASK_UNKNOWN || !read->has_run)
		return NULL;
	if (task->zombie)
		return NULL; /* it ended since, and was counted then */
	return task;
}

/* What is known of the threads now, but for their run time. The sum of what that grew by. */
static uint64_t note_threads(struct accounting *accounting, struct process *process,
			     const struct reading *reading)
{
	uint64_t grown = 0;

	for (size_t i = 0; i < reading->count; i++) {
		const struct thread_reading *read = &reading->threads[i];
		struct task *task = task_of(accounting, process, read);

		if (!task)
			continue;
		if (read->id.start_time)
			task->id.start_time = read->id.start_time;
		if (reading->has_stat)
			task->cpu = read->cpu;
		if (read->waited > task->marks.waited)
			task->marks.waited = read->waited;
		if (!task->measured)
			task->run = read->run;
		task->measured = true;
		if (read->run > task->run)
			grown += read->run - task->run;
	}
	return grown;
}

/* What the threads ran, to their own groups, with their part of the process' ticks. */
static void count_threads(struct accounting *accounting, struct process *process,
			  const struct reading *reading, const struct counters *ticks,
			  uint64_t total)
{
	uint64_t grown = note_threads(accounting, process, reading);
	uint64_t explained = explain_lost_run(process, grown, total), nothing = 0;

	for (size_t i = 0; i < reading->count; i++) {
		const struct thread_reading *read = &reading->threads[i];
		struct task *task = task_of(accounting, process, read);

		if (task && read->run > task->run)
			count_run(accounting, task, read->run, ticks, grown,
				  task->run ? &nothing : &explained);
	}
}

/*
 * An exec frees all that was held. Events tell of it, else a new stack does, at random (ASLR). On its way
 * (begin_new_exec()) a process has none.
 */
static void notice_exec(struct accounting *accounting, struct process *process,
			const struct machine_task_stat *stat)
{
	bool has_stack = process->origin.startstack || stat->startstack;
	bool is_other = has_stack ? process->origin.startstack != stat->startstack
				  : strcmp(process->origin.comm, stat->comm);

	note_program(process, stat);
	if (is_other)
		memory_release(accounting, process);
}

void reading_note(struct accounting *accounting, const struct reading *reading)
{
	struct process *process = process_find(accounting, reading->tgid);

	if (process && process->live && reading->has_memory)
		sharing_note(process, reading->memory.held.anon, reading->memory.shared);
}

void reading_count(struct accounting *accounting, struct reading *reading)
{
	struct process *process = process_find(accounting, reading->tgid);
	bool first = process && !process->counted.measured;
	struct counters now = {0}, delta = {0};
	const struct task *leader;

	if (!process || !process->live)
		return;
	if (!reading->is_run_known)
		process->read.has_rested = !reading->has_run && !reading->is_blocked;
	if (reading->ran_at > process->read.ran_at)
		process->read.ran_at = reading->ran_at;
	if (reading->is_answer && !reading->is_run_known)
		process->read.run_at = reading->at;
	if (reading->has_stat) {
		process->origin.pgrp = reading->stat.pgrp;
		process->origin.session = reading->stat.session;
		now = counters_of_stat(&reading->stat);
		if (!first)
			delta = counters_grow(&process->counted.seen, &now);
	}
	count_threads(accounting, process, reading, &delta, now.value[COUNTER_RUN]);
	leader = process_leader(process);
	if (first && reading->has_stat) {
		start_process(process, reading);
	} else if (reading->has_stat) {
		count_lost_run(accounting, process, reading, now.value[COUNTER_RUN]);
		note_reaped(process, reading);
		delta.value[COUNTER_RUN] = delta.value[COUNTER_USER] =
			delta.value[COUNTER_SYSTEM] = 0; /* the threads' */
		usage_count(accounting, leader->links, &delta, leader->cpu);
		notice_exec(accounting, process, &reading->stat);
		if (reading->at >= process->orphan.adopted_at)
			process_set_parent(accounting, process, reading->stat.ppid);
	}
	reading->io_waits = reading->has_io && (process->children || process->reaped.zombies) &&
			    process->reaped.figures.now.value[COUNTER_FAULTS] > process->io.reaped;
	if (reading->has_io && !reading->io_waits)
		count_io(accounting, process, reading);
	if (reading->has_memory) {
		/* an exec cleared it */
		sharing_note(process, reading->memory.held.anon, reading->memory.shared);
		memory_hold(accounting, process, &reading->memory.held, reading->at);
		high_water_note(accounting, process, reading->memory.high, reading->memory.resident);
		process->memory.mark = reading->mark;
		if (sharing_is_doubtful(process))
			process->memory.mark.at = 0; /* read again, whatever its other files say */
	}
}

void reading_settle(struct accounting *accounting, const struct reading *reading)
{
	const struct process *process = process_find(accounting, reading->tgid);

	if (process && reading->has_memory)
		memory_settle(accounting, process, reading->at);
}
