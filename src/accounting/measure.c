/* SPDX-License-Identifier: MIT */
/* Reading what live members use, and counting it. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "reading.h"

#define WINDOW 10000000u /* ns: a tick of USER_HZ */
#define WINDOW_MAX 1000000000u
#define NEXT_MAX 128u /* members: a few ms */
#define COST_SHARE 20u /* reading takes at most one part in so many of the time */

static unsigned kind_index(enum usage_kind kind)
{
	return (unsigned)__builtin_ctz(kind);
}

/* --- choosing; under the lock --- */

/* Whether the run of all threads was read for another question a moment ago. */
static bool is_run_known(const struct process *process, uint64_t now)
{
	const struct task *task;

	if (!process->measured || now - process->run_at >= WINDOW)
		return false;
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie && !task->measured)
			return false;
	}
	return true;
}

static int list_process(struct reading_list *list, const struct process *process, unsigned kinds,
			uint64_t now)
{
	struct reading *reading;
	struct task *task;

	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct reading *grown = realloc(list->readings, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->readings = grown;
		list->capacity = capacity;
	}
	reading = &list->readings[list->count];
	*reading = (struct reading){.tgid = process->tgid, .kinds = kinds};
	reading->threads = calloc(process->live, sizeof(*reading->threads));
	if (!reading->threads)
		return -ENOMEM;
	list->count++;
	reading->first = !process->measured;
	reading->ended_run = process->ended_run + process->lost_run;
	if (process->parent && process->startstack == process->parent->startstack)
		reading->parent = process->parent->tgid;
	reading->last_memory = process->memory_mark;
	reading->last_faults = process->seen.value[COUNTER_FAULTS];
	reading->is_settled = process->memory_mark.at > list->accounting->memory_changed_at;
	reading->is_answer = list->is_answer;
	reading->has_rested = process->has_rested;
	reading->is_run_known = list->is_answer && is_run_known(process, now);
	reading->last_io_run = process->io_run;
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie)
			reading->threads[reading->count++] = (struct thread_reading){
				.id = task->id, .last_run = task->measured ? task->run : UINT64_MAX};
	}
	return 0;
}

/* Lists the process for those of the kinds that were not read since `before`; marks them as read. */
static int list_stale(struct reading_list *list, struct process *process, unsigned kinds,
		      uint64_t before, uint64_t now)
{
	unsigned stale = 0;

	for (unsigned i = 0; i < USAGE_KINDS; i++) {
		if (!(kinds & 1u << i) || process->measured_at[i] > before)
			continue;
		stale |= 1u << i;
	}
	if (!stale || !process->live)
		return 0;
	int error = list_process(list, process, stale, now);
	if (!error && list->readings[list->count - 1].is_run_known)
		now = process->run_at; /* it is no newer than that */
	for (unsigned i = 0; i < USAGE_KINDS && !error; i++) {
		if (stale & 1u << i)
			process->measured_at[i] = now;
	}
	return error;
}

static int list_group(struct reading_list *list, struct group *group, unsigned kinds,
		      uint64_t before, uint64_t now)
{
	struct task_link *link;
	struct group *child;
	int error = 0;

	if (!group->populated)
		return 0;
	DL_FOREACH(group->tasks, link) {
		error = list_stale(list, link->task->process, kinds, before, now);
		if (error)
			return error;
	}
	DL_FOREACH(group->children, child) {
		error = list_group(list, child, kinds, before, now);
		if (error)
			return error;
	}
	return 0;
}

static void list_free(struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->readings[i].threads);
	free(list->readings);
}

/* A process has ended, or is reaped, when the last of its tasks has or is. */
static int list_tasks(const struct process *process, struct task_list *list, size_t *capacity)
{
	const struct task *task;
	int error = 0;

	DL_FOREACH(process->tasks, task) {
		if (!error)
			error = list_add(list, capacity, &task->id);
	}
	return error;
}

static int list_descendants(const struct process *process, struct task_list *list,
			    size_t *capacity)
{
	const struct process *child;
	int error = 0;

	DL_FOREACH2(process->unreaped, child, unreaped_next) {
		if (!error)
			error = list_tasks(child, list, capacity);
	}
	DL_FOREACH(process->children, child) {
		if (!error)
			error = list_tasks(child, list, capacity);
		if (!error)
			error = list_descendants(child, list, capacity);
	}
	return error;
}

/*
 * Descendants that are in the table as live or as zombies, of processes that seem to
 * owe: one of them may just have been reaped, and then what is known of it is not owed.
 */
static int list_children(struct accounting *accounting, const struct reading_list *readings,
			 struct task_list *list, bool *owed)
{
	size_t capacity = 0;
	int error = 0;

	for (size_t i = 0; i < readings->count && !error; i++) {
		const struct reading *reading = &readings->readings[i];
		struct process *process = process_find(accounting, reading->tgid);
		struct counters counters;

		if (!process)
			continue;
		if (!reap_owed(process, &counters) && !reading_awaits_children(reading, process)) {
			reap_settle(accounting, process, reading->at);
			continue;
		}
		*owed = true;
		error = list_descendants(process, list, &capacity);
	}
	return error;
}

static void forget_gone_threads(struct accounting *accounting, const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		const struct thread_reading *read = &reading->threads[i];
		struct task *task;

		if (read->liveness != TASK_GONE)
			continue;
		task = task_find(accounting, read->id.tid);
		if (task && task_is(task, &read->id) && task_may_forget(accounting, task))
			task_free(accounting, task);
	}
}

static void count_all(struct accounting *accounting, struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		reading_note(accounting, &list->readings[i]);
	for (size_t i = 0; i < list->count; i++)
		reading_count(accounting, &list->readings[i]);
	for (size_t i = 0; i < list->count; i++)
		reading_settle(accounting, &list->readings[i]);
	for (size_t i = 0; i < list->count; i++) {
		if (!list->readings[i].io_waits)
			forget_gone_threads(accounting, &list->readings[i]);
	}
}

static void count_waiting_io(struct accounting *accounting, const struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		reading_count_io(accounting, &list->readings[i]);
	for (size_t i = 0; i < list->count; i++) {
		if (list->readings[i].io_waits)
			forget_gone_threads(accounting, &list->readings[i]);
	}
}

static void pay_all(struct accounting *accounting, const struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct process *process = process_find(accounting, list->readings[i].tgid);

		if (process)
			reap_pay(accounting, process);
	}
}

/* Counts what was read, and what it shows that reaped children used. */
static int settle(struct accounting *accounting, struct reading_list *list)
{
	struct task_list children = {0};
	bool owed = false;
	int error;

	pthread_mutex_lock(&accounting->lock);
	count_all(accounting, list);
	error = list_children(accounting, list, &children, &owed);
	pthread_mutex_unlock(&accounting->lock);
	if (owed && !error)
		tasks_refresh(accounting, &children);
	pthread_mutex_lock(&accounting->lock);
	if (owed && !error)
		pay_all(accounting, list);
	count_waiting_io(accounting, list);
	pthread_mutex_unlock(&accounting->lock);
	free(children.tasks);
	return error;
}

/* A thread that is gone may have exec'd: then it is the leader now. */
static void look_for_execs(struct accounting *accounting, const struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct reading *reading = &list->readings[i];
		bool is_gone = false;

		for (size_t j = 0; j < reading->count; j++)
			is_gone |= reading->threads[j].liveness == TASK_GONE;
		if (is_gone && reading->count > 1)
			exec_look(accounting, reading->tgid);
	}
}

/* Reads all that is listed, and counts it. */
static int measure(struct accounting *accounting, struct reading_list *list, uint64_t now)
{
	int error;
	bool has_io = false;

	readings_fill(accounting->machine, list->readings, list->count, now);
	for (size_t i = 0; i < list->count; i++)
		has_io |= list->readings[i].has_io;
	if (has_io)
		disks_look(accounting);
	if (accounting->source && accounting->source->tells_exits)
		source_sync(accounting); /* what ended before it was read is known to have */
	else
		look_for_execs(accounting, list);
	/* One at a time: another reading may know of a child's end that this one does not. */
	pthread_mutex_lock(&accounting->settling);
	error = settle(accounting, list);
	pthread_mutex_unlock(&accounting->settling);
	return error;
}

/* --- the questions --- */

static void lock_kinds(struct accounting *accounting, unsigned kinds, bool lock)
{
	for (unsigned i = 0; i < USAGE_KINDS; i++) {
		if (kinds & 1u << i && lock)
			pthread_mutex_lock(&accounting->reading[i]);
		else if (kinds & 1u << i)
			pthread_mutex_unlock(&accounting->reading[i]);
	}
}

/* The group was read so short a time ago that it need not be again. */
static bool is_fresh(const struct group *group, enum usage_kind kind, uint64_t now)
{
	unsigned i = kind_index(kind);
	uint64_t window;

	if (!group->usage)
		return !group->populated;
	window = COST_SHARE * group->usage->read_cost[i];
	if (window < WINDOW)
		window = WINDOW;
	if (window > WINDOW_MAX)
		window = WINDOW_MAX;
	return now - group->usage->read_at[i] < window;
}

int group_measure(struct group *group, enum usage_kind kind, bool anew)
{
	struct accounting *accounting = group->accounting;
	struct reading_list list = {.accounting = accounting, .is_answer = !anew};
	uint64_t now, spent = spent_ns();
	bool fresh;
	int error = 0;

	source_sync(accounting);
	lock_kinds(accounting, kind, true);
	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	fresh = !anew && is_fresh(group, kind, now);
	if (!fresh)
		error = list_group(&list, group, kind, anew ? now : now - WINDOW, now);
	pthread_mutex_unlock(&accounting->lock);
	if (!fresh && !error) {
		error = measure(accounting, &list, now);
		pthread_mutex_lock(&accounting->lock);
		if (group->usage && !group->retired) {
			group->usage->read_at[kind_index(kind)] = now;
			group->usage->read_cost[kind_index(kind)] = spent_ns() - spent;
		}
		pthread_mutex_unlock(&accounting->lock);
	}
	lock_kinds(accounting, kind, false);
	list_free(&list);
	return error;
}

int tasks_measure(struct accounting *accounting, const struct task_list *tasks, unsigned kinds)
{
	struct reading_list list = {.accounting = accounting};
	uint64_t now;
	int error = 0;

	lock_kinds(accounting, kinds, true);
	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	for (size_t i = 0; i < tasks->count && !error; i++) {
		struct task *task = task_find(accounting, tasks->tasks[i].tid);

		/* A process' threads come together: one reading is for all. */
		if (task && task_is(task, &tasks->tasks[i]))
			error = list_stale(&list, task->process, kinds, now - 1, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!error)
		error = measure(accounting, &list, now);
	lock_kinds(accounting, kinds, false);
	list_free(&list);
	return error;
}

int reapers_measure(struct accounting *accounting)
{
	struct reading_list list = {.accounting = accounting};
	struct process *process, *next;
	uint64_t now;
	int error = 0;

	lock_kinds(accounting, USAGE_CPU, true);
	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	DL_FOREACH_SAFE2(accounting->reapers, process, next, reaper_next) {
		if (!error)
			error = list_stale(&list, process, USAGE_CPU, now, now);
		reaper_forget(accounting, process);
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!error && list.count)
		error = measure(accounting, &list, now);
	lock_kinds(accounting, USAGE_CPU, false);
	list_free(&list);
	return error;
}

/* Which processes are read of their own accord. */
struct choice {
	bool running; /* only those that had run when they were read last */
	uint64_t before; /* ns: not those that were read after it */
	size_t max;
};

/* *count: how many were read; *ran: some of them had run. */
static int measure_chosen(struct accounting *accounting, unsigned kinds, const struct choice *choice,
			  size_t *count, bool *ran)
{
	struct reading_list list = {.accounting = accounting};
	struct process *process;
	uint64_t now;
	int error = 0;

	lock_kinds(accounting, kinds, true);
	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	for (process = accounting->processes; process && list.count < choice->max && !error;
	     process = process->hh.next) {
		if (!choice->running || !process->has_rested)
			error = list_stale(&list, process, kinds, choice->before, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!error)
		error = measure(accounting, &list, now);
	lock_kinds(accounting, kinds, false);
	*count = list.count;
	*ran = false;
	for (size_t i = 0; i < list.count; i++)
		*ran |= list.readings[i].has_stat || list.readings[i].is_blocked;
	list_free(&list);
	return error;
}

int accounting_measure_next(struct accounting *accounting, unsigned kinds, uint64_t *round, bool *ran)
{
	const struct choice choice = {.before = *round, .max = NEXT_MAX};
	size_t count;
	int error = measure_chosen(accounting, kinds, &choice, &count, ran);

	if (!error && count < NEXT_MAX)
		*round = now_ns();
	return error;
}

int accounting_measure_running(struct accounting *accounting, unsigned kinds, bool *ran)
{
	const struct choice choice = {.running = true, .before = now_ns() - WINDOW, .max = SIZE_MAX};
	size_t count;

	return measure_chosen(accounting, kinds, &choice, &count, ran);
}
