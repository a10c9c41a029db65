/* SPDX-License-Identifier: MIT */
/* What has changed since it was kept for the next daemon. */
#include <stdlib.h>

#include <utlist.h>

#include "array.h"
#include "table.h"

void process_unsaved(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	if (accounting->keeping)
		LIST_ENTER(accounting->unsaved, process, unsaved.listed);
}

void process_saved(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	LIST_LEAVE(accounting->unsaved, process, unsaved.listed);
}

void group_unsaved(struct group *group)
{
	struct accounting *accounting = group->accounting;

	assert_locked(&accounting->lock);
	if (!accounting->keeping || group->is_unsaved || !group->parent || group->retired)
		return;
	group->is_unsaved = true;
	DL_APPEND2(accounting->unsaved_groups, group, unsaved_prev, unsaved_next);
}

void group_gone(struct group *group)
{
	assert_locked(&group->accounting->lock);
	if (!group->is_unsaved)
		return;
	group->is_unsaved = false;
	DL_DELETE2(group->accounting->unsaved_groups, group, unsaved_prev, unsaved_next);
}

/* Remembers the number; without memory the process is found to be gone by the next daemon. */
void process_gone(struct accounting *accounting, struct process *process)
{
	pid_t *gone;

	process_saved(accounting, process);
	if (!accounting->keeping || !process->unsaved.told)
		return;
	gone = array_room(accounting->gone, accounting->gone_count, &accounting->gone_capacity,
			  sizeof(*gone));
	if (!gone)
		return;
	accounting->gone = gone;
	gone[accounting->gone_count++] = process->tgid;
}

void unsaved_free(struct accounting *accounting)
{
	free(accounting->gone);
	accounting->gone = NULL;
	accounting->gone_count = accounting->gone_capacity = 0;
}
