/* SPDX-License-Identifier: MIT */
/* The parts of the events source: task events, and figures at exit. */
#ifndef ACCOUNTING_EVENTS_H
#define ACCOUNTING_EVENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event.h"

/* Binds a netlink socket to these groups, with a buffer as large as may be. 0 or a negative errno. */
int netlink_bind(int fd, unsigned groups);
struct nlmsghdr;
/*
 * Has `take` look at each message that waits on a netlink socket, and waits for none. -ENOBUFS: some were
 * lost; else 0.
 */
int netlink_drain(int fd, void (*take)(const struct nlmsghdr *message, void *context), void *context);

/*
 * Task records of perf_event_open(2), one ring for each CPU: who forked is known exactly. CAP_PERFMON. Not
 * thread-safe: its user's lock.
 */
struct perf_records {
	struct ring *rings;
	size_t count;
};

/* *perf is empty at first, and after an error: a negative errno. */
int perf_open(struct perf_records *perf);
void perf_close(struct perf_records *perf);
/* Events are sent from here on, or no more. 0 or a negative errno. */
int perf_listen(struct perf_records *perf, bool on);
/* Adds all that came; -ENOBUFS: some were lost; -ENOMEM. */
int perf_drain(struct perf_records *perf, struct event_list *list);
/* Fills in perf->count descriptors: readable when there is something to drain. */
void perf_poll_fds(const struct perf_records *perf, struct pollfd *fds);

/*
 * The process events connector (cn_proc): the new parent of who was forked. Where perf's are not permitted:
 * since Linux 6.6 it tells everybody, before that CAP_NET_ADMIN. A descriptor to poll and to close, or a
 * negative errno; -EPERM: it tells us nothing.
 */
int connector_open(void);
/* As those of perf. */
int connector_listen(int fd, bool on);
int connector_drain(int fd, struct event_list *list);

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
/* Calls `ended` for all that came. */
void taskstats_drain(struct taskstats_socket *socket,
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

#endif
