/* SPDX-License-Identifier: MIT */
/*
 * Forks, execs and exits as the kernel tells of them, and what tasks used as
 * taskstats tells at their exit. A reader has what came read at once; else it
 * waits in the kernel's buffers until some of it is there.
 */
#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"

#define REST_MS 20 /* between two readings, though more has come: exits come in crowds */
#define IO_MUCH (1u << 20) /* bytes, for which it matters how large the requests are just now */
#define IDLE_MS 5000 /* without members for so long: the kernel need not tell any more */

struct events_source {
	struct source source;
	pthread_t thread;
	/* One reader of the streams at a time; protects everything below. Outside accounting's lock. */
	pthread_mutex_t lock;
	/* One of them tells of forks, execs and exits. */
	struct perf_records perf;
	int connector; /* -1: perf does */
	struct taskstats_socket taskstats; /* fd -1: there is none */
	struct event_list waiting; /* later than what was asked for */
	struct finals finals;
	bool listening;
	uint64_t woken_at; /* ns */
	uint64_t losses; /* how often the kernel's buffer was too small */
	int stop; /* eventfd: the thread is to end, or to look again whether it listens */
	bool stopped;
};

static bool has_perf(const struct events_source *events)
{
	return events->connector < 0;
}

static const char *name_of(const struct events_source *events)
{
	return has_perf(events) ? "perf task records" : "proc connector";
}

static int take_events(struct events_source *events)
{
	return has_perf(events) ? perf_drain(&events->perf, &events->waiting)
				: connector_drain(events->connector, &events->waiting);
}

static void keep_final(void *context, pid_t tid, const struct exit_figures *figures)
{
	struct events_source *events = context;
	const uint64_t *used = figures->used.value;

	finals_keep(&events->finals, tid, figures);
	if (used[COUNTER_READ] + used[COUNTER_WRITTEN] >= IO_MUCH)
		disks_look(events->source.accounting);
}

static int compare_events(const void *a, const void *b)
{
	const struct event *left = a, *right = b;

	return (left->time > right->time) - (left->time < right->time);
}

/*
 * Applies in order of time what happened until now. Rings of several CPUs
 * cannot be read at one moment: what is later waits for the next reading,
 * when all that was before it is known.
 */
static void apply(struct events_source *events, uint64_t now,
		  const struct accounting_moment *moment)
{
	struct accounting *accounting = events->source.accounting;
	struct event_list *list = &events->waiting;
	size_t i;

	if (list->count)
		qsort(list->events, list->count, sizeof(*list->events), compare_events);
	pthread_mutex_lock(&accounting->lock);
	for (i = 0; i < list->count && list->events[i].time <= now; i++) {
		const struct event *event = &list->events[i];
		struct exit_figures final;
		bool is_told = event->type == EVENT_EXIT && finals_take(&events->finals, event->tid, &final);

		event_apply(accounting, event, is_told ? &final : NULL);
	}
	moment_reach(accounting, moment);
	accounting->told_at = now;
	pthread_mutex_unlock(&accounting->lock);
	list->count -= i;
	if (list->count)
		memmove(list->events, list->events + i, list->count * sizeof(*list->events));
}

/* The lock is held. The exits' figures are sent before the exits: they are here when those are. */
static void drain(struct events_source *events)
{
	struct accounting *accounting = events->source.accounting;
	struct accounting_moment before = moment_seen(accounting), moment = before;
	uint64_t now = now_ns();
	int lost;

	assert_locked(&events->lock);
	lost = take_events(events);
	if (events->waiting.count || lost) { /* else nobody was made */
		moment = moment_now(accounting);
		now = now_ns();
		lost |= take_events(events);
	}
	if (events->taskstats.fd >= 0)
		taskstats_drain(&events->taskstats, keep_final, events);
	apply(events, now, lost ? &before : &moment); /* who was lost is not seen yet */
	if (!lost)
		return;
	events->losses++;
	log_warning("accounting: events were lost (losses so far: %lu); scanning instead",
		    events->losses);
	finals_forget(&events->finals);
	scan_all(accounting, &before);
}

/* The lock is held. */
static void listen_if(struct events_source *events, bool on)
{
	assert_locked(&events->lock);
	if (events->listening == on)
		return;
	if (has_perf(events) ? perf_listen(&events->perf, on) : connector_listen(events->connector, on))
		log_warning("accounting: cannot switch %s %s", name_of(events), on ? "on" : "off");
	if (events->taskstats.fd >= 0)
		taskstats_listen(&events->taskstats, on);
	events->listening = on;
	if (!on)
		finals_forget(&events->finals);
}

static void events_sync(struct source *source)
{
	struct events_source *events = (struct events_source *)source;

	pthread_mutex_lock(&events->lock);
	if (events->listening)
		drain(events);
	pthread_mutex_unlock(&events->lock);
	forks_announce(source->accounting);
}

static void nudge(struct events_source *events)
{
	const uint64_t one = 1;
	ssize_t written = write(events->stop, &one, sizeof(one));

	(void)written; /* it cannot fail: nobody writes 2^64 - 1 times */
}

static void events_wake(struct source *source)
{
	struct events_source *events = (struct events_source *)source;

	pthread_mutex_lock(&events->lock);
	events->woken_at = now_ns();
	listen_if(events, true);
	drain(events); /* else who joins now would be taken for another when his fork is read later */
	scan_start(source->accounting);
	pthread_mutex_unlock(&events->lock);
	nudge(events);
}

/* Waits for something to read. While it listens for nobody, no longer than until it may cease. */
static void wait_for_events(struct events_source *events, struct pollfd *fds, size_t count)
{
	bool closing;
	uint64_t drop;

	pthread_mutex_lock(&events->lock);
	closing = events->listening && accounting_is_idle(events->source.accounting);
	pthread_mutex_unlock(&events->lock);
	if (poll(fds, count, closing ? IDLE_MS : -1) > 0 && fds[0].revents &&
	    read(events->stop, &drop, sizeof(drop)) < 0)
		log_debug("accounting: %s", strerror(errno));
}

static bool events_turn(struct events_source *events)
{
	bool stopped;

	pthread_mutex_lock(&events->lock);
	if (events->listening)
		drain(events);
	if (events->listening && accounting_is_idle(events->source.accounting) &&
	    now_ns() - events->woken_at >= IDLE_MS * 1000000ull)
		listen_if(events, false);
	stopped = events->stopped;
	pthread_mutex_unlock(&events->lock);
	forks_announce(events->source.accounting);
	orphans_refresh(events->source.accounting);
	reapers_measure(events->source.accounting);
	zombies_refresh(events->source.accounting);
	return !stopped;
}

static void *events_run(void *arg)
{
	struct events_source *events = arg;
	size_t count = 3 + events->perf.count;
	struct pollfd *fds = calloc(count, sizeof(*fds));

	if (!fds)
		return NULL; /* readers still have the events read */
	fds[0] = (struct pollfd){.fd = events->stop, .events = POLLIN};
	/* -1 is passed over */
	fds[1] = (struct pollfd){.fd = events->taskstats.fd, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = events->connector, .events = POLLIN};
	perf_poll_fds(&events->perf, fds + 3);
	do {
		wait_for_events(events, fds, count);
		if (events_turn(events))
			poll(fds, 1, REST_MS);
		else
			break;
	} while (true);
	free(fds);
	return NULL;
}

static void events_free(struct events_source *events)
{
	finals_forget(&events->finals);
	free(events->waiting.events);
	perf_close(&events->perf);
	if (events->connector >= 0)
		close(events->connector);
	taskstats_close(&events->taskstats);
	if (events->stop >= 0)
		close(events->stop);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

static void events_close(struct source *source)
{
	struct events_source *events = (struct events_source *)source;

	pthread_mutex_lock(&events->lock);
	events->stopped = true;
	pthread_mutex_unlock(&events->lock);
	nudge(events);
	pthread_join(events->thread, NULL);
	events_free(events);
}

static int events_open(struct events_source *events)
{
	int error;

	events->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (events->stop < 0)
		return -errno;
	error = perf_open(&events->perf);
	if (error) {
		log_debug("accounting: no perf task records: %s", strerror(-error));
		events->connector = connector_open();
		if (events->connector < 0)
			return events->connector;
	}
	error = taskstats_open(&events->taskstats, events->source.accounting->nr_cpu);
	if (error)
		log_debug("accounting: no taskstats: %s", strerror(-error));
	return -pthread_create(&events->thread, NULL, events_run, events);
}

struct source *events_source_open(struct accounting *accounting, int *error)
{
	struct events_source *events = calloc(1, sizeof(*events));

	*error = -ENOMEM;
	if (!events)
		return NULL;
	events->source = (struct source){.name = "events",
					 .accounting = accounting,
					 .tells_exits = true,
					 .sync = events_sync,
					 .wake = events_wake,
					 .close = events_close};
	events->connector = events->taskstats.fd = -1;
	lock_init(&events->lock);
	*error = events_open(events);
	if (*error) {
		events_free(events);
		return NULL;
	}
	events->source.tells_ticks = events->taskstats.fd >= 0;
	log_info("accounting: events from %s%s", name_of(events),
		 events->taskstats.fd >= 0 ? ", figures at exit from taskstats" : "");
	return &events->source;
}
