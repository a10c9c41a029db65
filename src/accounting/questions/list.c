/* SPDX-License-Identifier: MIT */
/* Who is in a group. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "machine_patient.h"
#include "questions.h"

/* Looks at the members of the group itself and its zombies. 0 or -ENOMEM. */
static int look_at_group(struct group *group)
{
	struct accounting *accounting = group->accounting;
	struct task_list list = {0};

	source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	list_links(group->tasks, &list);
	list_links(group->zombies, &list);
	pthread_mutex_unlock(&accounting->lock);
	tasks_refresh(accounting, &list);
	free(list.tasks);
	return list.error;
}

/* Whether there are members whom /proc has no more, and of whose exit nothing was told yet. */
static bool has_untold(struct group *group)
{
	const struct task_link *link;
	bool found = false;

	guard(&group->accounting->lock);
	DL_FOREACH(group->tasks, link)
		found |= link->task->gone_at;
	return found;
}

/* Of those who are gone it is told after they were looked at, with those whom they forked before. */
static int group_refresh(struct group *group)
{
	int error = look_at_group(group);

	return error || !has_untold(group) ? error : look_at_group(group);
}

bool group_is_busy(struct group *group)
{
	group_refresh(group);
	return group_has_members(group) || group_native_is_busy(group);
}

static int compare_tasks(const void *a, const void *b)
{
	const struct task_id *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

/* True when a group of the hierarchy has it. */
static bool is_claimed_in(struct accounting *accounting, const struct task_id *id,
			  unsigned hierarchy)
{
	const struct task *task;

	guard(&accounting->lock);
	task = task_known(accounting, id);
	return task && task->links[hierarchy].group;
}

/* One task of a process, if it lives and is in the hierarchy's root. One that hangs does live. */
static int list_if_unclaimed(struct accounting *accounting, unsigned hierarchy,
			     const struct machine_stat_question *asked, struct task_list *list)
{
	const pid_t tgid = asked->head.pid;
	struct task_id id = {.tid = asked->tid ? asked->tid : tgid, .tgid = tgid};

	if (asked->error && asked->error != -EBUSY)
		return error_is_gone(asked->error) ? 0 : asked->error;
	if (!asked->error && (asked->stat.state == 'Z' || asked->stat.state == 'X'))
		return 0;
	if (!asked->error)
		id.start_time = asked->stat.starttime;
	if (!is_claimed_in(accounting, &id, hierarchy))
		list_add(list, &id);
	return list->error;
}

/* The threads of a process that has several, or may have. */
static int list_threads(struct accounting *accounting, unsigned hierarchy, pid_t tgid,
			struct machine_ids *threads, struct task_list *list)
{
	int error = machine_tids(accounting->machine, tgid, threads);
	struct machine_stat_question *asked;

	if (error)
		return error_is_gone(error) ? 0 : error;
	asked = calloc(threads->nr + 1, sizeof(*asked));
	if (!asked)
		return -ENOMEM;
	for (size_t i = 0; i < threads->nr; i++) {
		asked[i].head.pid = tgid;
		asked[i].tid = threads->id[i];
	}
	machine_task_stats(accounting->machine, asked, threads->nr);
	for (size_t i = 0; i < threads->nr && !error; i++)
		error = list_if_unclaimed(accounting, hierarchy, &asked[i], list);
	free(asked);
	return error;
}

/* All tasks of the machine but those that groups of the hierarchy have. */
static int list_root(struct accounting *accounting, unsigned hierarchy, struct task_list *list)
{
	struct machine_ids processes = {0}, threads = {0};
	struct machine_stat_question *asked;
	int error = machine_pids(accounting->machine, &processes);

	asked = calloc(processes.nr + 1, sizeof(*asked));
	if (!asked)
		error = -ENOMEM;
	for (size_t i = 0; i < processes.nr && asked; i++)
		asked[i].head.pid = processes.id[i];
	if (!error)
		machine_task_stats(accounting->machine, asked, processes.nr);
	for (size_t i = 0; i < processes.nr && !error; i++) {
		if (asked[i].error == -EBUSY || (!asked[i].error && asked[i].stat.num_threads > 1))
			error = list_threads(accounting, hierarchy, processes.id[i], &threads, list);
		else
			error = list_if_unclaimed(accounting, hierarchy, &asked[i], list);
	}
	free(asked);
	machine_ids_free(&processes);
	machine_ids_free(&threads);
	return error;
}

int accounting_list(struct group *group, struct task_list *list)
{
	struct accounting *accounting = group->accounting;
	int error;

	*list = (struct task_list){0};
	if (!group->parent) {
		error = list_root(accounting, group->hierarchy, list);
	} else {
		error = group_refresh(group);
		if (!error) {
			pthread_mutex_lock(&accounting->lock);
			list_links(group->tasks, list);
			pthread_mutex_unlock(&accounting->lock);
			error = list->error;
		}
	}
	if (error) {
		free(list->tasks);
		*list = (struct task_list){0};
		return error;
	}
	if (list->count)
		qsort(list->tasks, list->count, sizeof(*list->tasks), compare_tasks);
	return 0;
}
