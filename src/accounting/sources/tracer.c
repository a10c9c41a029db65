/* SPDX-License-Identifier: MIT */
/* Forks, execs and exits as a tracer tells of them. */
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptors.h"
#include "event.h"
#include "log.h"
#include "task_news.h"

#define AT_ONCE 64 /* messages */

struct tracer {
	int pipe;
	/* One reader at a time; protects what follows. Outside accounting's lock and `scanning`. */
	pthread_mutex_t lock;
	pid_t tid; /* the tracer's; 0: not known yet */
	bool has_strangers; /* there may be members whom it does not trace: it does not tell their forks */
	struct accounting_moment since; /* whoever is newer is told of */
};

/* --- what was told, under accounting's lock --- */

static struct exit_figures figures_of(const struct task_news *news)
{
	const uint64_t ticks = news->utime + news->stime;

	return (struct exit_figures){.used = {{
		[COUNTER_RUN] = news->run ? news->run : ticks * MACHINE_TICK_NS,
		[COUNTER_USER] = news->utime * MACHINE_TICK_NS,
		[COUNTER_SYSTEM] = news->stime * MACHINE_TICK_NS,
		[COUNTER_FAULTS] = news->faults,
		[COUNTER_MAJOR_FAULTS] = news->major_faults,
		[COUNTER_READ] = news->read_bytes,
		[COUNTER_WRITTEN] = news->write_bytes,
	}}};
}

static void take(struct accounting *accounting, const struct task_news *news)
{
	static const enum event_type types[] = {
		[TASK_NEWS_FORK] = EVENT_FORK, [TASK_NEWS_EXEC] = EVENT_EXEC, [TASK_NEWS_EXIT] = EVENT_EXIT};
	const struct exit_figures figures = figures_of(news);
	struct event event = {.tid = news->tid, .tgid = news->tgid, .cpu = news->cpu,
			      .creator_tid = news->maker, .creator_tgid = news->tgid,
			      .parent = news->parent, .start_time = news->start_time};

	if (news->kind < TASK_NEWS_FORK || news->kind > TASK_NEWS_EXIT)
		return;
	event.type = types[news->kind];
	if (news->tid == news->tgid)
		event.creator_tgid = news->parent;
	event_apply(accounting, &event, news->has_figures ? &figures : NULL);
}

/* --- reading; under the tracer's lock --- */

/* The next messages; 0: there are none now. */
static size_t receive(struct tracer *tracer, struct task_news news[AT_ONCE])
{
	ssize_t len;
	size_t count;

	assert_locked(&tracer->lock);
	len = read(tracer->pipe, news, AT_ONCE * sizeof(*news));
	count = len > 0 ? (size_t)len / sizeof(*news) : 0;
	if (count)
		tracer->tid = news[count - 1].tracer;
	return count;
}

/* *any: there were some. False: others were lost. */
static bool drain(struct accounting *accounting, bool *any)
{
	struct task_news news[AT_ONCE];
	bool complete = true;
	size_t count;

	while ((count = receive(accounting->tracer, news))) {
		*any = true;
		pthread_mutex_lock(&accounting->lock);
		for (size_t i = 0; i < count; i++) {
			complete &= news[i].kind != TASK_NEWS_LOST;
			take(accounting, &news[i]);
		}
		pthread_mutex_unlock(&accounting->lock);
	}
	return complete;
}

enum told tracer_sync(struct accounting *accounting, struct accounting_moment *seen)
{
	struct tracer *tracer = accounting->tracer;
	bool any = false, complete;

	if (!tracer)
		return TOLD_NOTHING;
	pthread_mutex_lock(&tracer->lock);
	*seen = moment_seen(accounting);
	complete = drain(accounting, &any);
	if (!complete)
		tracer->since = moment_now(accounting); /* who is older may never be told of */
	pthread_mutex_unlock(&tracer->lock);
	if (complete)
		return any ? TOLD_ALL : TOLD_NOTHING;
	log_info("accounting: nobody read what the tracer told, and some was lost; scanning instead");
	return TOLD_WITH_LOSSES;
}

void tracer_start(struct accounting *accounting)
{
	struct tracer *tracer = accounting->tracer;
	struct task_news news[AT_ONCE];

	if (!tracer)
		return;
	guard(&tracer->lock);
	while (receive(tracer, news))
		continue;
	tracer->since = moment_now(accounting); /* whose fork was told before is older */
	tracer->has_strangers = !accounting_is_idle(accounting); /* those of the daemon before us */
}

void tracer_look_after(struct accounting *accounting)
{
	if (!accounting->tracer)
		return;
	orphans_refresh(accounting);
	reapers_measure(accounting);
	zombies_refresh(accounting);
}

static bool is_traced(const struct accounting *accounting, const struct task_id *id)
{
	const struct tracer *tracer = accounting->tracer;
	struct machine_task_status status;

	assert_locked(&tracer->lock);
	return tracer->tid && !machine_task_status(accounting->machine, id->tgid, id->tid, &status) &&
	       status.tracer == tracer->tid;
}

bool tracer_tells_of(struct accounting *accounting, const struct task_id *id)
{
	struct tracer *tracer = accounting->tracer;

	if (!tracer)
		return false;
	guard(&tracer->lock);
	return moment_is_before(&tracer->since, id->start_time, id->tid) && is_traced(accounting, id);
}

void tracer_meet(struct accounting *accounting, const struct task_id *id)
{
	struct tracer *tracer = accounting->tracer;

	if (!tracer)
		return;
	guard(&tracer->lock);
	if (!tracer->has_strangers)
		tracer->has_strangers = !is_traced(accounting, id);
}

void tracer_meet_stranger(struct accounting *accounting)
{
	if (!accounting->tracer)
		return;
	guard(&accounting->tracer->lock);
	accounting->tracer->has_strangers = true;
}

bool tracer_tells_all(struct accounting *accounting)
{
	if (!accounting->tracer)
		return false;
	guard(&accounting->tracer->lock);
	return !accounting->tracer->has_strangers;
}

/* --- lifetime --- */

int tracer_open(struct accounting *accounting)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	struct stat st;

	if (!tracer)
		return -ENOMEM;
	if (fstat(STDIN_FILENO, &st) || !S_ISFIFO(st.st_mode) ||
	    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK)) {
		free(tracer);
		return -EBADF;
	}
	tracer->pipe = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (tracer->pipe < 0) {
		int error = -errno;

		free(tracer);
		return error;
	}
	descriptors_to_null(STDIN_FILENO, STDIN_FILENO); /* no agent of ours is to read it */
	lock_init(&tracer->lock);
	accounting->tracer = tracer;
	log_info("accounting: forks and exits from the tracer");
	return 0;
}

void tracer_close(struct accounting *accounting)
{
	struct tracer *tracer = accounting->tracer;

	if (!tracer)
		return;
	close(tracer->pipe);
	pthread_mutex_destroy(&tracer->lock);
	free(tracer);
	accounting->tracer = NULL;
}
