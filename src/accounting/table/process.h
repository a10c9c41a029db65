/* SPDX-License-Identifier: MIT */
/* Tasks and processes: what is kept of each, and the lists that they are in. No /proc, no clock. */
#ifndef ACCOUNTING_PROCESS_H
#define ACCOUNTING_PROCESS_H

#include <uthash.h>

#include "accounting.h"
#include "machine_task.h"

#define USAGE_KINDS 3 /* bits in enum usage_kind */

/* What only grows. Of a process since it was made, of a group since it was made. */
enum counter {
	COUNTER_RUN, /* ns on a processor */
	COUNTER_USER, /* ns that ticks found in user mode and in the kernel: weights that split RUN */
	COUNTER_SYSTEM,
	COUNTER_FAULTS, /* minor and major */
	COUNTER_MAJOR_FAULTS,
	COUNTER_READ, /* bytes */
	COUNTER_WRITTEN,
	COUNTER_READS, /* requests, made of the bytes (io.c) */
	COUNTER_WRITES,
	COUNTERS
};

struct counters {
	uint64_t value[COUNTERS];
};

/* A task's place in one hierarchy. The group is NULL for the root: roots list nobody. */
struct task_link {
	struct task *task;
	struct group *group;
	struct task_link *prev, *next; /* utlist: group->tasks or group->zombies */
};

/* A thread of a process that has a thread in some group other than the roots. */
struct task {
	struct task_id id; /* start_time 0: not known yet */
	struct process *process;
	struct task *prev, *next; /* process->tasks */
	bool zombie; /* has exited: nobody's member, but a pid still */
	char *left_path; /* of its group, which ended (group_leave_path()); NULL: it lives */
	uint64_t gone_at; /* ns: when /proc first had it no more, though its exit was not told; 0: it has */
	bool measured; /* run is known; else the first reading is where counting starts */
	uint64_t run; /* ns, as read last; counted already */
	unsigned cpu; /* it was seen on last */
	uint64_t faults; /* as seen last by who looked at its stat: fewer are another thread's */
	UT_hash_handle hh; /* accounting->tasks, by id.tid */
	struct task_link links[]; /* accounting->hierarchies */
};

/* What tells that a process' memory is as it was when it was read. */
struct memory_mark {
	uint64_t at; /* ns; 0: never read, or of another program */
	uint64_t run, faults; /* of all threads, then */
	uint64_t size, resident, shared; /* pages: statm */
};

/* Anonymous memory that a process has together with others: as read last, and who they are. */
struct sharing {
	uint64_t anon, shared; /* bytes: its part, and what others have of its pages */
	uint64_t strangers; /* of that: what nobody known has */
	uint64_t since; /* ns: when that was so; 0: never read */
	uint64_t least; /* and what nobody known has had at least since */
	unsigned readings; /* since then */
	uint64_t settled_at; /* ns: of which pass its descendants' parts are known */
};

/* What a process' memory was at most, between two readings. Bytes of resident pages. */
struct high_water {
	bool known; /* else what is told next is where it starts */
	uint64_t told; /* counted, or of before it was a member */
	uint64_t resident; /* when it was read last */
};

struct process {
	pid_t tgid;
	struct task *tasks;
	unsigned live; /* of its tasks */
	struct process *parent, *children, *prev, *next; /* as far as they are in the table */
	uint64_t adopted_at; /* ns: who read before still saw the parent that ended */
	bool is_orphan; /* in accounting->orphans */
	struct process *orphan_prev, *orphan_next;
	bool measured; /* seen and reaped are where counting starts or went on */
	bool measured_io; /* the same of what seen has of /proc/PID/io */
	struct counters seen; /* as read last; counted already */
	struct counters recorded; /* of threads that ended, as taskstats told */
	/*
	 * run of the threads that ended, and what the process has run beyond all
	 * that its threads are known to have: of threads that came and went unseen.
	 */
	uint64_t ended_run, lost_run;
	/*
	 * What its reaped children used (cutime and the like) came from `start` to
	 * `now`; `credited` of it was counted with the children, `paid` of it was
	 * not and is counted by now.
	 */
	struct reaped {
		struct counters start, now, credited, paid;
	} reaped;
	struct process *unreaped; /* children that have ended, and may wait for it */
	struct counters unreaped_known; /* what was credited for them, and the kernel still keeps */
	struct process *reaper, *unreaped_prev, *unreaped_next; /* who has it in `unreaped` */
	uint64_t unread; /* ns that it may have used, when it ended, beyond what is known */
	struct heir *heirs; /* of its reaped children: who gets what is owed to them */
	uint64_t claimed_at; /* ns: when there was one more that was reaped */
	uint64_t waited_at; /* ns: when it was known to have waited once more; 0: never was */
	unsigned own_ended; /* of them those of its own groups, since that was paid */
	bool is_reaper; /* in accounting->reapers */
	struct process *reaper_prev, *reaper_next;
	struct charge *charges;
	struct memory_usage memory; /* as read last, and what is not known to be another's */
	struct sharing sharing;
	struct memory_mark memory_mark;
	struct high_water high_water;
	bool has_rested; /* had not run when it was read last, and did not wait for a disk */
	uint64_t run_at; /* ns: when the run of all threads was read last for an answer */
	/* When its I/O was read last: the run of all threads, and the faults of reaped children. */
	uint64_t io_run, io_reaped;
	pid_t pgrp, session; /* as read last: what an orphan still has of its parents */
	uint64_t exported; /* hash of what was told last; 0: never was */
	bool is_unsaved; /* in accounting->unsaved */
	pid_t imported_parent; /* to be looked for once all are imported */
	struct process *unsaved_prev, *unsaved_next;
	uint64_t startstack; /* a new one tells of an exec; a new name does where there is none */
	char comm[sizeof(((struct machine_task_stat *)0)->comm)];
	uint64_t measured_at[USAGE_KINDS]; /* ns, monotonic: of then is what is counted */
	uint64_t reading[USAGE_KINDS]; /* number of the reading that it is part of now; 0: none that was asked for */
	uint64_t written_here; /* bytes: to our own files, which /proc has as written to a disk; not taken off yet */
	uint64_t io_rest[2]; /* bytes read and written that do not make a request yet */
	unsigned claims; /* links of its tasks to groups */
	bool complete; /* all its threads and children that matter are in the table */
	bool is_kept; /* in accounting->kept */
	uint64_t kept_at; /* ns */
	struct process *kept_prev, *kept_next;
	UT_hash_handle hh; /* accounting->processes, by tgid */
};

/* --- task.c; all under the lock --- */

/* NULL when no group claims its process. */
struct task *task_find(struct accounting *accounting, pid_t tid);

/* A new task, in the root of every hierarchy; nobody has the number. NULL: no memory. */
struct task *task_add(struct accounting *accounting, const struct task_id *id);
/* Takes it out of the table: a zombie that is gone. Its process stays, if without tasks. */
void task_remove(struct accounting *accounting, struct task *task);

/* A task that has the number and started then is this one: nobody who has it later. */
bool id_started(const struct task_id *id, uint64_t start_time);
/* The same task as `id` names, as far as its start time is known. */
bool task_is(const struct task *task, const struct task_id *id);
/* Whether it is in any group. */
bool task_is_claimed(const struct accounting *accounting, const struct task *task);

/* Adds to a list; capacity is the caller's, 0 at start. 0 or -ENOMEM. */
int list_add(struct task_list *list, size_t *capacity, const struct task_id *id);
/* The same for all of group->tasks or group->zombies. */
int list_links(const struct task_link *links, struct task_list *list, size_t *capacity);

/* --- process.c; all under the lock; `now` as now_ns() --- */

struct process *process_find(struct accounting *accounting, pid_t tgid);
/* The same, made where there is none. NULL: no memory. */
struct process *process_get(struct accounting *accounting, pid_t tgid);
/* Takes it out of the table: it has no task any more. */
void process_remove(struct accounting *accounting, struct process *process);
/* The leader, or who stands for it when it is gone. */
struct task *process_leader(const struct process *process);

/* It is about to enter a group: stays for a while though none has it. */
void process_keep(struct accounting *accounting, struct process *process, uint64_t now);
/* No more, or not for that. */
void process_unkeep(struct accounting *accounting, struct process *process);
/*
 * A group has a thread of it, or it will; or its parent is in a group: what a
 * child uses elsewhere must be told from what the parent's other children use.
 */
bool process_is_wanted(const struct process *process);

void child_add(struct process *parent, struct process *child);
void child_remove(struct process *child);
/* Its parent ended: tasks_refresh() will tell whose child it is, live or a zombie. */
void orphan_note(struct accounting *accounting, struct process *process, uint64_t now);
void orphan_forget(struct accounting *accounting, struct process *process);

#endif
