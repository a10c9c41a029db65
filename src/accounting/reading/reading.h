/* SPDX-License-Identifier: MIT */
/*
 * Reading: when a process' files in /proc are read, and never twice for one answer; who still lives; and
 * asking the source for what came before an answer.
 */
#ifndef ACCOUNTING_READING_H
#define ACCOUNTING_READING_H

#include "../ledger/count.h"

#define READING_WINDOW 10000000u /* ns, a tick of USER_HZ: for so long a reading is new enough */

/* --- sync.c: accounting->source, or what stands for it --- */

/* Learns of every fork and exit up to now, from the source or by a scan. */
void source_sync(struct accounting *accounting);
/* Before the first task becomes a member: forks from here on are not to be missed. */
void source_wake(struct accounting *accounting);
/* Before tasks become members: what they do then is not to be missed. */
void source_stir(struct accounting *accounting);

/* --- liveness.c --- */

/* What a failed read of a task's files says of it: gone is only who the kernel says is. */
bool error_is_gone(int error);

/*
 * What a task used in its life, from its own files. 0; -ESRCH: it is gone or another; other
 * errors: it is not known.
 */
int task_read_final(const struct machine *machine, const struct task_id *id,
		    struct counters *final);

/* *stat is of the task. 0; other errors: it is gone, or they are not known. */
int task_read_marks(const struct machine *machine, const struct task_id *id,
		    const struct machine_task_stat *stat, struct task_marks *marks);

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
 * Whether one that /proc has no more may be forgotten. /proc is ahead of what is told: it may have forked
 * unknown children, and a thread that execs goes by its leader's number. It stays until its exit or its exec
 * has been told, or should have been. Under the lock.
 */
bool task_may_forget(const struct accounting *accounting, struct task *task);

/* Forgets zombies that were reaped, once there are many. */
void zombies_refresh(struct accounting *accounting);

/* --- crowd.c --- */

/*
 * Lists the tasks of the highest of the group and those above it where one more would be more than
 * there ever were, or may be; none where exits are told of, or for many in one scan's second question.
 * Under the lock.
 */
void group_list_crowd(struct group *group, struct task_list *list);
/* Forgets those of the tasks that are gone. Takes the lock, reads /proc. */
void tasks_bury(struct accounting *accounting, struct task_list *list);

/* Zombies of the group and all below it, and live ones where nobody tells of their exit. Under the lock. */
void list_mortal(const struct group *group, bool live, struct task_list *list);

/* --- memory.c --- */

/*
 * Reads what a process holds; no lock. What is all its parent's (0: nobody's) is held there. May wait for
 * ever (machine_patient.h). 0, -ESRCH, ...
 */
int memory_read(const struct machine *machine, pid_t tgid, pid_t parent, struct memory_read *read);
/* The same without waiting: shared pages in full. */
int memory_estimate(const struct machine *machine, pid_t tgid, struct memory_read *read);

/* --- disks.c; each takes the lock, reads /proc --- */

/* What they have done of late may be that of members. Takes the lock, reads /proc. */
void disks_start(struct accounting *accounting);
/*
 * Sees what they have done: after members were read, and before that is counted. Takes the lock, reads /proc.
 */
void disks_look(struct accounting *accounting);

/*
 * Processes that are read together. Who asks does so with a number: others who ask for one of the processes
 * wait, and find it read. Readings of the daemon's own accord have none: nobody waits for them, nor they.
 */
struct reading_list {
	struct accounting *accounting;
	uint64_t number; /* of the reading, in the order in which they began; 0: of its own accord */
	struct reading *readings;
	size_t count, capacity;
	bool is_answer;
	int error; /* 0; -ENOMEM: not all are there */
};

/* --- reading_list.c; under the lock --- */

/*
 * Lists the process, and all in the group and below it, for those of the kinds that were not read since
 * `before` (ns) and that nobody reads who was asked for them.
 */
void list_stale(struct reading_list *list, struct process *process, unsigned kinds, uint64_t before,
		uint64_t now);
void list_group(struct reading_list *list, struct group *group, unsigned kinds, uint64_t before,
		uint64_t now);
/* What was read is counted, or never will be: to be called for all that is listed, before list_free(). */
void list_is_read(struct reading_list *list);
/* Needs no lock. */
void list_free(struct reading_list *list);
/*
 * Waits for who was asked before, and reads one of those; not for who began since: it is new enough, and
 * there may always be one. Lets the lock go meanwhile.
 */
void group_await_reading(struct group *group, unsigned kinds);
void tasks_await_reading(struct accounting *accounting, const struct task_list *tasks, unsigned kinds);

/*
 * reading.c: fills them from /proc; no lock. `now` as now_ns(). Who does not let its I/O or memory be
 * read has no such: what is known of it stays. Its memory is estimated where nothing is known.
 */
void readings_fill(const struct machine *machine, struct reading *readings, size_t count, uint64_t now);
/* Nothing told that its memory should be read; but that was so long ago that it is if others' changes. */
bool reading_is_outdated(const struct reading *reading, uint64_t now);

/* --- settle.c --- */

/*
 * Reads all that is listed, and counts it, unless that met an error; lets those go on who wait for it.
 * Takes the lock, reads /proc. `now` as now_ns(). 0 or -ENOMEM.
 */
int list_measure(struct reading_list *list, uint64_t now);

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

#endif
