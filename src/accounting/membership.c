/* SPDX-License-Identifier: MIT */
/* Which task is in which group: the tables, and every step in a task's life. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "internal.h"
#include "log.h"
#include "text.h"

struct task *task_find(struct accounting *accounting, pid_t tid)
{
	struct task *task;

	HASH_FIND_INT(accounting->tasks, &tid, task);
	return task;
}

/* Of a fork that is told the task is there already; clocks that are read in turn differ a little. */
bool id_started(const struct task_id *id, uint64_t start_time)
{
	if (id->start_time)
		return start_time == id->start_time;
	return !id->forked_at || start_time <= id->forked_at + 1;
}

bool task_is(const struct task *task, const struct task_id *id)
{
	return !id->start_time || id_started(&task->id, id->start_time);
}

static bool task_is_claimed(const struct accounting *accounting, const struct task *task)
{
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (task->links[i].group)
			return true;
	}
	return false;
}

struct task *task_new(struct accounting *accounting, const struct task_id *id)
{
	struct task *task = task_find(accounting, id->tid);
	struct process *process;

	if (task)
		task_free(accounting, task);
	process = process_get(accounting, id->tgid);
	if (process)
		process_unsaved(accounting, process);
	task = calloc(1, sizeof(*task) + accounting->hierarchies * sizeof(task->links[0]));
	if (!process || !task) {
		free(task);
		return NULL; /* an empty process does no harm */
	}
	task->id = *id;
	task->process = process;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		task->links[i].task = task;
	DL_APPEND(process->tasks, task);
	process->live++;
	HASH_ADD_INT(accounting->tasks, id.tid, task);
	return task;
}

/* Remembers a fork for who wants to know of it. */
static void note_fork(struct accounting *accounting, const struct task *task, unsigned hierarchy)
{
	if (!accounting->on_fork[hierarchy].forked)
		return;
	if (accounting->news_count == accounting->news_capacity) {
		size_t capacity = accounting->news_capacity ? 2 * accounting->news_capacity : 16;
		struct fork_news *news = realloc(accounting->news, capacity * sizeof(*news));

		if (!news)
			return;
		accounting->news = news;
		accounting->news_capacity = capacity;
	}
	accounting->news[accounting->news_count++] =
		(struct fork_news){.id = task->id,
				   .hierarchy = hierarchy,
				   .group = task->links[hierarchy].group};
}

void forks_announce(struct accounting *accounting)
{
	struct fork_news *news;
	size_t count;

	pthread_mutex_lock(&accounting->lock);
	news = accounting->news;
	count = accounting->news_count;
	accounting->news = NULL;
	accounting->news_count = accounting->news_capacity = 0;
	pthread_mutex_unlock(&accounting->lock);
	for (size_t i = 0; i < count; i++) {
		unsigned hierarchy = news[i].hierarchy;

		accounting->on_fork[hierarchy].forked(accounting->on_fork[hierarchy].context,
						      news[i].group, &news[i].id);
	}
	free(news);
}

static void tell_news(struct accounting *accounting)
{
	if (accounting->on_news.tell)
		accounting->on_news.tell(accounting->on_news.context);
}

/* pids_event(): v1 counts where the task was forked, v2 where the limit is and above. */
static void count_over_limit(struct group *own)
{
	struct group *limited = own;

	while (limited && limited->populated <= limited->pids_limit)
		limited = limited->parent;
	if (!limited)
		return;
	own->pids_over++;
	limited->pids_hits++;
	tell_news(own->accounting);
	group_unsaved(own);
	for (; limited; limited = limited->parent) {
		limited->pids_hits_below++;
		group_unsaved(limited);
	}
}

struct task *task_fork(struct accounting *accounting, const struct task *creator,
		       const struct task_id *id)
{
	struct group *groups[ACCOUNTING_MAX_HIERARCHIES];
	struct process *parent = creator->process;
	struct task *task;

	if (id->tid == id->tgid && !task_is_claimed(accounting, creator))
		return NULL;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		groups[i] = creator->links[i].group;
	task = task_new(accounting, id);
	if (!task)
		return NULL;
	task->measured = true;
	if (id->tid == id->tgid) {
		task->process->measured = task->process->measured_io = true;
		task->process->complete = true;
		process_set_parent(accounting, task->process, parent->tgid);
		memory_fork(task->process, parent, groups);
		high_water_fork(task->process, parent);
		task->process->startstack = parent->startstack;
		memcpy(task->process->comm, parent->comm, sizeof(parent->comm));
	}
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (!groups[i])
			continue;
		task_enter(task, i, groups[i]);
		count_over_limit(groups[i]);
		note_fork(accounting, task, i);
	}
	log_debug("accounting: task %d of process %d was forked by task %d, and is in its cgroups", id->tid,
		  id->tgid, creator->id.tid);
	return task;
}

/* Counts a task in or out, here and above. */
static void group_count(struct group *group, int live, int zombies)
{
	for (; group; group = group->parent) {
		bool was_populated = group->populated;

		group->populated += (unsigned)live;
		if (was_populated != (group->populated > 0)) {
			group->populated_turns++;
			tell_news(group->accounting);
		}
		group->zombie_count += (unsigned)zombies;
		if (group->populated > group->pids_peak) {
			group->pids_peak = group->populated;
			group_unsaved(group);
		}
	}
}

static void link_leave(struct task_link *link)
{
	struct group *group = link->group;
	bool zombie = link->task->zombie;

	if (!group)
		return;
	if (zombie)
		DL_DELETE(group->zombies, link);
	else
		DL_DELETE(group->tasks, link);
	group_count(group, zombie ? 0 : -1, zombie ? -1 : 0);
	link->task->process->claims--;
	link->group = NULL;
}

void task_enter(struct task *task, unsigned hierarchy, struct group *group)
{
	struct task_link *link = &task->links[hierarchy];

	if (group && !group->parent)
		group = NULL; /* roots list nobody */
	if (link->group == group)
		return;
	process_unsaved((group ? group : link->group)->accounting, task->process);
	/* In before out, as pids_can_attach(): a common ancestor's peak tells. */
	group_count(group, task->zombie ? 0 : 1, task->zombie ? 1 : 0);
	link_leave(link);
	link->group = group;
	if (!group)
		return;
	task->process->claims++;
	if (task->zombie)
		DL_APPEND(group->zombies, link);
	else
		DL_APPEND(group->tasks, link);
}

/* What a task may have run after its figures at exit were taken, and since the tick before: ns. */
#define EXIT_GRACE 10000000u

static void count_end(struct accounting *accounting, struct task *task,
		      const struct counters *final)
{
	struct process *process = task->process;
	uint64_t explained = task->run ? 0 : process->lost_run; /* most likely it was this one's */
	struct counters delta = {0};

	if (final && !task->measured) {
		task->run = final->value[COUNTER_RUN]; /* its life before it was a member */
		process->measured = false;
	}
	if (!final) {
		process->ended_run += task->run;
		task->run = 0;
		return;
	}
	process->measured_at[0] = now_ns() - EXIT_GRACE; /* all but its last moments is known */
	for (enum counter i = COUNTER_USER; i < COUNTERS; i++)
		process->recorded.value[i] += final->value[i];
	if (process->measured)
		delta = counters_grow(&process->seen, &process->recorded);
	if (final->value[COUNTER_RUN] > task->run)
		count_run(accounting, task, final->value[COUNTER_RUN], &delta,
			  final->value[COUNTER_RUN] - task->run, &explained);
	process->ended_run += task->run;
	task->run = 0;
	delta.value[COUNTER_USER] = delta.value[COUNTER_SYSTEM] = 0; /* went with the run time */
	io_count_requests(accounting, process, &delta);
	usage_count(accounting, process_leader(process)->links, &delta, task->cpu);
}

void task_end(struct accounting *accounting, struct task *task, const struct counters *final)
{
	if (task->zombie)
		return;
	log_debug("accounting: task %d of process %d has ended", task->id.tid, task->id.tgid);
	process_unsaved(accounting, task->process);
	count_end(accounting, task, final);
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		struct task_link *link = &task->links[i];

		if (!link->group)
			continue;
		DL_DELETE(link->group->tasks, link);
		DL_APPEND(link->group->zombies, link);
		group_count(link->group, -1, 1);
	}
	task->zombie = true;
	accounting->zombies++;
	if (--task->process->live)
		reaper_note(accounting, task->process); /* its files know what the thread used at last */
	else
		process_end(accounting, task->process);
}

void task_free(struct accounting *accounting, struct task *task)
{
	struct process *process = task->process;

	task_end(accounting, task, NULL);
	process_unsaved(accounting, process);
	if (process->tasks == task && !task->next)
		reap_claim(accounting, process);
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		link_leave(&task->links[i]);
	accounting->zombies--;
	DL_DELETE(process->tasks, task);
	HASH_DEL(accounting->tasks, task);
	free(task->left_path);
	free(task);
	if (!process->tasks)
		process_free(accounting, process);
}

/* de_thread(): the survivor is the leader from here on. */
static void take_over(struct accounting *accounting, struct process *process, struct task *survivor)
{
	struct task *leader = process_leader(process);

	survivor->id.start_time = 0; /* it has the leader's, if that is not known */
	survivor->id.forked_at = 0;
	if (leader->id.tid == process->tgid) {
		survivor->id.start_time = leader->id.start_time;
		task_free(accounting, leader);
	}
	HASH_DEL(accounting->tasks, survivor);
	survivor->id.tid = process->tgid;
	HASH_ADD_INT(accounting->tasks, id.tid, survivor);
}

void task_exec(struct accounting *accounting, pid_t tgid)
{
	struct process *process = process_find(accounting, tgid);
	struct task *task, *survivor = NULL;

	if (!process)
		return;
	memory_release(accounting, process);
	DL_FOREACH(process->tasks, task) {
		if (!task->zombie)
			survivor = task;
	}
	if (survivor && survivor->id.tid != tgid)
		take_over(accounting, process, survivor);
}

void task_exec_seen(struct accounting *accounting, pid_t tgid, uint64_t faults)
{
	struct process *process = process_find(accounting, tgid);
	struct task *task, *survivor = NULL, *leader = process ? process_leader(process) : NULL;

	if (!leader || leader->id.tid != tgid || faults >= leader->faults)
		return;
	DL_FOREACH(process->tasks, task) {
		if (task != leader && !task->zombie && task->faults <= faults)
			survivor = task;
	}
	if (!survivor)
		return;
	memory_release(accounting, process);
	take_over(accounting, process, survivor);
	process_forget_unwanted(accounting, process);
}

static void task_move(struct accounting *accounting, struct task *task, struct group *group)
{
	struct process *process = task->process;

	if (task == process_leader(process))
		memory_leave(accounting, process, group->hierarchy,
			     task->links[group->hierarchy].group);
	task_enter(task, group->hierarchy, group);
	process_forget_unwanted(accounting, process);
}

int accounting_move(struct group *group, const struct task_id *tasks, size_t count)
{
	struct accounting *accounting = group->accounting;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	for (size_t i = 0; i < count && !error; i++) {
		struct task *task = task_find(accounting, tasks[i].tid);

		if (task && !task_is(task, &tasks[i])) {
			task_free(accounting, task);
			task = NULL;
		}
		if (!task && !group->parent)
			continue; /* there already */
		if (!task)
			task = task_new(accounting, &tasks[i]);
		if (!task)
			error = -ENOMEM;
		else if (!task->zombie)
			task_move(accounting, task, group);
	}
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

struct group *accounting_group_of(struct accounting *accounting, unsigned hierarchy,
				  const struct task_id *id)
{
	struct group *group = NULL;
	struct task *task;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, id->tid);
	if (task && task_is(task, id))
		group = task->links[hierarchy].group;
	pthread_mutex_unlock(&accounting->lock);
	return group;
}

bool group_has_task(struct group *group, const struct task_id *id)
{
	const struct group *at = accounting_group_of(group->accounting, group->hierarchy, id);

	return at ? at == group : !group->parent;
}

void group_leave_path(struct group *group, const char *path)
{
	struct task_link *link;

	pthread_mutex_lock(&group->accounting->lock);
	DL_FOREACH(group->zombies, link) {
		free(link->task->left_path);
		link->task->left_path = strdup(path);
	}
	pthread_mutex_unlock(&group->accounting->lock);
}

bool accounting_left_path(struct accounting *accounting, const struct task_id *id, struct text *out)
{
	const struct task *task;
	bool left;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, id->tid);
	left = task && task_is(task, id) && task->left_path;
	if (left)
		text_add(out, task->left_path);
	pthread_mutex_unlock(&accounting->lock);
	return left;
}
