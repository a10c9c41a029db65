/* SPDX-License-Identifier: MIT */
/*
 * Who waits for events of memory, and the thread that looks for them while
 * somebody does: a kernel notices a crossing when it charges a page, we must
 * look (mm/memcontrol-v1.c __mem_cgroup_threshold, mm/vmpressure.c).
 */
#include "mem_cgroup.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "cgroup.h"
#include "clock.h"
#include "lock.h"
#include "log.h"
#include "machine.h"
#include "machine_fd.h"

#define PERIOD_NS 500000000 /* with the time that a look takes, within the second that docs promise */
#define HOLDER_PERIODS 4 /* how often we look whether somebody still has the eventfds */
/* looking for them among all processes takes at most one part in so many of a processor's time */
#define SEARCH_SHARE 20
/*
 * What a user, other than root and who serves the tree, may register, and what part of all the
 * eventfds that may be open for others: each is a descriptor of the daemon that looks at the
 * machine by descriptors. The kernel has no such bound, but one of inotify(7)'s kind for the like.
 */
#define USER_EVENTS 1024
#define USER_SHARE 4
#define PRESSURE_WINDOW 512 /* vmpressure_win: SWAP_CLUSTER_MAX * 16 pages */

struct memory_watch {
	struct tree *tree;
	/* Protects all that follows. Inside the tree lock; not held while /proc is read. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct memory_event *events; /* utlist; those of one cgroup are not parted */
	struct memory_eventfd *eventfds; /* utlist: theirs */
	bool quit;
	bool running; /* the thread has not decided to end */
	bool joinable;
	pthread_t thread;
	/* The thread's own. */
	unsigned periods;
	uint64_t searched_at, search_cost; /* ns */
	uint64_t scanned, reclaimed;
	bool has_reclaim; /* the two before are of an earlier look */
};

/* What is seen of one cgroup, or of the machine's reclaim, in one look. */
struct sample {
	struct cgroup *cgroup; /* held */
	bool failed;
	struct memory_held held;
};

struct look {
	struct sample *samples;
	unsigned count, found; /* the second: where look_find() goes on */
	bool pressure; /* reclaim was enough to tell its level */
	enum memory_pressure level;
};

struct memory_watch *memory_watch_new(struct tree *tree)
{
	struct memory_watch *watch = calloc(1, sizeof(*watch));
	pthread_condattr_t attributes;

	if (!watch)
		return NULL;
	watch->tree = tree;
	lock_init(&watch->lock);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return watch;
}

/* memcg_event_remove(): the last event tells that there will be no more. */
static void event_drop(struct memory_watch *watch, struct memory_event *event)
{
	DL_DELETE(watch->events, event);
	memory_eventfd_signal(event->eventfd);
	memory_eventfd_put(event->eventfd, &watch->eventfds);
	free(event);
}

/* --- reclaim --- */

/* vmpressure_calc_level() */
enum memory_pressure memory_pressure_level(uint64_t scanned, uint64_t reclaimed)
{
	uint64_t scale = scanned + reclaimed, pressure;

	if (reclaimed >= scanned)
		return MEMORY_PRESSURE_LOW;
	pressure = (scale - reclaimed * scale / scanned) * 100 / scale;
	return pressure >= 95 ? MEMORY_PRESSURE_CRITICAL :
	       pressure >= 60 ? MEMORY_PRESSURE_MEDIUM : MEMORY_PRESSURE_LOW;
}

/* The machine's reclaim is the root's (shrink_node() calls vmpressure() for it); groups have none. */
static void look_at_reclaim(struct memory_watch *watch, struct look *look)
{
	static const char *const by[][2] = {
		{"pgscan_kswapd", "pgsteal_kswapd"},
		{"pgscan_direct", "pgsteal_direct"},
		{"pgscan_khugepaged", "pgsteal_khugepaged"},
	};
	struct machine_vmstat *vmstat;
	uint64_t scanned = 0, reclaimed = 0;

	if (machine_vmstat(watch->tree->machine, &vmstat))
		return;
	for (unsigned i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		scanned += machine_vmstat_value(vmstat, by[i][0]);
		reclaimed += machine_vmstat_value(vmstat, by[i][1]);
	}
	machine_vmstat_free(vmstat);
	if (watch->has_reclaim && scanned - watch->scanned < PRESSURE_WINDOW)
		return; /* too little to say: with the next look */
	if (watch->has_reclaim) {
		look->pressure = true;
		look->level = memory_pressure_level(scanned - watch->scanned,
						    reclaimed - watch->reclaimed);
	}
	watch->has_reclaim = true;
	watch->scanned = scanned;
	watch->reclaimed = reclaimed;
}

/* --- one look --- */

/* Who is to be looked at, each once. Under the lock. */
static int look_prepare(struct memory_watch *watch, struct look *look, bool *reclaim)
{
	struct memory_event *event;
	unsigned count;

	assert_locked(&watch->lock);
	DL_COUNT(watch->events, event, count);
	*look = (struct look){.samples = calloc(count + 1, sizeof(*look->samples))};
	*reclaim = false;
	if (!look->samples)
		return -ENOMEM;
	DL_FOREACH(watch->events, event) {
		if (event->kind == MEMORY_EVENT_PRESSURE)
			*reclaim |= cgroup_is_root(event->cgroup);
		if (event->kind != MEMORY_EVENT_USAGE && event->kind != MEMORY_EVENT_MEMSW_USAGE)
			continue;
		if (!look->count || look->samples[look->count - 1].cgroup != event->cgroup)
			look->samples[look->count++].cgroup = cgroup_get(event->cgroup);
	}
	return 0;
}

/* The events come cgroup by cgroup: it is the one that was found last, mostly. */
static const struct sample *look_find(struct look *look, const struct cgroup *cgroup)
{
	for (unsigned i = 0; i < look->count; i++, look->found++) {
		if (look->found == look->count)
			look->found = 0;
		if (look->samples[look->found].cgroup == cgroup)
			return &look->samples[look->found];
	}
	return NULL;
}

/* A threshold is crossed when usage is on its other side. */
static bool is_crossed(struct memory_event *event, struct look *look)
{
	const struct sample *sample = look_find(look, event->cgroup);
	enum memory_counter counter = event->kind == MEMORY_EVENT_USAGE ? MEMORY_MEM : MEMORY_MEMSWAP;
	bool reached;

	if (!sample || sample->failed)
		return false; /* came meanwhile */
	reached = sample->held.counter[counter] >= event->threshold;
	if (reached == event->reached)
		return false;
	event->reached = reached;
	return true;
}

static bool has_happened(struct memory_event *event, struct look *look)
{
	switch (event->kind) {
	case MEMORY_EVENT_USAGE:
	case MEMORY_EVENT_MEMSW_USAGE:
		return is_crossed(event, look);
	case MEMORY_EVENT_PRESSURE:
		return look->pressure && cgroup_is_root(event->cgroup) && look->level >= event->level;
	case MEMORY_EVENT_OOM:
		return false; /* no limit is enforced */
	}
	return false;
}

/* Under the lock. */
static void look_deliver(struct memory_watch *watch, struct look *look)
{
	struct memory_event *event;

	assert_locked(&watch->lock);
	DL_FOREACH(watch->events, event) {
		if (has_happened(event, look))
			memory_eventfd_signal(event->eventfd);
	}
}

static void look_finish(struct look *look)
{
	for (unsigned i = 0; i < look->count; i++)
		cgroup_put(look->samples[i].cgroup);
	free(look->samples);
}

/* Called with the lock, which is let go meanwhile. */
static void watch_look(struct memory_watch *watch)
{
	struct look look;
	bool reclaim;
	int error = look_prepare(watch, &look, &reclaim);

	pthread_mutex_unlock(&watch->lock);
	for (unsigned i = 0; i < look.count && !error; i++)
		look.samples[i].failed = memory_held(look.samples[i].cgroup, &look.samples[i].held);
	if (reclaim && !error)
		look_at_reclaim(watch, &look);
	pthread_mutex_lock(&watch->lock);
	if (!error)
		look_deliver(watch, &look);
	pthread_mutex_unlock(&watch->lock);
	look_finish(&look);
	pthread_mutex_lock(&watch->lock);
}

/* --- eventfds that their owners have closed --- */

static bool goes_on(void *arg)
{
	struct memory_watch *watch = arg;
	bool quit;

	pthread_mutex_lock(&watch->lock);
	quit = watch->quit;
	pthread_mutex_unlock(&watch->lock);
	return !quit;
}

/* Without the lock. All that nobody has cost one look at all processes, which is not done too often. */
static void look_for_holders(struct memory_watch *watch, struct machine_eventfd *eventfds, size_t count)
{
	/* beside others the look takes longer and costs the same */
	uint64_t start = spent_ns();
	bool search = now_ns() - watch->searched_at >= SEARCH_SHARE * watch->search_cost;

	if (!machine_eventfds_held(watch->tree->machine, eventfds, count, search, goes_on, watch))
		return;
	watch->searched_at = now_ns();
	watch->search_cost = spent_ns() - start;
}

/* Under the lock. */
static void drop_closed(struct memory_watch *watch)
{
	struct memory_event *event, *next;

	assert_locked(&watch->lock);
	DL_FOREACH_SAFE(watch->events, event, next) {
		if (event->eventfd->is_closed)
			event_drop(watch, event);
	}
}

/*
 * The kernel learns from the eventfd's wait queue (EPOLLHUP) that it was
 * closed. We have one of our own open, so we look whether anybody else has.
 * Called with the lock, which is let go meanwhile.
 */
static void drop_unheld(struct memory_watch *watch)
{
	size_t count;
	struct machine_eventfd *eventfds = memory_eventfds_copy(watch->eventfds, &count);

	pthread_mutex_unlock(&watch->lock);
	look_for_holders(watch, eventfds, count);
	pthread_mutex_lock(&watch->lock);
	if (memory_eventfds_note(watch->eventfds, eventfds, count))
		drop_closed(watch);
	free(eventfds);
}

/* --- the thread --- */

static void watch_wait(struct memory_watch *watch)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PERIOD_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!watch->quit && watch->events &&
	       pthread_cond_timedwait(&watch->wake, &watch->lock, &until) != ETIMEDOUT)
		;
}

static void *watch_run(void *arg)
{
	struct memory_watch *watch = arg;

	pthread_mutex_lock(&watch->lock);
	for (;;) {
		watch_wait(watch);
		if (watch->quit || !watch->events)
			break;
		watch_look(watch);
		if (++watch->periods % HOLDER_PERIODS == 0)
			drop_unheld(watch);
	}
	watch->running = false;
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

/* Signals are for the daemon's main thread. Under the lock. */
static int watch_start(struct memory_watch *watch)
{
	sigset_t all, before;
	int error;

	assert_locked(&watch->lock);
	if (watch->running)
		return 0;
	if (watch->joinable)
		pthread_join(watch->thread, NULL); /* has ended, but for its return */
	watch->joinable = false;
	watch->has_reclaim = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&watch->thread, NULL, watch_run, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch->running = watch->joinable = !error;
	return -error;
}

void memory_watch_stop(struct memory_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->quit = true;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	if (watch->joinable)
		pthread_join(watch->thread, NULL);
	watch->joinable = false;
}

void memory_watch_free(struct memory_watch *watch)
{
	memory_watch_stop(watch);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

/* --- registrations --- */

static void insert_event(struct memory_watch *watch, struct memory_event *event)
{
	struct memory_event *at;

	DL_FOREACH(watch->events, at) {
		if (at->cgroup == event->cgroup)
			break;
	}
	if (at)
		DL_PREPEND_ELEM(watch->events, at, event);
	else
		DL_APPEND(watch->events, event);
}

/* What one user may have is less than what all may, so that nobody can take it all. Under the lock. */
static int check_bounds(const struct memory_watch *watch, const struct memory_event *event)
{
	size_t most = memory_eventfds_max(), of_user = 0, eventfds;
	const struct memory_eventfd *eventfd;
	const struct memory_event *other;

	assert_locked(&watch->lock);
	DL_COUNT(watch->eventfds, eventfd, eventfds);
	if (eventfds >= most)
		return -EMFILE;
	if (!event->uid || event->uid == watch->tree->uid)
		return 0;
	DL_FOREACH(watch->events, other)
		of_user += other->uid == event->uid;
	return of_user >= USER_EVENTS || of_user >= most / USER_SHARE ? -ENOSPC : 0;
}

int memory_watch_add(struct memory_watch *watch, struct memory_event *event)
{
	int error;

	tree_read_lock(watch->tree); /* the cgroup does not go meanwhile */
	pthread_mutex_lock(&watch->lock);
	error = event->cgroup->dead ? -EINVAL : check_bounds(watch, event);
	if (!error)
		error = watch_start(watch);
	if (!error) {
		event->eventfd = memory_eventfd_share(event->eventfd, &watch->eventfds);
		insert_event(watch, event);
	}
	pthread_mutex_unlock(&watch->lock);
	tree_unlock(watch->tree);
	return error;
}

void memory_watch_remove(struct memory_watch *watch, struct cgroup *cgroup)
{
	struct memory_event *event, *next;

	pthread_mutex_lock(&watch->lock);
	DL_FOREACH_SAFE(watch->events, event, next) {
		if (event->cgroup == cgroup)
			event_drop(watch, event);
	}
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
}
