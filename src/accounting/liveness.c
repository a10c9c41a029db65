/* Who of the known tasks still lives, and the lists of them. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "internal.h"

enum liveness task_look(const struct machine *machine, const struct task_id *id)
{
	struct machine_task_stat stat;

	if (machine_task_stat(machine, id->tgid, id->tid, &stat))
		return TASK_GONE;
	if (id->start_time && stat.starttime != id->start_time)
		return TASK_GONE;
	return stat.state == 'Z' || stat.state == 'X' ? TASK_ZOMBIE : TASK_LIVES;
}

int links_copy(const struct task_link *links, struct task_list *list)
{
	const struct task_link *link;
	size_t count = 0;

	*list = (struct task_list){0};
	DL_FOREACH(links, link)
		count++;
	if (!count)
		return 0;
	list->tasks = malloc(count * sizeof(*list->tasks));
	if (!list->tasks)
		return -ENOMEM;
	DL_FOREACH(links, link)
		list->tasks[list->count++] = link->task->id;
	return 0;
}

/* Looks at each; who is known to have changed is marked so. */
static void refresh_tasks(struct accounting *accounting, const struct task_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		enum liveness liveness = task_look(accounting->machine, &list->tasks[i]);
		struct task *task;

		if (liveness == TASK_LIVES)
			continue;
		pthread_mutex_lock(&accounting->lock);
		task = task_find(accounting, list->tasks[i].tid);
		if (task && task_is(task, &list->tasks[i])) {
			if (liveness == TASK_ZOMBIE)
				task_end(accounting, task);
			else
				task_free(accounting, task);
		}
		pthread_mutex_unlock(&accounting->lock);
	}
}

int group_refresh(struct group *group)
{
	struct accounting *accounting = group->accounting;
	struct task_list live, zombies = {0};
	int error;

	pthread_mutex_lock(&accounting->lock);
	error = links_copy(group->tasks, &live);
	if (!error)
		error = links_copy(group->zombies, &zombies);
	pthread_mutex_unlock(&accounting->lock);
	refresh_tasks(accounting, &live);
	refresh_tasks(accounting, &zombies);
	free(live.tasks);
	free(zombies.tasks);
	return error;
}

bool group_is_busy(struct group *group)
{
	group_refresh(group);
	return group_has_members(group);
}

static int compare_tasks(const void *a, const void *b)
{
	const struct task_id *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static int list_add(struct task_list *list, size_t *capacity, const struct task_id *id)
{
	if (list->count == *capacity) {
		size_t wanted = *capacity ? 2 * *capacity : 64;
		struct task_id *tasks = realloc(list->tasks, wanted * sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		list->tasks = tasks;
		*capacity = wanted;
	}
	list->tasks[list->count++] = *id;
	return 0;
}

/* True when a group of the hierarchy has it. */
static bool is_claimed_in(struct accounting *accounting, const struct task_id *id,
			  unsigned hierarchy)
{
	struct task *task;
	bool claimed;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, id->tid);
	claimed = task && task_is(task, id) && task->links[hierarchy].group;
	pthread_mutex_unlock(&accounting->lock);
	return claimed;
}

/* Adds the live threads of a process that are in the hierarchy's root. */
static int list_unclaimed(struct accounting *accounting, unsigned hierarchy, pid_t tgid,
			  struct machine_ids *threads, struct task_list *list, size_t *capacity)
{
	struct machine_task_stat stat;
	int error = machine_task_stat(accounting->machine, tgid, 0, &stat);
	bool threaded = !error && stat.num_threads > 1;

	if (threaded)
		error = machine_tids(accounting->machine, tgid, threads);
	if (error)
		return error == -ENOMEM ? error : 0; /* it has ended */
	for (size_t i = 0; i < (threaded ? threads->nr : 1); i++) {
		struct task_id id = {.tid = threaded ? threads->id[i] : tgid, .tgid = tgid};

		if (threaded && machine_task_stat(accounting->machine, tgid, id.tid, &stat))
			continue;
		id.start_time = stat.starttime;
		if (stat.state == 'Z' || stat.state == 'X' ||
		    is_claimed_in(accounting, &id, hierarchy))
			continue;
		error = list_add(list, capacity, &id);
		if (error)
			return error;
	}
	return 0;
}

/* All tasks of the machine but those that groups of the hierarchy have. */
static int list_root(struct accounting *accounting, unsigned hierarchy, struct task_list *list)
{
	struct machine_ids processes = {0}, threads = {0};
	size_t capacity = 0;
	int error = machine_pids(accounting->machine, &processes);

	for (size_t i = 0; i < processes.nr && !error; i++)
		error = list_unclaimed(accounting, hierarchy, processes.id[i], &threads, list,
				       &capacity);
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
			error = links_copy(group->tasks, list);
			pthread_mutex_unlock(&accounting->lock);
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
