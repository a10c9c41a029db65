/* SPDX-License-Identifier: MIT */
/* Events: lists of them, and what each does to the table. All but event_add() under accounting's lock. */
#include "events.h"

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

static void on_fork(struct accounting *accounting, const struct event *event)
{
	struct task_id id = {.tid = event->tid, .tgid = event->tgid};
	struct task *old = task_find(accounting, event->tid), *creator;
	struct process *process;

	if (old)
		task_free(accounting, old); /* the number is another's now */
	creator = task_find(accounting, event->creator_tid);
	process = process_find(accounting, event->creator_tgid);
	if (!creator && process)
		creator = process_leader(process);
	if (!creator)
		return;
	id.forked_at = ticks_of(event->time);
	task_fork(accounting, creator, &id);
}

static void on_exit_event(struct accounting *accounting, const struct event *event,
			  struct finals *finals)
{
	struct task *task = task_find(accounting, event->tid);
	struct exit_figures final;
	bool has_final = finals_take(finals, event->tid, &final);

	if (!task || task->zombie)
		return;
	task->cpu = event->cpu;
	/* An orphan that nobody read since: who adopted it will be told of its time. */
	if (event->creator_tgid && event->creator_tgid != event->tgid)
		process_set_parent(accounting, task->process, event->creator_tgid);
	if (has_final)
		high_water_end(accounting, task->process, final.high_water);
	task_end(accounting, task, has_final ? &final.used : NULL);
}

void event_apply(struct accounting *accounting, const struct event *event, struct finals *finals)
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
		on_exit_event(accounting, event, finals);
		break;
	}
}
