/* SPDX-License-Identifier: MIT */
/* Who made a new task, as far as /proc tells. */
#ifndef ACCOUNTING_CREATOR_H
#define ACCOUNTING_CREATOR_H

#include "internal.h"

/* A new task, and what is needed to tell who made it. */
struct newcomer {
	struct task_id id;
	struct machine_task_stat stat;
	/* Of one whose parent is no member: */
	struct machine_task_stat parent, leader; /* the leader of its process group */
	bool has_parent, has_leader;
	bool session_lives; /* its session's leader */
	pid_t waited; /* a member of its group that of late has ended, or waited for a child; 0: none */
};

/*
 * Reads what tells who made a process whose parent is no member; `since`: its ancestors may have been
 * made and have ended unseen after that. Takes the lock. 0, or a negative errno: not all could be read.
 */
int creator_read(struct accounting *accounting, struct newcomer *newcomer,
		  const struct accounting_moment *since);

/* A thread of who made it, NULL: no member did. Under the lock. */
const struct task *creator_find(struct accounting *accounting, const struct newcomer *newcomer);

#endif
