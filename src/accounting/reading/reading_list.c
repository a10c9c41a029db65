/* SPDX-License-Identifier: MIT */
/* Choosing which processes to read; and waiting for those that are being read. All under the lock. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "array.h"
#include "reading.h"

/* Whether the run of all threads was read for another question a moment ago. */
static bool is_run_known(const struct process *process, uint64_t now)
{
	const struct task *task;

	if (!process->counted.measured || now - process->read.run_at >= READING_WINDOW)
		return false;
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie && !task->measured)
			return false;
	}
	return true;
}

static void list_process(struct reading_list *list, const struct process *process, unsigned kinds,
			 uint64_t now)
{
	struct reading *reading = array_room(list->readings, list->count, &list->capacity, sizeof(*reading));
	struct thread_reading *threads = calloc(process->live, sizeof(*threads));
	struct task *task;

	if (reading)
		list->readings = reading;
	if (!reading || !threads) {
		free(threads);
		list->error = -ENOMEM;
		return;
	}
	reading += list->count++;
	*reading = (struct reading){.tgid = process->tgid, .kinds = kinds, .threads = threads};
	reading->first = !process->counted.measured;
	reading->ended_run = process->counted.ended_run + process->counted.lost_run;
	if (process->parent && process->origin.startstack == process->parent->origin.startstack)
		reading->parent = process->parent->tgid;
	reading->last_memory = process->memory.mark;
	reading->last_faults = process->counted.seen.value[COUNTER_FAULTS];
	reading->is_settled = process->memory.mark.at > list->accounting->memory_changed_at;
	reading->is_answer = list->is_answer;
	reading->has_rested = process->read.has_rested;
	reading->ran_at = process->read.ran_at;
	reading->is_run_known = list->is_answer && is_run_known(process, now);
	reading->measured_at = reading->is_run_known ? process->read.run_at : now;
	reading->last_io_run = process->io.run;
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie)
			reading->threads[reading->count++] = (struct thread_reading){
				.id = task->id, .last_run = task->measured ? task->run : UINT64_MAX};
	}
}

/* Whether a reading that began before that of this number is at one of the kinds. */
static bool is_being_read(const struct process *process, unsigned kinds, uint64_t number)
{
	for (unsigned i = 0; i < USAGE_KINDS; i++) {
		if (kinds & 1u << i && process->read.by[i] && process->read.by[i] < number)
			return true;
	}
	return false;
}

void list_stale(struct reading_list *list, struct process *process, unsigned kinds, uint64_t before,
		uint64_t now)
{
	unsigned stale = 0;

	assert_locked(&list->accounting->lock);
	for (unsigned i = 0; i < USAGE_KINDS; i++) {
		if (kinds & 1u << i && process->read.at[i] <= before &&
		    !(list->number && process->read.by[i]))
			stale |= 1u << i;
	}
	if (!stale || !process->live || list->error)
		return;
	list_process(list, process, stale, now);
	for (unsigned i = 0; i < USAGE_KINDS && list->number && !list->error; i++) {
		if (stale & 1u << i)
			process->read.by[i] = list->number;
	}
}

void list_group(struct reading_list *list, struct group *group, unsigned kinds, uint64_t before,
		uint64_t now)
{
	struct task_link *link;
	struct group *child;

	assert_locked(&group->accounting->lock);
	if (!group->populated)
		return;
	DL_FOREACH(group->tasks, link)
		list_stale(list, link->task->process, kinds, before, now);
	DL_FOREACH(group->children, child)
		list_group(list, child, kinds, before, now);
}

void list_free(struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->readings[i].threads);
	free(list->readings);
}

/* What a reading has of a process is counted: whoever asks goes by it, and need not wait any more. */
static void process_is_read(const struct reading_list *list, const struct reading *reading)
{
	struct process *process = process_find(list->accounting, reading->tgid);

	for (unsigned i = 0; i < USAGE_KINDS && process; i++) {
		if (!(reading->kinds & 1u << i))
			continue;
		if (process->read.at[i] < reading->measured_at)
			process->read.at[i] = reading->measured_at;
		if (list->number && process->read.by[i] == list->number)
			process->read.by[i] = 0;
	}
}

void list_is_read(struct reading_list *list)
{
	assert_locked(&list->accounting->lock);
	for (size_t i = 0; i < list->count; i++)
		process_is_read(list, &list->readings[i]);
	pthread_cond_broadcast(&list->accounting->has_read);
}

static bool is_group_being_read(const struct group *group, unsigned kinds, uint64_t number)
{
	const struct task_link *link;
	const struct group *child;

	if (!group->populated)
		return false;
	DL_FOREACH(group->tasks, link) {
		if (is_being_read(link->task->process, kinds, number))
			return true;
	}
	DL_FOREACH(group->children, child) {
		if (is_group_being_read(child, kinds, number))
			return true;
	}
	return false;
}

static bool are_tasks_being_read(struct accounting *accounting, const struct task_list *tasks, unsigned kinds,
				 uint64_t number)
{
	for (size_t i = 0; i < tasks->count; i++) {
		const struct task *task = task_find(accounting, tasks->tasks[i].tid);

		if (task && is_being_read(task->process, kinds, number))
			return true;
	}
	return false;
}

void group_await_reading(struct group *group, unsigned kinds)
{
	struct accounting *accounting = group->accounting;
	const uint64_t next = accounting->readings + 1;

	assert_locked(&accounting->lock);
	while (is_group_being_read(group, kinds, next))
		pthread_cond_wait(&accounting->has_read, &accounting->lock);
}

void tasks_await_reading(struct accounting *accounting, const struct task_list *tasks, unsigned kinds)
{
	const uint64_t next = accounting->readings + 1;

	assert_locked(&accounting->lock);
	while (are_tasks_being_read(accounting, tasks, kinds, next))
		pthread_cond_wait(&accounting->has_read, &accounting->lock);
}
