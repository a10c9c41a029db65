/* SPDX-License-Identifier: MIT */
/* Counting what was read, once who ended meanwhile is known. */
#include <stdlib.h>

#include <utlist.h>

#include "reading.h"

/* A process has ended, or is reaped, when the last of its tasks has or is. */
static void list_tasks(const struct process *process, struct task_list *list)
{
	const struct task *task;

	DL_FOREACH(process->tasks, task)
		list_add(list, &task->id);
}

static void list_descendants(const struct process *process, struct task_list *list)
{
	const struct process *child;

	DL_FOREACH2(process->reaped.zombies, child, reaped.next)
		list_tasks(child, list);
	DL_FOREACH(process->children, child) {
		list_tasks(child, list);
		list_descendants(child, list);
	}
}

/*
 * Descendants that are in the table as live or as zombies, of processes that seem to
 * owe: one of them may just have been reaped, and then what is known of it is not owed.
 * True: some process does.
 */
static bool list_children(struct accounting *accounting, const struct reading_list *readings,
			  struct task_list *list)
{
	bool owed = false;

	for (size_t i = 0; i < readings->count; i++) {
		const struct reading *reading = &readings->readings[i];
		struct process *process = process_find(accounting, reading->tgid);
		struct counters counters;

		if (!process)
			continue;
		if (!reap_owed(process, &counters) && !reading_awaits_children(reading, process)) {
			reap_settle(accounting, process, reading->at);
			continue;
		}
		owed = true;
		list_descendants(process, list);
	}
	return owed;
}

static void forget_gone_threads(struct accounting *accounting, const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		const struct thread_reading *read = &reading->threads[i];
		struct task *task;

		if (read->liveness != TASK_GONE)
			continue;
		task = task_known(accounting, &read->id);
		if (task && task_may_forget(accounting, task))
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
	bool owed;

	assert_locked(&accounting->settling);
	pthread_mutex_lock(&accounting->lock);
	count_all(accounting, list);
	owed = list_children(accounting, list, &children) && !children.error;
	pthread_mutex_unlock(&accounting->lock);
	if (owed)
		tasks_refresh(accounting, &children);
	pthread_mutex_lock(&accounting->lock);
	if (owed)
		pay_all(accounting, list);
	count_waiting_io(accounting, list);
	pthread_mutex_unlock(&accounting->lock);
	free(children.tasks);
	return children.error;
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
	bool has_io = false;

	readings_fill(accounting->machine, list->readings, list->count, now);
	for (size_t i = 0; i < list->count; i++)
		has_io |= list->readings[i].has_io;
	if (has_io)
		disks_look(accounting);
	if (accounting_tells_exits(accounting))
		source_sync(accounting); /* what ended before it was read is known to have */
	else
		look_for_execs(accounting, list);
	if (accounting->source && accounting->source->hear)
		accounting->source->hear(accounting->source);
	/* One at a time: another reading may know of a child's end that this one does not. */
	guard(&accounting->settling);
	return settle(accounting, list);
}

int list_measure(struct reading_list *list, uint64_t now)
{
	struct accounting *accounting = list->accounting;

	if (!list->error && list->count)
		list->error = read_and_count(accounting, list, now);
	guard(&accounting->lock);
	list_is_read(list);
	return list->error;
}
