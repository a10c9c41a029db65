/* SPDX-License-Identifier: MIT */
/* When members are read: not again within a window, and never twice for one answer. */
#include <utlist.h>

#include "reading.h"

#define WINDOW_MAX 1000000000u /* ns */
#define NEXT_MAX 128u /* members: a few ms */
#define COST_SHARE 20u /* reading takes at most one part in so many of the time */

static unsigned kind_index(enum usage_kind kind)
{
	return (unsigned)__builtin_ctz(kind);
}

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

/*
 * Once the readings show that somebody's memory has changed: those who rest may share it. Their memory was
 * not read for that; the next answer would do so. `now` as of the readings.
 */
static int measure_sharers(const struct reading_list *readings, uint64_t now)
{
	struct accounting *accounting = readings->accounting;
	struct reading_list list = {.accounting = accounting, .is_answer = readings->is_answer};
	int error;

	pthread_mutex_lock(&accounting->lock);
	if (accounting->memory_changed_at >= now)
		list.number = ++accounting->readings;
	for (size_t i = 0; i < readings->count && list.number; i++) {
		struct process *process = process_find(accounting, readings->readings[i].tgid);

		if (process && reading_is_outdated(&readings->readings[i], now))
			list_stale(&list, process, USAGE_MEMORY, now, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = list_measure(&list, now);
	list_free(&list);
	return error;
}

int group_measure(struct group *group, enum usage_kind kind, bool anew)
{
	struct accounting *accounting = group->accounting;
	struct reading_list list = {.accounting = accounting, .is_answer = !anew};
	uint64_t now, spent = spent_ns();
	bool fresh;
	int error;

	source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	if (anew || !is_fresh(group, kind, now_ns()))
		group_await_reading(group, kind);
	now = now_ns();
	fresh = !anew && is_fresh(group, kind, now);
	if (!fresh) {
		list.number = ++accounting->readings;
		list_group(&list, group, kind, anew ? now : now - READING_WINDOW, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	if (fresh)
		return 0;
	error = list_measure(&list, now);
	if (kind == USAGE_MEMORY && !error)
		error = measure_sharers(&list, now);
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
	int error;

	pthread_mutex_lock(&accounting->lock);
	tasks_await_reading(accounting, tasks, kinds);
	list.number = ++accounting->readings;
	now = now_ns();
	for (size_t i = 0; i < tasks->count; i++) {
		const struct task *task = task_known(accounting, &tasks->tasks[i]);

		/* A process' threads come together: one reading is for all. */
		if (task)
			list_stale(&list, task->process, kinds, now - 1, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = list_measure(&list, now);
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
	int error;

	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	DL_FOREACH_SAFE2(accounting->reapers, process, next, reaped.listed.next) {
		list_stale(&list, process, USAGE_CPU, now, now);
		reaper_forget(accounting, process);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = list_measure(&list, now);
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
	return !process->memory.mark.at || process->memory.mark.run != run;
}

static bool is_running(const struct process *process, unsigned kinds)
{
	return !process->read.has_rested || (kinds & USAGE_MEMORY && is_memory_behind(process));
}

/* *count: how many were read; *ran: some of them had run. */
static int measure_chosen(struct accounting *accounting, unsigned kinds, const struct choice *choice,
			  size_t *count, bool *ran)
{
	struct reading_list list = {.accounting = accounting};
	struct process *process;
	unsigned wanted = kinds;
	uint64_t now;
	int error;

	pthread_mutex_lock(&accounting->lock);
	now = now_ns();
	if (!(accounting->tracked & USAGE_MEMORY))
		wanted &= ~(unsigned)USAGE_MEMORY;
	for (process = accounting->processes; process && list.count < choice->max;
	     process = process->hh.next) {
		if (!choice->running || is_running(process, wanted))
			list_stale(&list, process, wanted, choice->before, now);
	}
	pthread_mutex_unlock(&accounting->lock);
	error = list_measure(&list, now);
	*count = list.count;
	*ran = false;
	for (size_t i = 0; i < list.count; i++)
		*ran |= list.readings[i].has_run || list.readings[i].is_blocked;
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
