/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what was read or told becomes what a group used. It knows no files; all of it is called
 * under accounting's lock but the clock.
 */
#ifndef ACCOUNTING_LEDGER_H
#define ACCOUNTING_LEDGER_H

#include "../table/table.h"
#include "clock.h"

struct charge; /* charge.h */

/* What a group used. */
struct usage {
	/* CPU, hierarchical */
	struct counters cpu; /* RUN, USER and SYSTEM */
	struct cpu_time total, *per_cpu; /* accounting->nr_cpu */
	struct memory_usage memory, memory_total;
	struct memory_peaks peaks;
	struct disk_usage *disks; /* in the order in which they were used first */
	size_t disk_count;
	struct charge *charges;
	/* When the group was read and what it took, by kind. */
	uint64_t read_at[USAGE_KINDS], read_cost[USAGE_KINDS];
};

/* --- fork.c --- */

/* A new task, in the root of every hierarchy; NULL: no memory. Whoever had the number is gone. */
struct task *task_new(struct accounting *accounting, const struct task_id *id);

/*
 * A task that `creator` made: it starts in the creator's groups and with
 * nothing used. NULL: no memory, or a process that no group claims.
 */
struct task *task_fork(struct accounting *accounting, const struct task *creator,
		       const struct task_id *id);

/*
 * A thread of it became another program: what it held is freed, and if it was
 * not the leader, it is now (fs/exec.c de_thread).
 */
void task_exec(struct accounting *accounting, pid_t tgid);

/*
 * The same where nobody tells of it: who has the leader's number has these marks now. Where one is less than
 * before another thread has taken the number over with what it had done itself.
 */
void task_exec_seen(struct accounting *accounting, pid_t tgid, const struct task_marks *now);

/* --- end.c --- */

/*
 * It has exited, but may not be reaped. `final` is what it used in its life,
 * NULL where that is not known. Counts what was not yet counted.
 */
void task_end(struct accounting *accounting, struct task *task, const struct counters *final);

/* It is gone, and frees its number; ends it first. */
void task_free(struct accounting *accounting, struct task *task);

/* Takes it out of the table when there is no reason (any more) to have it there. */
void process_forget_unwanted(struct accounting *accounting, struct process *process);
/* The same for those that were kept and have entered none. */
void processes_forget_kept(struct accounting *accounting);

/* --- family.c --- */

/* Its parent is the process with this number, as far as that is in the table. */
void process_set_parent(struct accounting *accounting, struct process *process, pid_t parent);
/* It has no parent any more, for now. */
void family_leave(struct process *process);

/* --- usage.c --- */

/* Adds to the groups that the links name, and to all above them. */
void usage_count(struct accounting *accounting, const struct task_link *links,
		 const struct counters *delta, unsigned cpu);
/* The group's, made when first needed; NULL: no memory. */
struct usage *usage_get(struct group *group);
/* What it has of the disk, made when first needed; NULL: no memory. */
struct disk_usage *usage_of_disk(struct usage *usage, uint32_t device);
void usage_free(struct group *group);
/* What there are peaks of, of a total that has, now or for a moment, so much more than is held. */
struct memory_peaks memory_now(const struct memory_usage *total, uint64_t more);
/* They are as high as that at least. */
void memory_raise_peaks(struct usage *usage, uint64_t more);

/* --- high_water.c --- */

/*
 * It has had so many bytes resident at most since it exec'd or was forked (VmHWM; taskstats' hiwater_rss), of
 * which it has `resident` now, which is what is held: its groups' peaks are as much higher.
 */
void high_water_note(struct accounting *accounting, struct process *process, uint64_t high,
		     uint64_t resident);
/* It ends: as it was read last is what is held. */
void high_water_end(struct accounting *accounting, struct process *process, uint64_t high);
/* A new process has its parent's pages. */
void high_water_fork(struct process *process, const struct process *parent);
/* Another program: with nothing yet. */
void high_water_exec(struct process *process);

/* --- memory.c --- */

/* The process holds this much now, and sharing_note() was told; `at` as now_ns(). */
void memory_hold(struct accounting *accounting, struct process *process,
		 const struct memory_usage *now, uint64_t at);
/* Once all that was read at `at` is held: an ancestor may hold more or less of what it shares. */
void memory_settle(struct accounting *accounting, const struct process *process, uint64_t at);
/* All of it is gone: exit or exec. */
void memory_release(struct accounting *accounting, struct process *process);
/* Its leader leaves `from` (NULL: root): what it holds stays there. */
void memory_leave(struct accounting *accounting, struct process *process, unsigned hierarchy,
		  struct group *from);
/* A new process, forked by `parent` into `groups` (by hierarchy, NULL: root). */
void memory_fork(struct process *process, const struct process *parent,
		 struct group *const groups[]);
/* The group ends: its parent's total keeps what it held. */
void memory_retire(struct group *group);

/* The group's total, and those below it, become nothing: what they hold stays its parent's. */
void memory_restart(struct group *group);

/* The process has a charge as was exported: all of *from but its links. */
void memory_import(struct process *process, const struct charge *from);

/* --- sharing.c --- */

/* Bytes of anonymous memory: its part of it, and what others have of its pages. */
void sharing_note(struct process *process, uint64_t anon, uint64_t shared);
/* Once all that was read together is noted: whether others than its descendants share. */
void sharing_judge(struct process *process, uint64_t at);
/* What it holds: its part, and what nobody else is known to hold. */
uint64_t sharing_anon(const struct process *process);
/* The last is not nothing: the next reading may tell. */
bool sharing_is_doubtful(const struct process *process);
/* Which ancestor holds more or less when this process' part changes; NULL: none. */
struct process *sharing_head(const struct process *process);
/* It is about to leave its parent, an orphan: whom that shares with stays known. */
void sharing_leave(const struct process *process);

/* --- io.c --- */

/*
 * Takes off what was written to our own files, and fills READS and WRITES of the bytes in *delta. Under the
 * lock.
 */
void io_count_requests(struct accounting *accounting, struct process *process,
		       struct counters *delta);

/* --- reap.c --- */

/* The child has ended, and what is known of it will be in what its parent is told. */
void reap_await(struct process *parent, struct process *child);
/* The same for a process that just ended, as its parent's. */
void reap_credit(struct accounting *accounting, struct process *process);
/* It is reaped. */
void reap_done(struct accounting *accounting, struct process *process);
/* The last of it is gone: what its reaper was told of it beyond what is known goes to its groups. */
void reap_claim(struct accounting *accounting, const struct process *process);
/* Another process will be told of it. */
void reap_release(struct accounting *accounting, struct process *process);
/* A child or a thread of it ended: it is to be read soon. */
void reaper_note(struct accounting *accounting, struct process *process);
/* A group ends: what it would inherit, its parent does. */
void heirs_retire(struct group *group);
/* It ends, and nobody is paid any more; its zombies are its parent's. */
void reaper_end(struct accounting *accounting, struct process *process);
/* It was read. */
void reaper_forget(struct accounting *accounting, struct process *process);
/*
 * What the process' reaped children used beyond what is known of them. False: nothing.
 */
bool reap_owed(const struct process *process, struct counters *owed);
/* Nothing was owed at `at`: who had ended before has no claim on what will be. */
void reap_settle(struct accounting *accounting, struct process *process, uint64_t at);
/* Counts it. */
void reap_pay(struct accounting *accounting, struct process *process);

#endif
