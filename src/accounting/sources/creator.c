/* SPDX-License-Identifier: MIT */
/*
 * Who made a task that a scan finds: its parent, or its process' leader. An orphan's parent has ended,
 * and /proc names who adopted it: then who has most in common with it, or has just waited for a child.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "newcomer.h"

#define SAME_PROGRAM 8 /* says more than any kinship */
#define INIT 1 /* of the pid namespace */

/* How much a process has in common with an orphan: its group, at least its session, or nothing. */
static int kinship(const struct process *process, const struct machine_task_stat *orphan)
{
	if (process->tgid == orphan->pgrp)
		return 4;
	if (process->origin.pgrp == orphan->pgrp)
		return 3;
	if (process->tgid == orphan->session)
		return 2;
	return process->origin.session == orphan->session;
}

/*
 * A leader that lives and is no member: who is in its group or session is as likely its own.
 * 0 stands for all that are outside of the pid namespace.
 */
static bool is_stranger(struct accounting *accounting, pid_t leader, bool lives)
{
	return !leader || (lives && !process_find(accounting, leader));
}

/* The leader of its process group lives, and is no member. */
static bool has_strange_leader(struct accounting *accounting, const struct newcomer *newcomer)
{
	return newcomer->stat.pgrp != newcomer->id.tgid &&
	       is_stranger(accounting, newcomer->stat.pgrp, newcomer->has_leader);
}

/*
 * It runs a member's program as that does, by a stack whose place is random: no exec was since the
 * forks that made it. A stranger beside it that does so too may be where it comes from as well.
 */
static bool is_same_program(struct accounting *accounting, const struct process *process,
			    const struct newcomer *newcomer)
{
	uint64_t stack = newcomer->stat.startstack;

	if (!stack || process->origin.startstack != stack ||
	    strcmp(process->origin.comm, newcomer->stat.comm) || newcomer->parent.startstack == stack)
		return false;
	return newcomer->leader.startstack != stack || !has_strange_leader(accounting, newcomer);
}

/*
 * It has another session than its parent, who has adopted it then. Init may be of the session too:
 * it has adopted who is in a process group that is neither init's nor its own.
 */
static bool is_adopted(const struct newcomer *newcomer)
{
	const struct machine_task_stat *stat = &newcomer->stat, *parent = &newcomer->parent;

	return parent->session != stat->session ||
	       (stat->ppid == INIT && stat->pgrp != parent->pgrp && stat->pgrp != newcomer->id.tgid);
}

/*
 * Who may have forked a process whose true parent has ended meanwhile: one that runs the same
 * program, one of its process group, or of its session.
 */
static const struct task *orphan_creator(struct accounting *accounting,
					 const struct newcomer *newcomer)
{
	const struct machine_task_stat *stat = &newcomer->stat;
	const struct process *nearest = NULL;
	struct process *process;
	int least = 1, best = 0;

	if (!is_adopted(newcomer) || has_strange_leader(accounting, newcomer))
		least = SAME_PROGRAM; /* strangers have orphans too */
	else if (newcomer->parent.session == stat->session ||
		 is_stranger(accounting, stat->session, newcomer->session_lives))
		least = 3; /* its group alone can tell */
	for (process = accounting->processes; process; process = process->hh.next) {
		int kin = kinship(process, stat);

		if (process->tgid == stat->pid)
			continue;
		if (is_same_program(accounting, process, newcomer))
			kin += SAME_PROGRAM;
		if (kin >= least && kin > best) {
			best = kin;
			nearest = process;
		}
	}
	if (!nearest && newcomer->waited)
		nearest = process_find(accounting, newcomer->waited);
	return nearest ? process_leader(nearest) : NULL;
}

const struct task *creator_find(struct accounting *accounting, const struct newcomer *newcomer)
{
	bool is_process = newcomer->id.tid == newcomer->id.tgid;
	struct process *process =
		process_find(accounting, is_process ? newcomer->stat.ppid : newcomer->id.tgid);

	assert_locked(&accounting->lock);
	if (process)
		return process_leader(process);
	return is_process && newcomer->has_parent ? orphan_creator(accounting, newcomer) : NULL;
}

/* A member of an orphan's process group, and what was known of its children. */
struct kin {
	struct task_id id;
	uint64_t faults; /* of those it has waited for */
	bool has_waited; /* since an ancestor of the orphan may have been made unseen */
	bool has_zombies;
};

static struct kin kin_of(const struct process *process, const struct accounting_moment *since)
{
	return (struct kin){.id = process_leader(process)->id,
			    .faults = process->reaped.figures.now.value[COUNTER_FAULTS],
			    .has_waited = process->reaped.waited_at && process->reaped.waited_at >= since->at,
			    .has_zombies = process->reaped.zombies};
}

/* Those of the process group where a stranger leads it, and may be who made the newcomer. */
static struct kin *list_kin(struct accounting *accounting, const struct newcomer *newcomer,
			    const struct accounting_moment *since, size_t *count)
{
	const struct process *process;
	struct kin *kin = NULL;

	*count = 0;
	guard(&accounting->lock);
	if (has_strange_leader(accounting, newcomer))
		kin = calloc(HASH_COUNT(accounting->processes), sizeof(*kin));
	for (process = kin ? accounting->processes : NULL; process; process = process->hh.next) {
		if (process->live && process->origin.pgrp == newcomer->stat.pgrp)
			kin[(*count)++] = kin_of(process, since);
	}
	return kin;
}

/* It has ended, or has waited for a child, since it was read last. */
static bool has_gone_on(const struct machine *machine, const struct kin *kin)
{
	struct machine_task_stat stat;
	int error = machine_task_stat(machine, kin->id.tgid, 0, &stat);

	if (error)
		return error_is_gone(error);
	return !id_started(&kin->id, stat.starttime) || stat.state == 'Z' || stat.state == 'X' ||
	       stat.cminflt + stat.cmajflt > kin->faults;
}

/* An orphan's parent has ended: it was a member, or who made it has waited for it, or is to. */
static pid_t find_waited(struct accounting *accounting, const struct newcomer *newcomer,
			 const struct accounting_moment *since)
{
	pid_t waited = 0;
	size_t count;
	struct kin *kin = list_kin(accounting, newcomer, since, &count);

	for (size_t i = 0; i < count && !waited; i++) {
		if (kin[i].has_zombies || kin[i].has_waited ||
		    has_gone_on(accounting->machine, &kin[i]))
			waited = kin[i].id.tgid;
	}
	free(kin);
	return waited;
}

int creator_read(struct accounting *accounting, struct newcomer *newcomer,
		 const struct accounting_moment *since)
{
	const struct machine *machine = accounting->machine;
	const struct machine_task_stat *stat = &newcomer->stat;
	int error = stat->ppid ? machine_task_stat(machine, stat->ppid, 0, &newcomer->parent) : -ESRCH;

	newcomer->has_parent = !error;
	if (!error || error_is_gone(error)) {
		error = machine_task_stat(machine, stat->pgrp, 0, &newcomer->leader);
		newcomer->has_leader = !error;
	}
	if (error && !error_is_gone(error))
		return error;
	newcomer->session_lives = machine_task_exists(machine, stat->session, 0);
	if (newcomer->has_parent && is_adopted(newcomer))
		newcomer->waited = find_waited(accounting, newcomer, since);
	return 0;
}
