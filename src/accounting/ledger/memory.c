/* SPDX-License-Identifier: MIT */
/* What processes hold, and which group holds it: it stays where it was first charged. */
#include <utlist.h>

#include "charge.h"

#define CHANGE 65536u /* bytes */

/*
 * What the groups that the process left still hold: what it had then, never
 * more than there is. It may shrink and grow back, as pages get and lose
 * sharers. Leaves in *now what the present group holds.
 */
static void hold_past(struct process *process, unsigned hierarchy, struct group *present,
			struct memory_usage *now)
{
	struct memory_usage rest = *now;
	struct charge *charge;

	LL_FOREACH(process->memory.charges, charge) {
		struct memory_usage held = charge->left;

		if (charge->hierarchy != hierarchy || is_own_charge(charge, hierarchy, present))
			continue;
		for (unsigned i = 0; i < HELD_FIELDS; i++) {
			uint64_t *have = held_field(&held, i), *left = held_field(&rest, i);

			if (*have > *left)
				*have = *left;
			*left -= *have;
		}
		charge_set(charge, &held);
	}
	*now = rest;
}

/* By more than how a stranger's coming and going changes the part of a page that each sharer has. */
static bool differs(const struct memory_usage *before, const struct memory_usage *now)
{
	uint64_t a = memory_usage_bytes(before), b = memory_usage_bytes(now);

	return (a > b ? a - b : b - a) >= CHANGE;
}

static void hold(struct accounting *accounting, struct process *process,
		 const struct memory_usage *now)
{
	const struct task *leader = process_leader(process);

	if (differs(&process->memory.held, now))
		accounting->memory_changed_at = now_ns();
	process->memory.held = *now;
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		struct group *group = leader->links[i].group;
		struct memory_usage present = *now;
		struct charge *charge;

		if (!(accounting->kinds[i] & USAGE_MEMORY) || (!group && !process->memory.charges))
			continue;
		hold_past(process, i, group, &present);
		charge = charge_get(process, i, group);
		if (charge)
			charge_set(charge, &present);
	}
}

/* What its descendants have of what it shares has changed: so has what it holds. */
static void hold_shared(struct accounting *accounting, struct process *head)
{
	struct memory_usage now = head->memory.held;

	now.anon = sharing_anon(head);
	if (now.anon == head->memory.held.anon)
		return;
	process_unsaved(accounting, head);
	hold(accounting, head, &now);
}

void memory_hold(struct accounting *accounting, struct process *process,
		 const struct memory_usage *now, uint64_t at)
{
	struct memory_usage own = *now;

	assert_locked(&accounting->lock);
	sharing_judge(process, at);
	own.anon = sharing_anon(process);
	hold(accounting, process, &own);
}

void memory_settle(struct accounting *accounting, const struct process *process, uint64_t at)
{
	struct process *head = sharing_head(process);

	assert_locked(&accounting->lock);
	if (!head || head->sharing.settled_at == at)
		return;
	head->sharing.settled_at = at;
	hold_shared(accounting, head);
}

void memory_release(struct accounting *accounting, struct process *process)
{
	struct process *head = process->sharing.shared ? sharing_head(process) : NULL;

	assert_locked(&accounting->lock);
	if (!holds_nothing(&process->memory.held))
		accounting->memory_changed_at = now_ns();
	while (process->memory.charges)
		charge_free(process->memory.charges);
	high_water_exec(process);
	process->memory.mark.at = 0;
	process->memory.held = (struct memory_usage){0};
	process->sharing = (struct sharing){0};
	if (head)
		hold_shared(accounting, head);
}

void memory_leave(struct accounting *accounting, struct process *process, unsigned hierarchy,
		  struct group *from)
{
	struct charge *charge;

	assert_locked(&accounting->lock);
	if (!(accounting->kinds[hierarchy] & USAGE_MEMORY) || holds_nothing(&process->memory.held))
		return;
	charge = charge_get(process, hierarchy, from);
	if (!charge)
		return;
	if (!from && !process->memory.charges->next) /* the first move: all is the root's */
		charge_set(charge, &process->memory.held);
	charge->left = charge->held;
	if (holds_nothing(&charge->left))
		charge_free(charge); /* and never will */
}

/* Its pages are its parent's at first: those of another group stay so. */
void memory_fork(struct process *process, const struct process *parent,
		 struct group *const groups[])
{
	const struct charge *from;

	LL_FOREACH(parent->memory.charges, from) {
		struct charge *charge;

		if (is_own_charge(from, from->hierarchy, groups[from->hierarchy]) ||
		    holds_nothing(&from->left))
			continue;
		charge = charge_new(process, from->hierarchy, from->group);
		if (!charge)
			continue;
		charge->is_heirs = from->is_heirs;
		charge->left = from->left;
	}
}

void memory_import(struct process *process, const struct charge *from)
{
	struct charge *charge = charge_new(process, from->hierarchy, from->group);

	if (!charge)
		return;
	charge->is_heirs = from->is_heirs;
	charge_set(charge, &from->held);
	charge->left = from->left;
}

/* Who inherits from the group: its parent, or the root as NULL. */
static struct group *heir_of(const struct group *group)
{
	return group->parent->parent && usage_get(group->parent) ? group->parent : NULL;
}

/* `top` is the group, or above it: who inherits from that does. */
static void give_all(struct group *group, const struct group *top)
{
	if (group->usage && group->usage->charges)
		group->accounting->all_unsaved = true;
	while (group->usage && group->usage->charges)
		charge_inherit(group->usage->charges, heir_of(top));
}

void memory_retire(struct group *group)
{
	assert_locked(&group->accounting->lock);
	give_all(group, group);
}

/* What it has now it has `left`, as if it moved; what it has freed since it left others is gone. */
static void leave_all(struct process *process, unsigned hierarchy)
{
	struct charge *charge, *next;

	LL_FOREACH_SAFE(process->memory.charges, charge, next) {
		if (charge->hierarchy != hierarchy)
			continue;
		charge->left = charge->held;
		if (holds_nothing(&charge->left))
			charge_free(charge);
	}
}

static void restart(struct group *group, const struct group *top)
{
	struct task_link *link;
	struct group *child;

	DL_FOREACH(group->tasks, link) {
		if (link->task == process_leader(link->task->process))
			leave_all(link->task->process, group->hierarchy);
	}
	give_all(group, top);
	DL_FOREACH(group->children, child)
		restart(child, top);
}

void memory_restart(struct group *group)
{
	assert_locked(&group->accounting->lock);
	restart(group, group);
	if (!group->usage)
		return;
	group->usage->peaks = (struct memory_peaks){0};
	group->usage->memory.pgfault = group->usage->memory.pgmajfault = 0;
	group->usage->memory_total.pgfault = group->usage->memory_total.pgmajfault = 0;
	group_unsaved(group);
}
