/* SPDX-License-Identifier: MIT */
/* What the files of accounting share among themselves. */
#ifndef ACCOUNTING_INTERNAL_H
#define ACCOUNTING_INTERNAL_H

#include <pthread.h>

#include <uthash.h>

#include "accounting.h"
#include "machine.h"
#include "machine_task.h"

struct source;

#define ABSENT_MAX 16
#define HUNG_MAX 16
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

/* Memory of one process that one group of a hierarchy holds. */
struct charge {
	struct process *process;
	unsigned hierarchy;
	struct group *group; /* NULL: the root */
	bool is_heirs; /* of a group below that has ended: in the totals only */
	struct memory_usage held; /* now; without the counters */
	struct memory_usage left; /* when the process left the group: it holds no more than that */
	struct charge *next; /* process->charges */
	struct charge *group_prev, *group_next; /* utlist: group->usage->charges */
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
	/* number of the reading that it is part of now; 0: none that was asked for */
	uint64_t reading[USAGE_KINDS];
	/* bytes: to our own files, which /proc has as written to a disk; not taken off yet */
	uint64_t written_here;
	uint64_t io_rest[2]; /* bytes read and written that do not make a request yet */
	unsigned claims; /* links of its tasks to groups */
	bool complete; /* all its threads and children that matter are in the table */
	bool is_kept; /* in accounting->kept */
	uint64_t kept_at; /* ns */
	struct process *kept_prev, *kept_next;
	UT_hash_handle hh; /* accounting->processes, by tgid */
};

struct usage {
	/* CPU, hierarchical */
	struct counters cpu; /* RUN, USER and SYSTEM */
	struct cpu_time total, *per_cpu; /* accounting->nr_cpu */
	struct memory_usage memory, memory_total;
	struct memory_peak peak;
	struct disk_usage *disks; /* in the order in which they were used first */
	size_t disk_count;
	struct charge *charges;
	/* When the group was read and what it took, by kind. */
	uint64_t read_at[USAGE_KINDS], read_cost[USAGE_KINDS];
};

struct accounting {
	const struct machine *machine;
	unsigned nr_cpu;
	/* Protects everything below and every group. Never held while /proc is read. */
	pthread_mutex_t lock;
	unsigned hierarchies; /* highest number in use + 1 */
	unsigned kinds[ACCOUNTING_MAX_HIERARCHIES]; /* enum usage_kind */
	unsigned tracked; /* enum usage_kind: of all of them */
	uint32_t counts_pids; /* a bit for each hierarchy where peaks and limits of pids matter */
	struct group *roots[ACCOUNTING_MAX_HIERARCHIES];
	struct task *tasks; /* uthash by tid */
	struct process *processes; /* uthash by tgid */
	size_t zombies, zombies_kept; /* among the tasks: now, and after they were looked at last */
	struct {
		void (*forked)(void *context, const struct group *group, const struct task_id *task);
		void *context;
	} on_fork[ACCOUNTING_MAX_HIERARCHIES];
	struct {
		void (*tell)(void *context);
		void *context;
	} on_news;
	uint64_t memory_changed_at; /* ns: when some process' memory did last; its sharers' did too */
	uint64_t request_bytes[2]; /* mean of the machine's requests, reading and writing; 0: not known */
	struct disks *disks; /* disks.c */
	pthread_mutex_t looking; /* at the disks, one at a time; outside `lock` */

	/*
	 * A process is read once for all who ask at a time: a second one waits and finds it done
	 * (reading.h).
	 */
	uint64_t readings; /* how many have begun that were asked for */
	pthread_cond_t has_read; /* with `lock`: one has ended */

	/* Forks that accounting_on_fork() promised to tell, with their hierarchies. */
	struct fork_news {
		struct task_id id;
		unsigned hierarchy;
		const struct group *group;
	} *news;
	size_t news_count, news_capacity;

	uint64_t told_at; /* ns: until then all forks and exits that a source tells of are known */
	struct accounting_moment seen; /* who was made until then is in the table, if it is a member */
	/* In its place, as long as it is not known who was made since the daemon before had ended. */
	struct accounting_moment imported_seen;
	bool resuming;

	/* Of the scan: one at a time, outside `lock`. */
	pthread_mutex_t scanning;
	bool scan_failed; /* this one could not look at all: the next begins where it did */
	unsigned scans; /* how many there were; under `lock` */
	/* Of the newest numbers those that nobody had: given to tasks that are being made, or have ended. */
	pid_t absent[ABSENT_MAX];
	unsigned absent_count;
	struct accounting_moment absent_since; /* they are newer */
	/* New ones that did not let themselves be read yet (machine_patient.h). */
	struct hung_newcomer {
		struct task_id id;
		struct accounting_moment since; /* it is newer, if it is new */
	} hung[HUNG_MAX];
	unsigned hung_count;

	/* Processes with children or threads that ended since they were read. */
	struct process *reapers;

	/*
	 * From noting what parents were told of reaped children until it is paid, and
	 * while one that has ended is taken in: those who ended are looked at in between.
	 * Inside `scanning`, outside `lock`.
	 */
	pthread_mutex_t settling;
	struct heir *heirs; /* reap.c: all of them */
	struct process *orphans; /* whose parent ended: who adopted them is to be seen */
	/* Read for accounting_settle(), in no group yet; oldest first. */
	struct process *kept;

	/* What accounting_export() has to tell. Kept up while `keeping`. */
	bool keeping;
	bool all_unsaved; /* any process may have changed */
	struct process *unsaved;
	struct group *unsaved_groups;
	pid_t *gone;
	size_t gone_count, gone_capacity;

	struct source *source; /* NULL until started; constant then */
};

/* The monotonic clock, and processor time of this thread: what something costs on a busy machine too. */
uint64_t now_ns(void);
uint64_t spent_ns(void);

/* --- membership.c; all under the lock --- */

/* NULL when no group claims its process. */
struct task *task_find(struct accounting *accounting, pid_t tid);

/* A new task, in the root of every hierarchy; NULL: no memory. Whoever had the number is gone. */
struct task *task_new(struct accounting *accounting, const struct task_id *id);

/*
 * A task that `creator` made: it starts in the creator's groups and with
 * nothing used. NULL: no memory, or a process that no group claims.
 */
struct task *task_fork(struct accounting *accounting, const struct task *creator,
		       const struct task_id *id);

/* Puts a task into a group of a hierarchy; NULL is the root. */
void task_enter(struct task *task, unsigned hierarchy, struct group *group);

/*
 * It has exited, but may not be reaped. `final` is what it used in its life,
 * NULL where that is not known. Counts what was not yet counted.
 */
void task_end(struct accounting *accounting, struct task *task, const struct counters *final);

/*
 * A thread of it became another program: what it held is freed, and if it was
 * not the leader, it is now (fs/exec.c de_thread).
 */
void task_exec(struct accounting *accounting, pid_t tgid);

/*
 * The same where nobody tells of it: the leader's number has had so many faults. Where they are fewer than
 * before another thread has taken the number over with what it had done itself.
 */
void task_exec_seen(struct accounting *accounting, pid_t tgid, uint64_t faults);

/* It is gone, and frees its number; ends it first. */
void task_free(struct accounting *accounting, struct task *task);

/* A task that has the number and started then is this one: nobody who has it later. */
bool id_started(const struct task_id *id, uint64_t start_time);

/* The same task as `id` names, as far as its start time is known. */
bool task_is(const struct task *task, const struct task_id *id);

/* Calls who wants to know of forks. Takes the lock. */
void forks_announce(struct accounting *accounting);

/* --- process.c; all under the lock --- */

struct process *process_find(struct accounting *accounting, pid_t tgid);
/* The same, made where there is none. NULL: no memory. */
struct process *process_get(struct accounting *accounting, pid_t tgid);
/* The leader, or who stands for it when it is gone. */
struct task *process_leader(const struct process *process);
/* Its parent is the process with this number, as far as that is in the table. */
void process_set_parent(struct accounting *accounting, struct process *process, pid_t parent);
/* It is about to enter a group: stays for a while though none has it. */
void process_keep(struct accounting *accounting, struct process *process);
/* Takes it out of the table when there is no reason (any more) to have it there. */
void process_forget_unwanted(struct accounting *accounting, struct process *process);
/* The same for those that were kept and have entered none. */
void processes_forget_kept(struct accounting *accounting);
/* Its last thread has exited: what is known of it is all there will be. */
void process_end(struct accounting *accounting, struct process *process);
/* Its parent ended: tasks_refresh() will tell whose child it is, live or a zombie. */
void orphan_note(struct accounting *accounting, struct process *process);
void orphan_forget(struct accounting *accounting, struct process *process);
/* It has no task any more. */
void process_free(struct accounting *accounting, struct process *process);

/* --- liveness.c --- */

/* TASK_UNKNOWN: its files cannot be read now (descriptors or memory are short): it is left as it was. */
enum liveness { TASK_LIVES, TASK_ZOMBIE, TASK_GONE, TASK_UNKNOWN };

/* What a failed read of a task's files says of it: gone is only who the kernel says is. */
bool error_is_gone(int error);

/*
 * What a task used in its life, from its own files. 0; -ESRCH: it is gone or another; other
 * errors: it is not known.
 */
int task_read_final(const struct machine *machine, const struct task_id *id,
		    struct counters *final);

/*
 * Where execs are not told of: whether another thread has become the process' leader. Takes the lock, reads
 * /proc.
 */
void exec_look(struct accounting *accounting, pid_t tgid);
/* Looks at each task; ends and forgets who is gone. Takes the lock, reads /proc. */
void tasks_refresh(struct accounting *accounting, const struct task_list *list);
/* The same where exits were not told of: forgets at once who is gone. */
void tasks_heal(struct accounting *accounting, const struct task_list *list);
/* The same for orphans, before they end, or are waited for by who adopted them. */
void orphans_refresh(struct accounting *accounting);

/*
 * Lists the tasks of the highest of the group and those above it where one more would be more than
 * there ever were, or may be; none where exits are told of, or in the second question of one scan.
 * Under the lock. 0 or -ENOMEM.
 */
int group_list_crowd(struct group *group, struct task_list *list, size_t *capacity);
/* Forgets those of the tasks that are gone. Takes the lock, reads /proc. */
void tasks_bury(struct accounting *accounting, struct task_list *list);

/*
 * Whether one that /proc has no more may be forgotten. /proc is ahead of what is told: it may have forked
 * unknown children, and a thread that execs goes by its leader's number. It stays until its exit or its exec
 * has been told, or should have been. Under the lock.
 */
bool task_may_forget(const struct accounting *accounting, struct task *task);

/* Forgets zombies that were reaped, once there are many. */
void zombies_refresh(struct accounting *accounting);

/* Adds to a list; capacity is the caller's, 0 at start. 0 or -ENOMEM. */
int list_add(struct task_list *list, size_t *capacity, const struct task_id *id);

/* --- usage.c; all under the lock --- */

/* Adds to the groups that the links name, and to all above them. */
void usage_count(struct accounting *accounting, const struct task_link *links,
		 const struct counters *delta, unsigned cpu);
/* The group's, made when first needed; NULL: no memory. */
struct usage *usage_get(struct group *group);
/* What it has of the disk, made when first needed; NULL: no memory. */
struct disk_usage *usage_of_disk(struct usage *usage, uint32_t device);
void usage_free(struct group *group);

/* --- high_water.c; under the lock --- */

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

/* --- memory.c; all under the lock but the readers --- */

/* What the files of a process tell of its memory: bytes. */
struct memory_read {
	struct memory_usage held;
	uint64_t shared; /* of its anonymous memory others have; 0 where the files do not tell */
	uint64_t resident, high; /* VmRSS and VmHWM; 0: not told */
};

/*
 * Reads what a process holds; no lock. What is all its parent's (0: nobody's) is held there. May wait for
 * ever (machine_patient.h). 0, -ESRCH, ...
 */
int memory_read(const struct machine *machine, pid_t tgid, pid_t parent, struct memory_read *read);
/* The same without waiting: shared pages in full. */
int memory_estimate(const struct machine *machine, pid_t tgid, struct memory_read *read);
/* The process holds this much now, and sharing_note() was told; `at` as now_ns(). */
void memory_hold(struct accounting *accounting, struct process *process,
		 const struct memory_usage *now, uint64_t at);
/* Once all that was read at `at` is held: an ancestor may hold more or less of what it shares. */
void memory_settle(struct accounting *accounting, const struct process *process, uint64_t at);
/* A total, now or for a moment, has so much more than is held. */
void memory_raise_peaks(struct usage *usage, uint64_t more);
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

/* --- sharing.c; under the lock --- */

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

/* --- disks.c --- */

/* NULL: no memory. */
struct disks *disks_new(void);
void disks_free(struct disks *disks);
/* What they have done of late may be that of members. Takes the lock, reads /proc. */
void disks_start(struct accounting *accounting);
/*
 * Sees what they have done: after members were read, and before that is counted. Takes the lock, reads /proc.
 */
void disks_look(struct accounting *accounting);

struct disk_part {
	uint32_t device;
	struct io_usage usage;
};

/*
 * Gives what a process has read and written to disks; `usage` is its group's, or NULL. *count parts,
 * some of nothing; none where no disk is known. Theirs until the next call. Under the lock.
 */
const struct disk_part *disks_give(struct disks *disks, const struct usage *usage,
				   const struct counters *delta, size_t *count);

/* --- io.c --- */

/*
 * Takes off what was written to our own files, and fills READS and WRITES of the bytes in *delta. Under the
 * lock.
 */
void io_count_requests(struct accounting *accounting, struct process *process,
		       struct counters *delta);

/* --- measure.c --- */

/*
 * Reads members' usage of these kinds: of the group and all below it, where
 * what is known is older than the window, or all `anew`. 0 or -ENOMEM.
 */
int group_measure(struct group *group, enum usage_kind kind, bool anew);
/* The same for the listed tasks' processes, whatever their age. */
int tasks_measure(struct accounting *accounting, const struct task_list *list, unsigned kinds);
/* For those that had run when they were read last, or since their memory was. *ran: one has again. */
int accounting_measure_running(struct accounting *accounting, unsigned kinds, bool *ran);
/*
 * For the next few of all known processes, whether they run or rest: those that were not read since
 * *round (ns; 0 at first), which becomes now when there are no more. *ran: one of them had run.
 */
int accounting_measure_next(struct accounting *accounting, unsigned kinds, uint64_t *round, bool *ran);
/* For those whose children ended since: before they end themselves, and take along what they know. */
int reapers_measure(struct accounting *accounting);

/* --- count.c; under the lock --- */

/* What *seen grew by to be *now; it never shrinks. */
struct counters counters_grow(struct counters *seen, const struct counters *now);
/*
 * Counts the task's run time up to `run` and its part of the process' ticks,
 * which came with `all` of run time; less what was counted already when it
 * was not known whose it was: at most *explained, which it is taken off. That
 * is for tasks that are read for the first time.
 */
void count_run(struct accounting *accounting, struct task *task, uint64_t run,
	       const struct counters *ticks, uint64_t all, uint64_t *explained);

/* --- source.c --- */

/*
 * Where forks and exits are learnt from. A source is used by several threads
 * at once and brings its own lock, outside accounting's.
 */
struct source {
	const char *name;
	struct accounting *accounting;
	bool tells_exits;
	bool tells_ticks; /* at exits: the ticks of each task */
	/* Learns of every fork and exit up to now. May read /proc. */
	void (*sync)(struct source *source);
	/* There are members now where there were none. */
	void (*wake)(struct source *source);
	/* There will be more members; NULL: it does not matter. */
	void (*stir)(struct source *source);
	/* Ends it and frees it. */
	void (*close)(struct source *source);
};

/* Each makes one, with its thread; NULL with *error set. */
struct source *scan_source_open(struct accounting *accounting, int *error);
struct source *events_source_open(struct accounting *accounting, int *error);

/* Learns of every fork and exit up to now, from the source or by a scan. */
void source_sync(struct accounting *accounting);
/* Before the first task becomes a member: forks from here on are not to be missed. */
void source_wake(struct accounting *accounting);
/* Before tasks become members: what they do then is not to be missed. */
void source_stir(struct accounting *accounting);
/* Whether there is anyone to follow. */
bool accounting_is_idle(struct accounting *accounting);

/* --- moment.c --- */

/* Reads /proc. */
struct accounting_moment moment_now(const struct accounting *accounting);
/* Whether a task that started in this tick with this number is newer; when in doubt it is. */
bool moment_is_before(const struct accounting_moment *moment, uint64_t ticks, pid_t number);
/* accounting->seen; takes the lock. */
struct accounting_moment moment_seen(struct accounting *accounting);
/* All that was made until then has been seen. Under the lock. */
void moment_reach(struct accounting *accounting, const struct accounting_moment *moment);

/* --- scan.c; each takes the lock and reads /proc --- */

/* Finds tasks that are new since the last scan. True: some of them are members. */
bool scan_new(struct accounting *accounting);
/* New are those that come from here on. */
void scan_start(struct accounting *accounting);
/* Looks at all tasks that are newer than `seen`, and at all members: when news were lost. */
void scan_all(struct accounting *accounting, const struct accounting_moment *seen);

/* --- export.c; under the lock: cheap, and nothing while nobody keeps --- */

/* It may have changed. */
void process_unsaved(struct accounting *accounting, struct process *process);
void group_unsaved(struct group *group);
/* It is about to be freed. */
void process_gone(struct accounting *accounting, struct process *process);
void group_gone(struct group *group);
void export_free(struct accounting *accounting);

/* --- reap.c; under the lock --- */

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
