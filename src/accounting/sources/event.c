/* SPDX-License-Identifier: MIT */
/* Events: lists of them, and what each does to the table. All but event_add() under accounting's lock. */
#include "event.h"

#include <errno.h>
#include <time.h>

#include "array.h"

int event_add(struct event_list *list, const struct event *event)
{
	struct event *events = array_room(list->events, list->count, &list->capacity, sizeof(*events));

	if (!events)
		return -ENOMEM;
	list->events = events;
	events[list->count++] = *event;
	return 0;
}

/* Start times are after boot, times of events monotonic: without what the machine was asleep. */
static uint64_t ticks_of(uint64_t time)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	time += (uint64_t)boot.tv_sec * 1000000000u + (uint64_t)boot.tv_nsec - now_ns();
	return time / MACHINE_TICK_NS;
}

static const struct task *find_creator(struct accounting *accounting, const struct event *event)
{
	const struct task *creator = task_find(accounting, event->creator_tid);
	const struct process *process = process_find(accounting, event->creator_tgid);

	return creator || !process ? creator : process_leader(process);
}

/* A tracer may be late: it was seen beside its parent that became a member, or somebody moved it. */
static bool is_there(struct accounting *accounting, const struct task *task, const struct task_id *id)
{
	return id->start_time && !task->zombie && task_is(task, id) && task_is_claimed(accounting, task);
}

static void on_fork(struct accounting *accounting, const struct event *event)
{
	struct task_id id = {.tid = event->tid, .tgid = event->tgid, .start_time = event->start_time};
	struct task *old = task_find(accounting, event->tid);
	const struct task *creator;

	if (old && is_there(accounting, old, &id))
		return;
	if (old)
		task_free(accounting, old); /* the number is another's now */
	if (!id.start_time)
		id.forked_at = ticks_of(event->time);
	creator = find_creator(accounting, event);
	if (!creator || !task_fork(accounting, creator, &id))
		return;
	if (id.tid == id.tgid && event->parent)
		process_set_parent(accounting, process_find(accounting, id.tgid), event->parent);
}

static void on_exit_event(struct accounting *accounting, const struct event *event,
			  const struct exit_figures *final)
{
	struct task *task = task_find(accounting, event->tid);

	if (!task || task->zombie)
		return;
	task->cpu = event->cpu;
	/* An orphan that nobody read since: who adopted it will be told of its time. */
	if (event->parent && event->parent != event->tgid)
		process_set_parent(accounting, task->process, event->parent);
	if (final)
		high_water_end(accounting, task->process, final->high_water);
	task_end(accounting, task, final ? &final->used : NULL);
}

void event_apply(struct accounting *accounting, const struct event *event,
		 const struct exit_figures *final)
{
	assert_locked(&accounting->lock);
	switch (event->type) {
	case EVENT_FORK:
		on_fork(accounting, event);
		break;
	case EVENT_EXEC:
		task_exec(accounting, event->tgid);
		break;
	case EVENT_EXIT:
		on_exit_event(accounting, event, final);
		break;
	}
}
