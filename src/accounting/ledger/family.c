/* SPDX-License-Identifier: MIT */
/* Who is whose child, and what changes hands with it. */
#include "ledger.h"

void family_leave(struct process *process)
{
	if (!process->parent)
		return;
	sharing_leave(process);
	child_remove(process);
}

/* A zombie's parent: it became a member after the zombie, or has adopted it. */
static void set_reaper(struct accounting *accounting, struct process *process,
		       struct process *reaper)
{
	if (process->reaped.by == reaper)
		return;
	reap_release(accounting, process);
	if (reaper)
		reap_await(reaper, process);
}

void process_set_parent(struct accounting *accounting, struct process *process, pid_t parent)
{
	struct process *found;

	assert_locked(&accounting->lock);
	if (process->parent && process->parent->tgid == parent)
		return;
	found = process_find(accounting, parent);
	if (found && !found->live)
		return; /* read before the parent's end */
	if (!process->live) {
		set_reaper(accounting, process, found);
		return;
	}
	family_leave(process);
	if (!found || found == process)
		return;
	child_add(found, process);
}
