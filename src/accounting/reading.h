/* SPDX-License-Identifier: MIT */
/* One reading of a process: what to read, and what was read. */
#ifndef ACCOUNTING_READING_H
#define ACCOUNTING_READING_H

#include "internal.h"

#define READING_WINDOW 10000000u /* ns, a tick of USER_HZ: for so long a reading is new enough */

struct thread_reading {
	struct task_id id;
	uint64_t last_run; /* in: what is known */
	enum liveness liveness;
	bool has_run;
	uint64_t run;
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
};

/* --- reading_list.c; under the lock --- */

/*
 * Lists the process, and all in the group and below it, for those of the kinds that were not read since
 * `before` (ns) and that nobody reads who was asked for them. 0 or -ENOMEM.
 */
int list_stale(struct reading_list *list, struct process *process, unsigned kinds, uint64_t before,
	       uint64_t now);
int list_group(struct reading_list *list, struct group *group, unsigned kinds, uint64_t before,
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

/*
 * count.c; under the lock, each for all that were read together: notes what it
 * says of sharing, counts it, and lets those who share know.
 */
void reading_note(struct accounting *accounting, const struct reading *reading);
void reading_settle(struct accounting *accounting, const struct reading *reading);
void reading_count(struct accounting *accounting, struct reading *reading);
/* There is more I/O, which may be of a child that has ended. */
bool reading_awaits_children(const struct reading *reading, const struct process *process);
/* Counts the I/O that waited. */
void reading_count_io(struct accounting *accounting, const struct reading *reading);

#endif
