/* SPDX-License-Identifier: MIT */
/* A fork, an exec or an exit that was told of, whoever told. */
#ifndef ACCOUNTING_EVENT_H
#define ACCOUNTING_EVENT_H

#include "sources.h"

enum event_type { EVENT_FORK, EVENT_EXEC, EVENT_EXIT };

struct event {
	uint64_t time; /* ns, monotonic */
	enum event_type type;
	unsigned cpu;
	pid_t tgid, tid;
	pid_t creator_tgid, creator_tid; /* of a fork; the leader does where the thread is not known */
	pid_t parent; /* whose child it is; 0: not told */
	uint64_t start_time; /* ticks, of a fork; 0: not told, but `time` is */
};

/* Grows; the caller frees `events`. */
struct event_list {
	struct event *events;
	size_t count, capacity;
};

/* 0 or -ENOMEM. */
int event_add(struct event_list *list, const struct event *event);

struct exit_figures {
	struct counters used;
	uint64_t high_water; /* bytes: of its process' resident pages */
};

/* What it does to the table; `final`: what was told of an exit, or NULL. Under accounting's lock. */
void event_apply(struct accounting *accounting, const struct event *event,
		 const struct exit_figures *final);

#endif
