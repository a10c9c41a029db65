/* SPDX-License-Identifier: MIT */
/* A task that a scan finds, and who made it, as far as /proc tells. */
#ifndef ACCOUNTING_NEWCOMER_H
#define ACCOUNTING_NEWCOMER_H

#include "sources.h"

/* A new task, and what is needed to tell who made it. */
struct newcomer {
	struct task_id id;
	struct machine_task_stat stat;
	/* Of one whose parent is no member: */
	struct machine_task_stat parent, leader; /* the leader of its process group */
	bool has_parent, has_leader;
	bool session_lives; /* its session's leader */
	char *cgroups; /* the kernel's own, as placed_read() has them; NULL: they do not tell */
	pid_t waited; /* a member of its group that of late has ended, or waited for a child; 0: none */
};

/* --- creator.c --- */

/*
 * Reads what tells who made a process whose parent is no member; `since`: its ancestors may have been
 * made and have ended unseen after that. Takes the lock. 0, or a negative errno: not all could be read.
 */
int creator_read(struct accounting *accounting, struct newcomer *newcomer,
		  const struct accounting_moment *since);

/* A thread of who made it, NULL: no member did. Under the lock. */
const struct task *creator_find(struct accounting *accounting, const struct newcomer *newcomer);

/* --- placed.c --- */

/* Where the kernel's own cgroups have it, if they back ours. 0 or a negative errno. */
int placed_read(struct accounting *accounting, struct newcomer *newcomer);
/*
 * Takes one of whom that was read into the table, if it is a member by that. `creator`: who has made it, as
 * creator_find() has it, or NULL. True: it is there now. Under the lock.
 */
bool placed_take(struct accounting *accounting, const struct newcomer *newcomer, const struct task *creator);

/* --- newcomer.c; under `scanning` --- */

/*
 * Takes a task into the table if the one that made it is there, and if it was
 * made after `since`: who is older was looked at before, and has stayed where
 * he was when his parent moved. True: it was new there. Takes `settling` and the lock, reads /proc.
 */
bool newcomer_look(struct accounting *accounting, pid_t tgid, pid_t tid,
		   const struct accounting_moment *since);
/* Whether the process is in the table. Takes the lock. */
bool is_known(struct accounting *accounting, pid_t tgid);
/*
 * The state that this scan did not see everything, but for whom the kernel says that there is none.
 * Returns the error.
 */
int note_failure(struct accounting *accounting, int error);

#endif
