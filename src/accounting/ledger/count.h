/* SPDX-License-Identifier: MIT */
/* What was read of a process, as the ledger takes it, and counting it. */
#ifndef ACCOUNTING_COUNT_H
#define ACCOUNTING_COUNT_H

#include "ledger.h"

/* TASK_UNKNOWN: its files cannot be read now (descriptors or memory are short): it is left as it was. */
enum liveness { TASK_LIVES, TASK_ZOMBIE, TASK_GONE, TASK_UNKNOWN };

/* What the files of a process tell of its memory: bytes. */
struct memory_read {
	struct memory_usage held;
	uint64_t shared; /* of its anonymous memory others have; 0 where the files do not tell */
	uint64_t resident, high; /* VmRSS and VmHWM; 0: not told */
};

struct thread_reading {
	struct task_id id;
	uint64_t last_run; /* in: what is known */
	enum liveness liveness;
	bool has_run;
	uint64_t run;
	uint64_t waited; /* as in struct task_marks */
	unsigned cpu;
};

struct reading {
	pid_t tgid;
	pid_t parent; /* whose memory it may be using, as it has not exec'd; or 0 */
	unsigned kinds;
	uint64_t measured_at; /* ns: of then is what is known once it is counted */
	bool first; /* nothing is known yet */
	bool is_answer; /* to a question: what was read a moment ago for another one will do */
	bool is_run_known; /* so: it is last_run */
	uint64_t last_io_run;
	struct memory_mark last_memory;
	uint64_t last_faults;
	bool is_settled; /* nobody's memory has changed since it was read */
	bool has_rested; /* in: when it was read last; then who of it waits for a disk is not looked for */
	bool is_blocked; /* it has not run, but waits for a disk: it will soon */
	bool tells_ticks; /* no more is told of some thread's run time (gVisor) */
	bool has_run; /* since it was read last, or may soon again */
	uint64_t ran_at; /* ns: when it was seen to have run last; in, and out */
	struct thread_reading *threads;
	size_t count;
	bool moved; /* it has run since it was read last */
	bool asks_io, asks_memory;
	bool has_stat, has_io, has_memory;
	uint64_t run, io_run; /* of all threads; and when the I/O was read */
	uint64_t ended_run; /* in: of those that are not listed, as far as is known */
	uint64_t at; /* ns: when it was read */
	struct machine_task_stat stat;
	struct machine_task_io io;
	bool io_waits; /* it has waited for a child: what that had is to be known first */
	struct memory_read memory;
	struct memory_mark mark;
};

/* --- count.c; under the lock --- */

/* What a task's stat tells of what it used, or a process'. */
struct counters counters_of_stat(const struct machine_task_stat *stat);
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

/*
 * Each for all that were read together: notes what it says of sharing, counts it, and lets those who
 * share know.
 */
void reading_note(struct accounting *accounting, const struct reading *reading);
void reading_settle(struct accounting *accounting, const struct reading *reading);
void reading_count(struct accounting *accounting, struct reading *reading);
/* There is more I/O, which may be of a child that has ended. */
bool reading_awaits_children(const struct reading *reading, const struct process *process);
/* Counts the I/O that waited. */
void reading_count_io(struct accounting *accounting, const struct reading *reading);

#endif
