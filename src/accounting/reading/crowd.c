/* SPDX-License-Identifier: MIT */
/* Whether a group is as full as it may be, or only of members that have ended without a word. */
#include <utlist.h>

#include "reading.h"

#define FEW 16 /* who so many are is looked at for each newcomer, more of them once a scan */

void list_mortal(const struct group *group, bool live, struct task_list *list)
{
	const struct group *child;

	assert_locked(&group->accounting->lock);
	if (!group->zombie_count && !(live && group->populated))
		return;
	list_links(group->zombies, list);
	if (live)
		list_links(group->tasks, list);
	DL_FOREACH(group->children, child)
		list_mortal(child, live, list);
}

static bool is_crowded(const struct group *group)
{
	return group->populated >= group->pids_peak || group->populated >= group->pids_limit;
}

void group_list_crowd(struct group *group, struct task_list *list)
{
	struct accounting *accounting = group->accounting;
	const struct group *top = NULL;

	assert_locked(&accounting->lock);
	if (accounting_tells_exits(accounting) ||
	    !(accounting->counts_pids & UINT32_C(1) << group->hierarchy))
		return;
	for (; group && group->parent; group = group->parent) {
		if (!is_crowded(group) ||
		    (group->recounted == accounting->scans && group->populated > FEW))
			continue;
		group->recounted = accounting->scans;
		top = group;
	}
	if (top)
		list_mortal(top, true, list);
}

void tasks_bury(struct accounting *accounting, struct task_list *list)
{
	size_t gone = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct task_id *id = &list->tasks[i];

		if (!machine_task_exists(accounting->machine, id->tgid, id->tid))
			list->tasks[gone++] = *id;
	}
	list->count = gone;
	tasks_refresh(accounting, list);
}
