/* SPDX-License-Identifier: MIT */
#ifndef ACCOUNTING_H
#define ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hash.h"
#include "native.h"

struct bytes;
struct machine;
struct task_link;
struct text;
struct usage;

/*
 * Who is where, and what was used.
 *
 * Accounting knows tasks and groups, nothing of controllers, files or FUSE. A
 * group is what a cgroup is to accounting; core embeds one in each cgroup. A
 * task that no group claims is in the root group of each hierarchy.
 *
 * A task is one thread, and (tid, start time) is its identity: a reused
 * number is another task. Numbers are those of the daemon's pid namespace.
 * A new task starts where the one that made it is, in each hierarchy.
 *
 * All functions take accounting's own lock, which is inside the tree's. None
 * holds it while it reads a /proc file. Those marked "reads /proc" must be
 * called without the tree lock; the others may be called with or without it.
 *
 * The root of a hierarchy is the machine: its figures are read there
 * (machine.h), not here, and its members are not tracked. Where no group but
 * the roots has members, accounting does nothing and costs nothing.
 */
struct accounting;

#define ACCOUNTING_MAX_HIERARCHIES 32

/* Everything but the first three is accounting's own, under its lock. */
struct group {
	struct accounting *accounting;
	struct group *parent; /* NULL for the root of a hierarchy */
	unsigned hierarchy; /* below ACCOUNTING_MAX_HIERARCHIES */
	bool retired;
	struct task_link *tasks; /* the live members */
	struct task_link *zombies; /* members that ended and wait for their parent */
	unsigned populated; /* live tasks here and below */
	uint64_t populated_turns; /* how often that became 0, or was it no more */
	unsigned zombie_count; /* zombies here and below, as far as is known */
	unsigned pids_peak; /* the most tasks here and below that there were */
	unsigned recounted; /* in which scan the tasks here and below were */
	uint64_t pids_limit, pids_over; /* forks in the group itself that went over a limit */
	/* forks that went over the group's own limit; its or one's below it */
	uint64_t pids_hits, pids_hits_below;
	struct group *children, *next, *prev;
	struct usage *usage; /* what members, past and present, used; NULL while there were none */
	struct native_dir *native; /* the kernel's own cgroup below it; NULL: it has none */
	char *place; /* its path from its root; NULL: nobody looks there */
	UT_hash_handle placed;
	bool is_unsaved; /* in accounting's list of what accounting_export() has to tell */
	struct group *unsaved_prev, *unsaved_next;
};

struct task_id {
	pid_t tid;
	pid_t tgid;
	uint64_t start_time; /* ticks after boot, /proc/PID/stat field 22 */
	uint64_t forked_at; /* ticks: while that is not known, when its fork was told; 0: it was not */
};

/*
 * Completes the id of a task that does not let its start time be read (machine_patient.h): it is one
 * that has started by now. 0 or as machine_uptime().
 */
int task_id_of_hung(const struct machine *machine, struct task_id *id);

/* A list of tasks; the caller frees `tasks` with free(). */
struct task_list {
	struct task_id *tasks;
	size_t count, capacity;
	int error; /* 0; -ENOMEM: not all are there */
};

/* --- lifetime --- */

/*
 * Makes an accounting that reads `machine`, which must outlive it. Returns
 * NULL when memory is short. accounting_free() takes NULL; it stops the source.
 */
struct accounting *accounting_new(struct machine *machine);
void accounting_free(struct accounting *accounting);

/* How many CPUs there may be (nr_cpu_ids): constant. */
unsigned accounting_nr_cpu(const struct accounting *accounting);

/* Where accounting learns of fork and exit. */
enum accounting_source {
	ACCOUNTING_AUTO, /* the best there is */
	ACCOUNTING_EVENTS, /* perf's task records or the proc connector, and taskstats */
	ACCOUNTING_SCAN, /* /proc */
	ACCOUNTING_TRACER, /* the same, and what a tracer tells on standard input (task_news.h) */
};

/*
 * Starts the source, and its thread where it has one: call it in the process
 * that stays (FUSE's init, after the fork into the background). Until then
 * membership is by scan at each question. Logs which source was chosen.
 * -EPERM, -EPROTONOSUPPORT, ...: ACCOUNTING_EVENTS cannot be had (AUTO takes the scan then). -EBADF:
 * ACCOUNTING_TRACER, and standard input is no pipe.
 */
int accounting_start(struct accounting *accounting, enum accounting_source source);

/*
 * Ends the source and its thread: nothing is told by accounting_on_fork() any
 * more. Before what it tells is freed; accounting_free() does it too.
 */
void accounting_stop(struct accounting *accounting);

/* What a hierarchy's groups add up. */
enum usage_kind {
	USAGE_CPU = 1 << 0,
	USAGE_MEMORY = 1 << 1,
	USAGE_IO = 1 << 2,
};

/*
 * Has usage of these kinds kept in all groups of a hierarchy. A controller
 * that asks for usage says so in css_init of its root (before any task can
 * enter a group); hierarchies that need none pay for none. Reads /proc for I/O.
 */
void accounting_track(struct accounting *accounting, unsigned hierarchy, unsigned kinds);

/* Has peaks and limits of how many tasks there are kept truly in a hierarchy. At the same time. */
void accounting_track_pids(struct accounting *accounting, unsigned hierarchy);

/* --- groups and membership --- */

/* Makes `group` a member-less group of its parent's hierarchy. 0 or -ENOMEM. */
int group_init(struct accounting *accounting, struct group *group,
	       unsigned hierarchy, struct group *parent);

/*
 * The group ends (rmdir): what it used stays in its ancestors. Should a task
 * have been forked into it at the last moment, it goes to the parent. Its
 * memory may be freed afterwards; questions about it answer 0 meanwhile.
 */
void group_retire(struct group *group);

/*
 * The kernel has cgroups of its own below those of the hierarchy, in a hierarchy of this controller, where
 * our root is `top` (both constant): a new task is where /proc/PID/cgroup has it. Before any
 * task is in a group.
 */
void accounting_back(struct accounting *accounting, unsigned hierarchy, const char *controller,
		     const char *top);

/*
 * A new group, or a root: `native` is below it (NULL: nothing is), and `place` is its path from its root.
 * native_remove() is called when it ends, unless it is a root. 0 or -ENOMEM: then `native` is still the
 * caller's.
 */
int group_back(struct group *group, struct native_dir *native, const char *place);

/* native_figures() of what is below the group. False too where nothing is. Does not read /proc. */
bool group_native_figures(struct group *group, enum native_figure first, unsigned count, uint64_t values[]);
/* native_set() likewise; what is refused is logged. Waits for nobody. */
void group_native_set(struct group *group, enum native_setting setting, int64_t value);

/*
 * True while a task that has not exited is in the group itself
 * (cgroup_is_populated). Reads /proc.
 */
bool group_is_busy(struct group *group);

/* The same as far as accounting knows: for a second look under the tree lock. */
bool group_has_members(struct group *group);

/* Whether the group or one below it has live members, as far as accounting knows. Does not read /proc. */
bool group_is_populated(const struct group *group);
/* How often that has turned since the group was made. Does not read /proc. */
uint64_t group_populated_turns(const struct group *group);

/*
 * Has `tell` called whenever a group becomes populated, or empty, and when a fork goes over a limit, under
 * accounting's lock: it must not ask accounting, nor wait. One function in all; set it before start. Where
 * the source does not tell of exits (false is returned by accounting_tells_exits()) that is when somebody
 * looks.
 */
void accounting_on_news(struct accounting *accounting, void (*tell)(void *context), void *context);
bool accounting_tells_exits(const struct accounting *accounting);

/*
 * Before tasks move: what they used so far goes to the groups they are in.
 * Reads /proc. Without it, what they used since the last look moves along.
 * 0 or -ENOMEM.
 */
int accounting_settle(struct accounting *accounting, const struct task_id *tasks, size_t count);

/*
 * Before tasks move into it: where nobody tells of exits, those that have ended are taken off the
 * number of its tasks, if more would be more than there ever were. Reads /proc. 0 or -ENOMEM.
 */
int group_recount(struct group *group);

/*
 * Moves tasks into `group` within its hierarchy. A task that exited meanwhile
 * is passed over. What it used so far stays where it was. Does not read /proc.
 * 0 or -ENOMEM.
 */
int accounting_move(struct group *group, const struct task_id *tasks, size_t count);

/*
 * Adds to the list, which was empty, those threads of the process that are known and live elsewhere than in
 * the group. Does not read /proc. 0 or -ENOMEM.
 */
int group_list_left(const struct group *group, pid_t tgid, struct task_list *list);

/* Whether the task is in the group now, as far as accounting knows. Does not read /proc. */
bool group_has_task(struct group *group, const struct task_id *id);

/*
 * Brings what is known of forks up to now: who asks for a new task's group right afterwards finds
 * it. Reads /proc.
 */
void accounting_catch_up(struct accounting *accounting);

/*
 * The group that a task is in, NULL for the hierarchy's root, as far as accounting knows. Valid under
 * the tree lock, which keeps the group from being retired. Does not read /proc.
 */
struct group *accounting_group_of(struct accounting *accounting, unsigned hierarchy,
				  const struct task_id *id);

/*
 * A group is about to end, by this path: its zombies are told to have ended there as long as they wait for
 * their parents. Which they are may be learnt too late, then they are told to be in the parent. No memory:
 * the same.
 */
void group_leave_path(struct group *group, const char *path);
/* Appends that path. False: the task has none. */
bool accounting_left_path(struct accounting *accounting, const struct task_id *id, struct text *out);

/*
 * Lists the tasks of the group itself, sorted by tid, without those that have
 * exited (zombies included, as css_task_iter leaves them out); a dead
 * leader's live threads are there. Reads /proc.
 * 0 or a negative errno, then the list is empty.
 */
int accounting_list(struct group *group, struct task_list *list);

/*
 * Has `forked` called for each task that is forked into a group of the
 * hierarchy other than its root (not for those that accounting_move() moves),
 * without accounting's lock, from the source's thread or whoever reads; not
 * under the tree lock. `group` is for comparison only: it may be gone. One
 * function a hierarchy; set it before start.
 */
void accounting_on_fork(struct accounting *accounting, unsigned hierarchy,
			void (*forked)(void *context, const struct group *group,
				       const struct task_id *task),
			void *context);

/* --- usage ---
 *
 * All questions are for groups that are not a root, read /proc for the live
 * members (of descendants too where the answer is hierarchical), and return
 * 0, -ENOMEM, or -EINVAL for a hierarchy that does not track the kind.
 *
 * A member is read anew when what is known of it is older than 10 ms, or
 * twenty times what reading its group took, but at most 1 s: many readers
 * cost no more than one, and reading takes no more than 5 % of a processor.
 * What a member used after its last reading is not lost at its exit: by
 * events, taskstats has its last figures; by scan, its reaping parent has.
 *
 * "Local" is the group's own members, past and present; "total" is local
 * plus all descendants', removed ones included. Counters never go back, but by a reset.
 */

/* One CPU's or all CPUs' time in ns. user + system is what cpuacct.usage shows. */
struct cpu_time {
	uint64_t user;
	uint64_t system;
};

struct cpu_usage {
	struct cpu_time total; /* the sum over per_cpu */
	struct cpu_time *per_cpu; /* possible CPUs, by number */
	unsigned nr_cpu;
};

/*
 * Hierarchical CPU time. The sum is the scheduler's run time in ns
 * (schedstat, taskstats), split into user and system as cputime_adjust() of
 * kernel/sched/cputime.c does, and given to the CPU that each task was last
 * seen on. cpu_usage_free() frees what *usage points to; zeroed is fine.
 */
int group_cpu_usage(struct group *group, struct cpu_usage *usage);
void cpu_usage_free(struct cpu_usage *usage);

/* cpuusage_write() of kernel/sched/cpuacct.c: this group's times become 0, its parent's do not. */
int group_cpu_reset(struct group *group);

/*
 * Memory in bytes. A page that n processes map counts 1/n in each (Pss), so
 * that a group of all its sharers counts it once; one that is also mapped
 * outside counts in part. Without smaps_rollup: smaps; without permission for
 * it, or without either: Rss of status or statm, shared pages in full.
 * A process' memory is in the group of its leader. What it had when it moved
 * stays in the group it left, as long as it has it (memory.move_charge_at_immigrate 0).
 */
struct memory_usage {
	uint64_t anon; /* memory.stat rss */
	uint64_t anon_huge; /* the part of it that is mapped as huge pages (THP) */
	uint64_t file; /* mapped pages of files */
	uint64_t shmem; /* mapped pages of tmpfs and shared memory, part of the kernel's cache */
	uint64_t swap;
	uint64_t kernel; /* page tables and kernel stacks */
	uint64_t stacks; /* the part of it that is kernel stacks */
	uint64_t pgfault; /* counters: minor and major */
	uint64_t pgmajfault;
};

/* anon + file + shmem + kernel: memory.usage_in_bytes. */
uint64_t memory_usage_bytes(const struct memory_usage *usage);

/* What the group holds; either pointer may be NULL. */
int group_memory_usage(struct group *group, struct memory_usage *local,
		       struct memory_usage *total);

enum memory_peak {
	MEMORY_PEAK_MEMORY, /* memory_usage_bytes() */
	MEMORY_PEAK_MEMSW, /* with swap */
	MEMORY_PEAK_KERNEL,
	MEMORY_PEAK_SWAP,
	MEMORY_PEAK_SINCE, MEMORY_PEAK_SWAP_SINCE, /* since they were reset last: v2's local watermarks */
	MEMORY_PEAKS
};

/* Highest totals seen (page_counter watermark), in bytes. */
struct memory_peaks {
	uint64_t of[MEMORY_PEAKS];
};

/* Fills *peaks. */
int group_memory_peaks(struct group *group, struct memory_peaks *peaks);
/* page_counter_reset_watermark(): the peak becomes what is held now. Does not read /proc. */
void group_memory_peak_reset(struct group *group, enum memory_peak peak);

/*
 * v2 has enabled the memory controller in a group that may have members: its total, peaks and faults count
 * from here on. What they and those below it hold stays its parent's. 0, -ENOMEM, -EINVAL.
 */
int group_memory_restart(struct group *group);

/*
 * The task is writing so many bytes to a file of ours, be it in vain: the kernel counts them as written to a
 * disk (fuse_direct_io(), task_io_account_write()), and they are taken off. Takes the lock.
 */
void accounting_wrote_here(struct accounting *accounting, pid_t tid, size_t bytes);

/*
 * Bytes from and to block devices in whole sectors (/proc/PID/io read_bytes and write_bytes; a
 * buffered write counts when its page is made dirty), and requests: the bytes
 * by the mean size of the machine's requests at that time.
 */
struct io_usage {
	uint64_t read_bytes, write_bytes;
	uint64_t read_ios, write_ios;
};

/* The same of one disk. Which one is not told: docs/values.md has how it is found. */
struct disk_usage {
	uint32_t device; /* major << 20 | minor */
	struct io_usage local, total;
};

/*
 * What its members read and wrote, of each disk that has a part in it, in the order in which they
 * were used first; the caller frees *disks. 0 or -ENOMEM.
 */
int group_io_usage(struct group *group, struct disk_usage **disks, size_t *count);

/* Tasks here and below, those that wait for their parent (zombies) included: pids.current. Reads /proc. */
uint64_t group_pids(struct group *group);
/* The highest number of them since the group was made: pids.peak. Does not read /proc. */
uint64_t group_pids_peak(struct group *group);
/* pids.max, of the group itself; UINT64_MAX (as at first): none. Nothing is refused. */
void group_pids_limit(struct group *group, uint64_t limit);
/* Forks in the group itself that went over its or an ancestor's limit: pids.events. Does not read /proc. */
uint64_t group_pids_over(struct group *group);
/*
 * Forks that went over the group's own limit; in *total, if not NULL, those that went over its or that of
 * a group below it, removed ones included: pids.events of v2. Does not read /proc.
 */
uint64_t group_pids_hits(struct group *group, uint64_t *total);
/*
 * From here on peak and events count anew: v2 has enabled pids in a group that may have members. Does not
 * read /proc.
 */
void group_pids_restart(struct group *group);

/* --- keeping it beyond the daemon's end ---
 *
 * What is known of groups and processes as bytes (bytes.h), to be imported by
 * the next daemon. Nothing of it costs anything unless accounting_keep() was called.
 */

/* Who takes what is exported, under accounting's lock. */
struct accounting_keeper {
	void *context;
	/* A number that names the group, roots too, for good. */
	uint64_t (*number)(void *context, const struct group *group);
	void (*group)(void *context, const struct group *group, const struct text *bytes);
	/* NULL: it is gone. */
	void (*process)(void *context, pid_t tgid, const struct text *bytes);
};

/* From here on what changes is to be exported. Before any task is in a group. */
void accounting_keep(struct accounting *accounting);

/* Has the group exported: it was reset. */
void accounting_changed(struct group *group);

/* True when something may have changed since the last export. */
bool accounting_has_changed(struct accounting *accounting);

/* A moment in the order in which tasks are made. */
struct accounting_moment {
	uint64_t ticks; /* after boot */
	pid_t last_pid; /* the newest task's number; 0: the machine does not tell */
	uint64_t at; /* ns, monotonic: no later than that; 0: not known */
};

/*
 * Tells what changed since the last export, or everything. *seen is for
 * accounting_import_moment(): until then all forks are told. 0 or -ENOMEM. Does not read /proc.
 */
int accounting_export(struct accounting *accounting, const struct accounting_keeper *keeper,
		      bool everything, struct accounting_moment *seen);

/*
 * Import, in this order, before accounting_start(): all groups, then all
 * processes (only in the boot that they were exported in), as they were when
 * they were exported. `find` is the reverse of accounting_keeper.number(), and
 * may return NULL for a group that is no more. -EINVAL: no such bytes.
 */
int accounting_import_group(struct group *group, struct bytes *bytes);
int accounting_import_process(struct accounting *accounting, struct bytes *bytes,
			      struct group *(*find)(void *context, uint64_t number), void *context);

/*
 * What that export had seen. Until accounting_resume() has looked for who was forked since, exports
 * tell this moment again: a daemon that ends before has not seen more than the one before it.
 */
void accounting_import_moment(struct accounting *accounting, const struct accounting_moment *seen);

/*
 * After accounting_start(): who of the imported is gone, and who was forked
 * by one of them since the imported moment. Reads /proc.
 */
void accounting_resume(struct accounting *accounting);

#endif
