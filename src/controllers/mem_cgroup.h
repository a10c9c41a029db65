/* SPDX-License-Identifier: MIT */
/* What the files of the memory controller share. Sources: mm/memcontrol-v1.c, mm/memcontrol.c. */
#ifndef MEM_CGROUP_H
#define MEM_CGROUP_H

#include <stdatomic.h>

#include "controller.h"
#include "machine_fd.h"

/* enum res_type */
enum memory_counter { MEMORY_MEM, MEMORY_MEMSWAP, MEMORY_KMEM, MEMORY_TCP, MEMORY_COUNTER_NR };

/* memory.stat's figures, in its order; bytes but for those said to be events. */
enum memory_stat_item {
	MEMORY_CACHE, MEMORY_RSS, MEMORY_RSS_HUGE, MEMORY_SHMEM, MEMORY_MAPPED_FILE,
	MEMORY_DIRTY, MEMORY_WRITEBACK,
	MEMORY_REFAULT_ANON, MEMORY_REFAULT_FILE, /* events */
	MEMORY_SWAP, MEMORY_SWAPCACHED,
	MEMORY_PGPGIN, MEMORY_PGPGOUT, MEMORY_PGFAULT, MEMORY_PGMAJFAULT, /* events */
	MEMORY_INACTIVE_ANON, MEMORY_ACTIVE_ANON, MEMORY_INACTIVE_FILE, MEMORY_ACTIVE_FILE,
	MEMORY_UNEVICTABLE,
	MEMORY_STAT_NR
};

struct memory_stat {
	uint64_t item[MEMORY_STAT_NR];
};

/* The events that must not go back, as they were last shown. */
struct memory_shown {
	uint64_t pgpgin, pgpgout, pgfault, pgmajfault;
};

/* The limits that v2 alone has. */
enum memory_v2_limit {
	MEMORY_MIN, MEMORY_LOW, MEMORY_HIGH, MEMORY_SWAP_HIGH, MEMORY_SWAP_MAX, MEMORY_ZSWAP_MAX,
	MEMORY_V2_LIMIT_NR
};

struct mem_cgroup {
	/* Under the tree lock. Pages. */
	uint64_t max[MEMORY_COUNTER_NR];
	uint64_t soft_limit;
	bool oom_kill_disable;
	bool swappiness_written; /* a root's: before, it is the machine's */
	unsigned swappiness;

	/* Bytes; a root's: accounting keeps those of the others. */
	_Atomic uint64_t watermark[MEMORY_COUNTER_NR];
	/* Under memory_stat.c's lock, inside the tree's. */
	struct memory_shown shown_local, shown_total;
	struct memory_usage seen; /* a root's child's total as last read; a root's: their sum */
	bool forgotten; /* it is removed */

	struct memory_watch *watch; /* a root's: who waits for events in its hierarchy */

	/*
	 * v2, under the tree lock: pages by enum memory_v2_limit (memory.max is max[MEMORY_MEM]), and
	 * switches.
	 */
	uint64_t v2_limit[MEMORY_V2_LIMIT_NR];
	bool oom_group, no_zswap_writeback;
};

static inline struct mem_cgroup *mem_cgroup_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &memory_controller);
}

/* --- memory_stat.c: figures --- */

/*
 * What a cgroup and those below it hold, by counter, in bytes and whole
 * pages. A root's watermarks rise to it. Reads /proc: without the tree lock.
 * 0 or -ENOMEM.
 */
struct memory_held {
	uint64_t counter[MEMORY_COUNTER_NR];
	uint64_t unreclaimable; /* of MEMORY_MEM: what no reclaim would free, for want of swap */
	uint64_t unreclaimable_memsw;
};

int memory_held(struct cgroup *cgroup, struct memory_held *held);

/*
 * group_memory_usage() for every cgroup. For a root: as total what the
 * cgroups below it held when they were last read, as reading the machine must
 * not cost more with many cgroups; and nothing as local, as nobody is listed in a root.
 */
int memory_usage_of(struct cgroup *cgroup, struct memory_usage *local, struct memory_usage *total);
/* The events that must not go back, as bytes and back. */
void memory_save_shown(const struct mem_cgroup *memcg, struct text *out);
void memory_restore_shown(struct mem_cgroup *memcg, struct bytes *in);
/* The cgroup is removed: the root counts as its own what it held. */
void memory_forget(struct cgroup *cgroup);

/*
 * The figures of what processes hold. Anonymous pages start on the inactive
 * list and stay there while nothing reclaims; mapped files are in use. Each
 * fault may have charged a page.
 */
void memory_stat_of_usage(struct memory_usage usage, struct memory_stat *stat);

/* measure handlers; the second is in memory_numa.c */
int memory_stat_measure(const struct request *request, struct text *out);
int memory_numa_stat_measure(const struct request *request, struct text *out);

/* --- memory_v2.c: cgroup v2 --- */

extern const struct cftype memory_dfl_files[];
/* The limits of a new cgroup. */
void memory_v2_init(struct mem_cgroup *memcg);
/* memory was disabled, but its state is kept for io: limits are as at first. */
void memory_v2_reset(void *state);
/* As bytes and back. */
void memory_v2_save(const struct mem_cgroup *memcg, struct text *out);
void memory_v2_restore(struct mem_cgroup *memcg, struct bytes *in);

/* memory_v2_stat.c: measure handlers */
int memory_v2_stat_measure(const struct request *request, struct text *out);
int memory_v2_numa_stat_measure(const struct request *request, struct text *out);

/*
 * memory_numa.c: gives out `value` to the machine's `nr` nodes as their file (else anonymous) pages are;
 * *parts and *nodes are the caller's to free. 0 or -ENOMEM.
 */
int memory_spread(const struct machine *machine, uint64_t value, bool file, uint64_t **parts,
		  unsigned **nodes, unsigned *nr);

/* --- memory_events.c, memory_eventfds.c, memory_watch.c: cgroup.event_control --- */

/* act handler */
int memory_event_control_act(const struct request *request, char *text);

enum memory_event_kind {
	MEMORY_EVENT_USAGE, MEMORY_EVENT_MEMSW_USAGE, MEMORY_EVENT_OOM, MEMORY_EVENT_PRESSURE
};

/* mm/vmpressure.c enum vmpressure_levels */
enum memory_pressure { MEMORY_PRESSURE_LOW, MEMORY_PRESSURE_MEDIUM, MEMORY_PRESSURE_CRITICAL };

/* An eventfd of others, with one descriptor of ours however many events it is registered for. */
struct memory_eventfd {
	struct memory_eventfd *prev, *next; /* in the watch's list, the newest last */
	int fd; /* ours */
	unsigned events; /* that use it; once there are none it is closed */
	bool is_registered; /* since it was copied to be looked for */
	bool is_closed; /* by everybody else: at the end of its events */
	struct machine_eventfd theirs;
};

struct memory_event {
	struct memory_event *prev, *next; /* in the watch's list */
	struct cgroup *cgroup; /* online while it is listed */
	enum memory_event_kind kind;
	struct memory_eventfd *eventfd;
	uid_t uid; /* whose registration it is */
	uint64_t threshold; /* bytes: of the usage kinds */
	bool reached; /* usage was at or above it */
	enum memory_pressure level;
};

/*
 * A hierarchy's watch, without a thread while nobody waits. NULL with errno
 * set. memory_watch_stop() ends the thread for good and waits for it, memory_watch_free() too: no tree lock.
 */
struct memory_watch *memory_watch_new(struct tree *tree);
void memory_watch_stop(struct memory_watch *watch);
void memory_watch_free(struct memory_watch *watch);

/*
 * Takes over the event (0), which is still the caller's on error: -EINVAL
 * when its cgroup is gone; -ENOSPC: its user has as many as one may have, as
 * epoll_ctl(2) says; -EMFILE: no more eventfds are taken. Takes the tree lock.
 */
int memory_watch_add(struct memory_watch *watch, struct memory_event *event);

/* The cgroup is going: its eventfds get a last event (memcg1_css_offline). Under the tree lock. */
void memory_watch_remove(struct memory_watch *watch, struct cgroup *cgroup);

/* --- memory_eventfds.c --- */

/*
 * Takes the eventfd that the task has as `fd`, for one event. 0, then *eventfd is not in a list
 * yet; or a negative errno of machine_task_eventfd().
 */
int memory_eventfd_take(const struct machine *machine, pid_t tid, unsigned int fd,
			struct memory_eventfd **eventfd);
/* One event less uses it: at the last it is closed, and not in a list any more. NULL is fine. */
void memory_eventfd_put(struct memory_eventfd *eventfd, struct memory_eventfd **list);
/* Puts it into the list, or takes in its place the one that is there for the same eventfd. */
struct memory_eventfd *memory_eventfd_share(struct memory_eventfd *eventfd, struct memory_eventfd **list);
/* eventfd_signal(): never waits. */
void memory_eventfd_signal(const struct memory_eventfd *eventfd);

/* A copy of what is known of all in the list, to be looked for without its lock; NULL: no memory. */
struct machine_eventfd *memory_eventfds_copy(struct memory_eventfd *list, size_t *count);
/* Notes what was found of the copy; true: somebody has closed one (is_closed). */
bool memory_eventfds_note(struct memory_eventfd *list, const struct machine_eventfd *found, size_t count);

/* How many may be open: half of what the process may have open (RLIMIT_NOFILE), the rest is for its reads. */
size_t memory_eventfds_max(void);

/* The level of reclaim that freed `reclaimed` of `scanned` pages (vmpressure_calc_level). */
enum memory_pressure memory_pressure_level(uint64_t scanned, uint64_t reclaimed);

#endif
