/* SPDX-License-Identifier: MIT */
/* The source that scans /proc, by a thread of its own. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "tracer.h"

#define MS 1000000u /* ns */

/*
 * Reads what members use now and then, so that one that ends takes little
 * along that was not counted; and looks for new tasks, often while there are
 * some. Waits while there is nobody to follow.
 */
struct scan_source {
	struct source source;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows, and for the condition */
	pthread_cond_t woken;
	uint64_t woken_at; /* ns */
	bool stirred; /* since the last look */
	bool stop;
};

#define PAUSE_MIN (5 * MS)
#define PAUSE_BUSY (50 * MS) /* the longest while members run or fork */
#define PAUSE_MAX (1000 * MS)
#define IDLE_AFTER (5000 * MS) /* after a wake, for whoever is about to become a member */
/* Parts of the time that looking and that reading those who run may take, and that reading all. */
#define BUSY_SHARE 100u
#define IDLE_SHARE 4000u
#define KINDS (USAGE_CPU | USAGE_IO)

/* A question needs no scan where all is told; the thread below looks for others now and then all the same. */
static void scan_sync(struct source *source)
{
	struct accounting *accounting = source->accounting;

	if (!tracer_tells_all(accounting)) {
		scan_new(accounting);
		return;
	}
	scan_hear(accounting);
	forks_announce(accounting);
}

static void scan_hear_source(struct source *source)
{
	scan_hear(source->accounting);
}

static void scan_stir(struct source *source)
{
	struct scan_source *scan = (struct scan_source *)source;

	guard(&scan->lock);
	scan->woken_at = now_ns();
	scan->stirred = true;
	pthread_cond_signal(&scan->woken);
}

static void scan_wake(struct source *source)
{
	tracer_start(source->accounting);
	scan_start(source->accounting);
	scan_stir(source);
}

/* Sleeps for `pause` ns, or until there are more members. False: it is time to end. */
static bool scan_wait(struct scan_source *scan, uint64_t pause)
{
	guard(&scan->lock);
	if (!scan->stop && accounting_is_idle(scan->source.accounting) &&
	    now_ns() - scan->woken_at > IDLE_AFTER) {
		pthread_cond_wait(&scan->woken, &scan->lock);
	} else {
		uint64_t until = now_ns() + pause;
		struct timespec time = {.tv_sec = (time_t)(until / 1000000000u),
					.tv_nsec = (long)(until % 1000000000u)};

		while (!scan->stop && !scan->stirred && now_ns() < until)
			pthread_cond_timedwait(&scan->woken, &scan->lock, &time);
	}
	return !scan->stop;
}

/* Whether there are more members since it was asked last. */
static bool was_stirred(struct scan_source *scan)
{
	bool stirred;

	guard(&scan->lock);
	stirred = scan->stirred;
	scan->stirred = false;
	return stirred;
}

static uint64_t within(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* One part in `share` of the time, for something whose cost is known from the last time. */
struct budget {
	uint64_t share;
	uint64_t at, cost, spent; /* ns; spent: when it began */
};

/* False: not yet. */
static bool budget_begin(struct budget *budget)
{
	uint64_t now = now_ns();

	if (now - budget->at < budget->share * budget->cost)
		return false;
	budget->at = now;
	budget->spent = spent_ns();
	return true;
}

static void budget_end(struct budget *budget)
{
	budget->cost = spent_ns() - budget->spent;
}

/* Memory costs more to read: it has a budget of its own. */
static void measure_running(struct accounting *accounting, struct budget *with_memory,
			    struct budget *without, bool *ran)
{
	bool memory = budget_begin(with_memory);
	struct budget *budget = memory ? with_memory : without;

	if (!memory && !budget_begin(without))
		return;
	accounting_measure_running(accounting, memory ? KINDS | USAGE_MEMORY : KINDS, ran);
	budget_end(budget);
}

static void *scan_run(void *arg)
{
	struct scan_source *scan = arg;
	struct accounting *accounting = scan->source.accounting;
	struct budget running = {.share = BUSY_SHARE}, all = {.share = IDLE_SHARE};
	struct budget memory = {.share = BUSY_SHARE};
	uint64_t round = 0, pause = PAUSE_BUSY;
	bool ran = false; /* some of those who had run when they were read last */

	while (scan_wait(scan, pause)) {
		uint64_t spent = spent_ns();
		bool forked = was_stirred(scan);
		bool woke = false; /* one of those who rested */

		forked |= scan_new(accounting);
		spent = spent_ns() - spent;
		measure_running(accounting, &memory, &running, &ran);
		if (budget_begin(&all)) {
			accounting_measure_next(accounting, KINDS, &round, &woke);
			budget_end(&all);
		}
		tracer_look_after(accounting);
		ran |= woke;
		pause = forked || ran ? within(BUSY_SHARE * spent, PAUSE_MIN, PAUSE_BUSY)
			     : within(2 * pause, PAUSE_MIN, PAUSE_MAX);
	}
	return NULL;
}

static void scan_close(struct source *source)
{
	struct scan_source *scan = (struct scan_source *)source;

	pthread_mutex_lock(&scan->lock);
	scan->stop = true;
	pthread_cond_signal(&scan->woken);
	pthread_mutex_unlock(&scan->lock);
	pthread_join(scan->thread, NULL);
	pthread_cond_destroy(&scan->woken);
	pthread_mutex_destroy(&scan->lock);
	free(scan);
}

static void unstarted_wake(struct source *source)
{
	scan_start(source->accounting);
}

static void unstarted_close(struct source *source)
{
	(void)source; /* it is part of accounting */
}

struct source scan_unstarted(struct accounting *accounting)
{
	return (struct source){.name = "scan at each question",
			       .accounting = accounting,
			       .sync = scan_sync,
			       .wake = unstarted_wake,
			       .close = unstarted_close};
}

struct source *scan_source_open(struct accounting *accounting, int *error)
{
	struct scan_source *scan = calloc(1, sizeof(*scan));
	pthread_condattr_t monotonic;

	*error = -ENOMEM;
	if (!scan)
		return NULL;
	scan->source = (struct source){.name = "scan",
				       .accounting = accounting,
				       .sync = scan_sync,
				       .hear = scan_hear_source,
				       .wake = scan_wake,
				       .stir = scan_stir,
				       .close = scan_close};
	pthread_mutex_init(&scan->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&scan->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*error = -pthread_create(&scan->thread, NULL, scan_run, scan);
	if (!*error) {
		log_info("accounting: scans of /proc");
		return &scan->source;
	}
	free(scan);
	return NULL;
}
