/* SPDX-License-Identifier: MIT */
/* Reading what live members use, and counting it. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "reading.h"

#define WINDOW_MAX 1000000000u /* ns */
#define NEXT_MAX 128u /* members: a few ms */
#define COST_SHARE 20u /* reading takes at most one part in so many of the time */

static unsigned kind_index(enum usage_kind kind)
{
	return (unsigned)__builtin_ctz(kind);
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

static int read_and_count(struct accounting *accounting, struct reading_list *list, uint64_t now)
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

/* Reads all that is listed, and counts it, if listing met no `error`; lets those go on who wait for it. */
static int measure(struct reading_list *list, int error, uint64_t now)
{
	struct accounting *accounting = list->accounting;

	if (!error && list->count)
		error = read_and_count(accounting, list, now);
	pthread_mutex_lock(&accounting->lock);
	list_is_read(list);
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

/* --- the questions --- */

/* The group was read so short a time ago that it need not be again. */
static bool is_fresh(const struct group *group, enum usage_kind kind, uint64_t now)
{
	unsigned i = kind_index(kind);
	uint64_t window;

	if (!group->usage)
		return !group->populated;
	window = COST_SHARE * group->usage->read_cost[i];
	if (window < READING_WINDOW)
		window = READING_WINDOW;
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
	pthread_mutex_lock(&accounting->lock);
	if (anew || !is_fresh(group, kind, now_ns()))
		group_await_reading(group, kind);
	now = now_ns();
	fresh = !anew && is_fresh(group, kind, now);
	if (!fresh) {
		list.number = ++accounting->readings;
		error = list_group(&list, group, kind, anew ? now : now - READING_WINDOW, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	if (fresh)
		return 0;
	error = measure(&list, error, now);
	pthread_mutex_lock(&accounting->lock);
	group_await_reading(group, kind);
	if (!error && group->usage && !group->retired) {
		group->usage->read_at[kind_index(kind)] = now;
		group->usage->read_cost[kind_index(kind)] = spent_ns() - spent;
	}
	pthread_mutex_unlock(&accounting->lock);
	list_free(&list);
	return error;
}

int tasks_measure(struct accounting *accounting, const struct task_list *tasks, unsigned kinds)
{
	struct reading_list list = {.accounting = accounting};
	uint64_t now;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	tasks_await_reading(accounting, tasks, kinds);
	list.number = ++accounting->readings;
	now = now_ns();
	for (size_t i = 0; i < tasks->count && !error; i++) {
		struct task *task = task_find(accounting, tasks->tasks[i].tid);

		/* A process' threads come together: one reading is for all. */
		if (task && task_is(task, &tasks->tasks[i]))
			error = list_stale(&list, task->process, kinds, now - 1, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = measure(&list, error, now);
	pthread_mutex_lock(&accounting->lock);
	tasks_await_reading(accounting, tasks, kinds);
	pthread_mutex_unlock(&accounting->lock);
	list_free(&list);
	return error;
}

int reapers_measure(struct accounting *accounting)
{
	struct reading_list list = {.accounting = accounting};
	struct process *process, *next;
	uint64_t now;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	DL_FOREACH_SAFE2(accounting->reapers, process, next, reaper_next) {
		if (!error)
			error = list_stale(&list, process, USAGE_CPU, now, now);
		reaper_forget(accounting, process);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = measure(&list, error, now);
	list_free(&list);
	return error;
}

/* Which processes are read of their own accord. */
struct choice {
	bool running; /* only those that had run when they were read last */
	uint64_t before; /* ns: not those that were read after it */
	size_t max;
};

/* It has run since its memory was read, or that never was. */
static bool is_memory_behind(const struct process *process)
{
	const struct task *task;
	uint64_t run = 0;

	DL_FOREACH(process->tasks, task) {
		if (!task->zombie)
			run += task->run;
	}
	return !process->memory_mark.at || process->memory_mark.run != run;
}

static bool is_running(const struct process *process, unsigned kinds)
{
	return !process->has_rested || (kinds & USAGE_MEMORY && is_memory_behind(process));
}

/* *count: how many were read; *ran: some of them had run. */
static int measure_chosen(struct accounting *accounting, unsigned kinds, const struct choice *choice,
			  size_t *count, bool *ran)
{
	struct reading_list list = {.accounting = accounting};
	struct process *process;
	unsigned wanted = kinds;
	uint64_t now;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	if (!(accounting->tracked & USAGE_MEMORY))
		wanted &= ~(unsigned)USAGE_MEMORY;
	for (process = accounting->processes; process && list.count < choice->max && !error;
	     process = process->hh.next) {
		if (!choice->running || is_running(process, wanted))
			error = list_stale(&list, process, wanted, choice->before, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = measure(&list, error, now);
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
	const struct choice choice = {.running = true, .before = now_ns() - READING_WINDOW, .max = SIZE_MAX};
	size_t count;

	return measure_chosen(accounting, kinds, &choice, &count, ran);
}
