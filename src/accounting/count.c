/* Counting what was read: from the threads and the process to their groups. */
#include <string.h>

#include <utlist.h>

#include "reading.h"

/* Charges run time to the thread's groups, less what the process was charged without knowing whose it was. */
void count_run(struct accounting *accounting, struct task *task, uint64_t run,
		      const struct counters *ticks, uint64_t all)
{
	struct process *process = task->process;
	struct counters delta = {0};
	uint64_t grown = run - task->run;
	uint64_t known = grown < process->lost_run ? grown : process->lost_run;

	task->run = run;
	process->lost_run -= known;
	delta.value[COUNTER_RUN] = grown - known;
	for (enum counter i = COUNTER_USER; i <= COUNTER_SYSTEM && all; i++)
		delta.value[i] = (uint64_t)((__uint128_t)ticks->value[i] * grown / all);
	usage_count(accounting, task->links, &delta, task->cpu);
}

static uint64_t known_run(const struct process *process)
{
	uint64_t run = process->ended_run;
	struct task *task;

	DL_FOREACH(process->tasks, task)
		run += task->run;
	return run;
}

/* Threads that came and went unseen: the process has run longer than all that are known. */
static void count_lost_run(struct accounting *accounting, struct process *process,
			   const struct task *leader, uint64_t total)
{
	struct counters delta = {0};
	uint64_t known = known_run(process);

	if (total <= known + process->lost_run)
		return;
	delta.value[COUNTER_RUN] = total - known - process->lost_run;
	process->lost_run = total - known;
	usage_count(accounting, leader->links, &delta, leader->cpu);
}

static struct counters counters_of_stat(const struct machine_task_stat *stat)
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

/* A process that was there before it became a member: from here on it counts. */
static void start_process(struct process *process, const struct reading *reading)
{
	uint64_t known = known_run(process);

	process->measured = true;
	process->seen = counters_of_stat(&reading->stat);
	if (process->seen.value[COUNTER_RUN] > known)
		process->ended_run = process->seen.value[COUNTER_RUN] - known + 2 * MACHINE_TICK_NS;
	process->reaped.now = process->reaped.start = counters_of_children(&reading->stat);
	strcpy(process->comm, reading->stat.comm);
}

static void count_io(struct accounting *accounting, struct process *process,
		     const struct reading *reading, const struct task *leader)
{
	bool first = !process->measured_io;
	struct counters now = {{
		[COUNTER_READ] = reading->io.read_bytes,
		[COUNTER_WRITTEN] = reading->io.write_bytes,
	}};
	struct counters delta = counters_grow(&process->seen, &now);

	process->measured_io = true;
	if (first)
		return;
	io_count_requests(accounting, process, &delta);
	usage_count(accounting, leader->links, &delta, leader->cpu);
}

/* Threads first: what they ran, by their own groups. */
static void count_threads(struct accounting *accounting, struct process *process,
			  struct reading *reading, const struct counters *ticks)
{
	uint64_t all = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < reading->count; i++) {
			struct thread_reading *read = &reading->threads[i];
			struct task *task = task_find(accounting, read->id.tid);

			if (!task || task->process != process || !task_is(task, &read->id) ||
			    read->liveness == TASK_GONE || !read->has_run)
				continue;
			task->id.start_time = read->id.start_time ? read->id.start_time
								  : task->id.start_time;
			if (reading->has_stat)
				task->cpu = read->cpu;
			if (!task->measured)
				task->run = read->run;
			task->measured = true;
			if (read->run <= task->run)
				continue;
			if (pass)
				count_run(accounting, task, read->run, ticks, all);
			else
				all += read->run - task->run;
		}
	}
}

/* An exec frees all that was held; the connector tells of it, else a new name does. */
static void notice_exec(struct accounting *accounting, struct process *process, const char *comm)
{
	if (!strcmp(process->comm, comm))
		return;
	strcpy(process->comm, comm);
	memory_release(accounting, process);
}

void reading_count(struct accounting *accounting, struct reading *reading)
{
	struct process *process = process_find(accounting, reading->tgid);
	bool first = process && !process->measured;
	struct counters now = {0}, delta = {0};
	const struct task *leader;

	if (!process || !process->live)
		return;
	if (reading->has_stat) {
		process->pgrp = reading->stat.pgrp;
		process->session = reading->stat.session;
		now = counters_of_stat(&reading->stat);
		if (!first)
			delta = counters_grow(&process->seen, &now);
	}
	count_threads(accounting, process, reading, &delta);
	leader = process_leader(process);
	if (first && reading->has_stat) {
		start_process(process, reading);
	} else if (reading->has_stat) {
		count_lost_run(accounting, process, leader, now.value[COUNTER_RUN]);
		now = counters_of_children(&reading->stat);
		counters_grow(&process->reaped.now, &now);
		delta.value[COUNTER_RUN] = delta.value[COUNTER_USER] =
			delta.value[COUNTER_SYSTEM] = 0; /* the threads' */
		usage_count(accounting, leader->links, &delta, leader->cpu);
		notice_exec(accounting, process, reading->stat.comm);
		process_set_parent(accounting, process, reading->stat.ppid);
	}
	if (reading->has_io)
		count_io(accounting, process, reading, leader);
	if (reading->has_memory) {
		memory_hold(accounting, process, &reading->memory);
		process->memory_run = reading->run;
	}
}

