/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a process, by who keeps it: a part is for its owners, whom tests/build/test_house.py
 * names; others ask these. The table holds the parts and looks into none but its own.
 */
#ifndef ACCOUNTING_PARTS_H
#define ACCOUNTING_PARTS_H

#include "accounting.h"
#include "machine_task.h"

#define USAGE_KINDS 3 /* bits in enum usage_kind */

struct charge;
struct heir;
struct process;

/* A place in one of the table's lists. */
struct listing {
	bool is_there;
	struct process *prev, *next;
};

/* Puts a process at the end of a list, or takes it out, by its `listing`; nothing where that is so. */
#define LIST_ENTER(head, process, listing) \
	do { \
		if (!(process)->listing.is_there) \
			DL_APPEND2(head, process, listing.prev, listing.next); \
		(process)->listing.is_there = true; \
	} while (0)
#define LIST_LEAVE(head, process, listing) \
	do { \
		if ((process)->listing.is_there) \
			DL_DELETE2(head, process, listing.prev, listing.next); \
		(process)->listing.is_there = false; \
	} while (0)

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

/* What was counted of it: count.c, end.c. */
struct counted {
	bool measured; /* seen and reaped are where counting starts or went on */
	struct counters seen; /* as read last; counted already */
	struct counters recorded; /* of threads that ended, as taskstats told */
	/*
	 * run of the threads that ended, and what the process has run beyond all
	 * that its threads are known to have: of threads that came and went unseen.
	 */
	uint64_t ended_run, lost_run;
};

/* What it read and wrote: io.c, count.c. */
struct io_account {
	bool measured; /* what counted.seen has of /proc/PID/io is where counting starts or went on */
	/* When it was read last: the run of all threads, the faults of reaped children. */
	uint64_t run, reaped;
	/* Bytes to our own files, which /proc has as written to a disk; not taken off yet. */
	uint64_t written_here;
	uint64_t rest[2]; /* bytes read and written that do not make a request yet */
};

/* Its children that have ended, and who will be told what it used itself: reap.c. */
struct reaped {
	/*
	 * What its reaped children used (cutime and the like) came from `start` to
	 * `now`; `credited` of it was counted with the children, `paid` of it was
	 * not and is counted by now.
	 */
	struct reaped_figures {
		struct counters start, now, credited, paid;
	} figures;
	struct process *zombies; /* children that have ended, and may wait for it */
	struct counters zombies_known; /* what was credited for them, and the kernel still keeps */
	struct process *by, *prev, *next; /* who has it among its zombies */
	uint64_t unread; /* ns that it may have used, when it ended, beyond what is known */
	struct heir *heirs; /* of its reaped children: who gets what is owed to them */
	uint64_t claimed_at; /* ns: when there was one more that was reaped */
	uint64_t waited_at; /* ns: when it was known to have waited once more; 0: never was */
	unsigned own_ended; /* of them those of its own groups, since that was paid */
	struct listing listed; /* in accounting->reapers */
};

/* What tells that a process' memory is as it was when it was read. */
struct memory_mark {
	uint64_t at; /* ns; 0: never read, or of another program */
	uint64_t run, faults; /* of all threads, then */
	uint64_t size, resident, shared; /* pages: statm */
};

/* What it holds, and for whom: memory.c, charge.c. */
struct memory_account {
	struct charge *charges; /* oldest first */
	struct memory_usage held; /* as read last, and what is not known to be another's */
	struct memory_mark mark;
};

/* Anonymous memory that a process has together with others: as read last, and who they are: sharing.c. */
struct sharing {
	uint64_t anon, shared; /* bytes: its part, and what others have of its pages */
	uint64_t strangers; /* of that: what nobody known has */
	uint64_t since; /* ns: when that was so; 0: never read */
	uint64_t least; /* and what nobody known has had at least since */
	unsigned readings; /* since then */
	uint64_t settled_at; /* ns: of which pass its descendants' parts are known */
};

/* What a process' memory was at most, between two readings: high_water.c. Bytes of resident pages. */
struct high_water {
	bool known; /* else what is told next is where it starts */
	uint64_t told; /* counted, or of before it was a member */
	uint64_t resident; /* when it was read last */
};

/* When it was read, by kind: reading_list.c, measure.c. */
struct read_state {
	bool has_rested; /* had not run when it was read last, and did not wait for a disk */
	uint64_t ran_at; /* ns: when it was seen to have run last, or at all; 0: never read */
	uint64_t run_at; /* ns: when the run of all threads was read last for an answer */
	uint64_t at[USAGE_KINDS]; /* ns, monotonic: of then is what is counted */
	/* Number of the reading that it is part of now; 0: none that was asked for. */
	uint64_t by[USAGE_KINDS];
};

/* What tells whose it is, or of whom: creator.c. */
struct origin {
	pid_t pgrp, session; /* as read last: what an orphan still has of its parents */
	uint64_t startstack; /* a new one tells of an exec; a new name does where there is none */
	char comm[sizeof(((struct machine_task_stat *)0)->comm)];
};

/* --- lists of the table: process.c, unsaved.c --- */

struct orphan {
	uint64_t adopted_at; /* ns: who read before still saw the parent that ended */
	struct listing listed; /* in accounting->orphans */
};

struct keeping {
	uint64_t at; /* ns */
	struct listing listed; /* in accounting->kept */
};

struct unsaved {
	uint64_t told; /* hash of what was told last; 0: never was */
	struct listing listed; /* in accounting->unsaved */
	pid_t imported_parent; /* to be looked for once all are imported */
};

#endif
