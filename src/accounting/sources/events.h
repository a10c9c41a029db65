/* SPDX-License-Identifier: MIT */
/* The parts of the events source: streams of task events, and figures at exit. */
#ifndef ACCOUNTING_EVENTS_H
#define ACCOUNTING_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sources.h"

enum event_type { EVENT_FORK, EVENT_EXEC, EVENT_EXIT };

struct event {
	uint64_t time; /* ns, monotonic */
	enum event_type type;
	unsigned cpu;
	pid_t tgid, tid;
	pid_t creator_tgid, creator_tid; /* of a fork; of an exit whose child it was then, or 0 */
};

/* Grows; the caller frees `events`. */
struct event_list {
	struct event *events;
	size_t count, capacity;
};

/* 0 or -ENOMEM. */
int event_add(struct event_list *list, const struct event *event);

/* A source of events. Not thread-safe: its user's lock. */
struct stream {
	const char *name;
	int *fds; /* to poll for reading */
	size_t fd_count;
	/* Events are sent from here on, or no more. 0 or a negative errno. */
	int (*listen)(struct stream *stream, bool on);
	/* Adds all that came; -ENOBUFS: some were lost. */
	int (*drain)(struct stream *stream, struct event_list *list);
	void (*close)(struct stream *stream);
};

struct nlmsghdr;
/*
 * Has `take` look at each message that waits on a netlink socket, and waits for none. -ENOBUFS: some were
 * lost; else 0.
 */
int netlink_drain(int fd, void (*take)(struct nlmsghdr *message, void *context), void *context);

/* perf_event_open(2), task records: who forked is known exactly. CAP_PERFMON. */
struct stream *perf_stream_open(int *error);
/* The process events connector (cn_proc): a fork's parent is known. CAP_NET_ADMIN. */
struct stream *connector_stream_open(int *error);

struct exit_figures {
	struct counters used;
	uint64_t high_water; /* bytes: of its process' resident pages */
};

/* What tasks used in their life, told at their exit (Documentation/accounting/taskstats.rst). */
struct taskstats_socket {
	int fd;
	uint16_t family;
	char cpus[32]; /* whose exits are told of */
};

/* 0, -EPERM, -ENOENT (no such family), ... */
int taskstats_open(struct taskstats_socket *socket, unsigned nr_cpu);
void taskstats_close(struct taskstats_socket *socket);
int taskstats_listen(struct taskstats_socket *socket, bool on);
/* Calls `ended` for all that came; -ENOBUFS: some were lost. */
int taskstats_drain(struct taskstats_socket *socket,
		    void (*ended)(void *context, pid_t tid, const struct exit_figures *figures),
		    void *context);

/* --- finals.c --- */

/* What tasks used in their lives; the user's lock. Empty at first. */
struct finals {
	struct final *all; /* uthash by tid */
};

/* Without memory the figures are not known. */
void finals_keep(struct finals *finals, pid_t tid, const struct exit_figures *figures);
/* False: there are none of the task. */
bool finals_take(struct finals *finals, pid_t tid, struct exit_figures *figures);
void finals_forget(struct finals *finals);

/* --- event.c --- */

/* What it does to the table; figures of exits are taken from `finals`. Under accounting's lock. */
void event_apply(struct accounting *accounting, const struct event *event, struct finals *finals);

#endif
