/* SPDX-License-Identifier: MIT */
/* How many tasks groups have, had and may have. */
#include <stdlib.h>

#include "questions.h"

uint64_t group_pids_peak(struct group *group)
{
	guard(&group->accounting->lock);
	return group->pids_peak;
}

void group_pids_limit(struct group *group, uint64_t limit)
{
	guard(&group->accounting->lock);
	group->pids_limit = limit;
}

uint64_t group_pids_hits(struct group *group, uint64_t *total)
{
	guard(&group->accounting->lock);
	if (total)
		*total = group->pids_hits_below;
	return group->pids_hits;
}

void group_pids_restart(struct group *group)
{
	guard(&group->accounting->lock);
	group->pids_peak = group->populated;
	group->pids_over = group->pids_hits = group->pids_hits_below = 0;
}

uint64_t group_pids_over(struct group *group)
{
	guard(&group->accounting->lock);
	return group->pids_over;
}

int group_recount(struct group *group)
{
	struct accounting *accounting = group->accounting;
	struct task_list list = {0};

	pthread_mutex_lock(&accounting->lock);
	accounting->scans++; /* what was counted before does not do */
	group_list_crowd(group, &list);
	pthread_mutex_unlock(&accounting->lock);
	tasks_bury(accounting, &list);
	free(list.tasks);
	return list.error;
}

uint64_t group_pids(struct group *group)
{
	struct accounting *accounting = group->accounting;
	bool live = !accounting_tells_exits(accounting);
	struct task_list list = {0};
	uint64_t pids;

	source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	list_mortal(group, live, &list);
	pthread_mutex_unlock(&accounting->lock);
	tasks_refresh(accounting, &list);
	free(list.tasks);
	pthread_mutex_lock(&accounting->lock);
	pids = group->populated + group->zombie_count;
	if (pids > group->pids_peak) {
		group->pids_peak = (unsigned)pids;
		group_unsaved(group);
	}
	pthread_mutex_unlock(&accounting->lock);
	return pids;
}
