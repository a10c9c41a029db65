/* SPDX-License-Identifier: MIT */
/* Who of the known tasks still lives, and the lists of them. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "internal.h"
#include "machine_patient.h"

bool error_is_gone(int error)
{
	return error == -ESRCH || error == -ENOENT;
}

static enum liveness task_look(const struct machine *machine, const struct task_id *id,
			       struct machine_task_stat *stat)
{
	int error;

	if (machine_task_is_gone(machine, id->tgid, id->tid))
		return TASK_GONE;
	error = machine_task_stat(machine, id->tgid, id->tid, stat);
	if (error)
		return error_is_gone(error) ? TASK_GONE : TASK_UNKNOWN;
	if (!id_started(id, stat->starttime))
		return TASK_GONE;
	return stat->state == 'Z' || stat->state == 'X' ? TASK_ZOMBIE : TASK_LIVES;
}

int task_read_final(const struct machine *machine, const struct task_id *id,
		    struct counters *final)
{
	struct machine_task_schedstat sched;
	struct machine_task_stat stat;
	struct machine_task_io io = {0};
	int error = machine_task_stat(machine, id->tgid, id->tid, &stat);

	if (error || !id_started(id, stat.starttime))
		return error ? error : -ESRCH;
	*final = (struct counters){{
		[COUNTER_RUN] = (stat.utime + stat.stime) * MACHINE_TICK_NS,
		[COUNTER_USER] = stat.utime * MACHINE_TICK_NS,
		[COUNTER_SYSTEM] = stat.stime * MACHINE_TICK_NS,
		[COUNTER_FAULTS] = stat.minflt + stat.majflt,
		[COUNTER_MAJOR_FAULTS] = stat.majflt,
	}};
	error = machine_task_schedstat(machine, id->tgid, id->tid, &sched);
	if (!error)
		final->value[COUNTER_RUN] = sched.run_ns;
	else if (!error_is_gone(error))
		return error;
	if (!machine_task_io(machine, id->tgid, id->tid, &io)) { /* not everybody's may be read */
		final->value[COUNTER_READ] = io.read_bytes;
		final->value[COUNTER_WRITTEN] = io.write_bytes;
	}
	return 0;
}

/* What is to be known of a task, asked of it by a thread that may be lost. */
struct look {
	struct patient_head head;
	bool is_live; /* in: not known to have exited */
	struct task_id id;
	uint64_t at; /* ns: when it was looked at */
	enum liveness liveness;
	struct machine_task_stat stat; /* unless it is gone */
	bool has_final;
	struct counters final;
};

static void ask_look(const struct machine *machine, void *question)
{
	struct look *look = question;
	int error;

	look->at = now_ns();
	look->liveness = task_look(machine, &look->id, &look->stat);
	if (look->liveness != TASK_ZOMBIE || !look->is_live)
		return;
	error = task_read_final(machine, &look->id, &look->final);
	look->has_final = !error;
	if (error && !error_is_gone(error))
		look->liveness = TASK_UNKNOWN; /* it ends once that is known */
}

static struct look *look_at_all(struct accounting *accounting, const struct task_list *list)
{
	static const struct patient_kind kind = {.size = sizeof(struct look), .ask = ask_look};
	struct look *looks = list->count ? calloc(list->count, sizeof(*looks)) : NULL;

	if (!looks)
		return NULL; /* no memory: all are as they were */
	pthread_mutex_lock(&accounting->lock);
	for (size_t i = 0; i < list->count; i++) {
		const struct task *task = task_find(accounting, list->tasks[i].tid);

		looks[i] = (struct look){.head.pid = list->tasks[i].tgid,
					 .is_live = task && !task->zombie,
					 .id = list->tasks[i],
					 .liveness = TASK_UNKNOWN};
	}
	pthread_mutex_unlock(&accounting->lock);
	patient_ask(accounting->machine, &kind, looks, list->count);
	return looks;
}

bool task_may_forget(const struct accounting *accounting, struct task *task)
{
	if (!accounting_tells_exits(accounting) || task->zombie)
		return true;
	if (!task->gone_at)
		task->gone_at = now_ns();
	return accounting->told_at > task->gone_at;
}

void exec_look(struct accounting *accounting, pid_t tgid)
{
	const struct task_id leader = {.tid = tgid, .tgid = tgid};
	struct machine_task_stat stat;

	if (accounting_tells_exits(accounting) ||
	    task_look(accounting->machine, &leader, &stat) != TASK_LIVES)
		return;
	pthread_mutex_lock(&accounting->lock);
	task_exec_seen(accounting, tgid, stat.minflt + stat.majflt);
	pthread_mutex_unlock(&accounting->lock);
}

/*
 * Marks one that is known to have changed, or to have been adopted. One that lives on after its exit
 * was told is on its way to be a zombie: do_exit() tells perf and taskstats before exit_notify().
 * Under the lock.
 */
static void note_look(struct accounting *accounting, const struct look *look, bool heals)
{
	const uint64_t faults = look->stat.minflt + look->stat.majflt;
	const struct task_id *id = &look->id;
	struct task *task;

	if (look->liveness == TASK_UNKNOWN)
		return;
	if (look->liveness == TASK_LIVES && id->tid == id->tgid && !accounting_tells_exits(accounting))
		task_exec_seen(accounting, id->tgid, faults);
	task = task_find(accounting, id->tid);
	if (!task || !task_is(task, id))
		return;
	if (look->liveness != TASK_GONE && id->tid == id->tgid && look->at >= task->process->adopted_at)
		process_set_parent(accounting, task->process, look->stat.ppid);
	if (look->liveness != TASK_GONE)
		task->faults = faults;
	if (look->liveness == TASK_ZOMBIE)
		task_end(accounting, task, look->has_final ? &look->final : NULL);
	else if (look->liveness == TASK_GONE && (heals || task_may_forget(accounting, task)))
		task_free(accounting, task);
}

static void refresh_each(struct accounting *accounting, const struct task_list *list, bool heals)
{
	struct look *looks = look_at_all(accounting, list);

	if (!looks)
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (looks[i].liveness == TASK_GONE && looks[i].id.tid != looks[i].id.tgid)
			exec_look(accounting, looks[i].id.tgid);
	}
	pthread_mutex_lock(&accounting->lock);
	for (size_t i = 0; i < list->count; i++)
		note_look(accounting, &looks[i], heals);
	pthread_mutex_unlock(&accounting->lock);
	free(looks);
}

int list_add(struct task_list *list, size_t *capacity, const struct task_id *id)
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

/*
 * Takes the orphans' leaders off the list of orphans. For whom there is no memory waits there for the next
 * look.
 */
static void list_orphans(struct accounting *accounting, struct task_list *list)
{
	size_t capacity = 0;

	pthread_mutex_lock(&accounting->lock);
	while (accounting->orphans) {
		const struct task *leader = process_leader(accounting->orphans);

		if (leader && list_add(list, &capacity, &leader->id))
			break;
		orphan_forget(accounting, accounting->orphans);
	}
	pthread_mutex_unlock(&accounting->lock);
}

void orphans_refresh(struct accounting *accounting)
{
	bool any;

	do {
		struct task_list list = {0};

		list_orphans(accounting, &list);
		any = list.count;
		refresh_each(accounting, &list, false); /* those that had ended leave orphans in turn */
		free(list.tasks);
	} while (any);
}

void tasks_refresh(struct accounting *accounting, const struct task_list *list)
{
	refresh_each(accounting, list, false);
	orphans_refresh(accounting);
}

void tasks_heal(struct accounting *accounting, const struct task_list *list)
{
	refresh_each(accounting, list, true);
	orphans_refresh(accounting);
}

#define ZOMBIES_MANY 128

void zombies_refresh(struct accounting *accounting)
{
	struct task_list list = {0};
	size_t capacity = 0;
	struct task *task;

	pthread_mutex_lock(&accounting->lock);
	if (accounting->zombies > ZOMBIES_MANY + 2 * accounting->zombies_kept) {
		for (task = accounting->tasks; task; task = task->hh.next) {
			if (task->zombie && list_add(&list, &capacity, &task->id))
				break;
		}
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!list.count)
		return;
	tasks_refresh(accounting, &list);
	free(list.tasks);
	pthread_mutex_lock(&accounting->lock);
	accounting->zombies_kept = accounting->zombies;
	pthread_mutex_unlock(&accounting->lock);
}

static int list_links(const struct task_link *links, struct task_list *list, size_t *capacity)
{
	const struct task_link *link;
	int error = 0;

	DL_FOREACH(links, link) {
		error = list_add(list, capacity, &link->task->id);
		if (error)
			break;
	}
	return error;
}

/* Looks at the members of the group itself and its zombies. 0 or -ENOMEM. */
static int look_at_group(struct group *group)
{
	struct accounting *accounting = group->accounting;
	struct task_list list = {0};
	size_t capacity = 0;
	int error;

	source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	error = list_links(group->tasks, &list, &capacity);
	if (!error)
		error = list_links(group->zombies, &list, &capacity);
	pthread_mutex_unlock(&accounting->lock);
	tasks_refresh(accounting, &list);
	free(list.tasks);
	return error;
}

/* Whether there are members whom /proc has no more, and of whose exit nothing was told yet. */
static bool has_untold(struct group *group)
{
	const struct task_link *link;
	bool found = false;

	pthread_mutex_lock(&group->accounting->lock);
	DL_FOREACH(group->tasks, link)
		found |= link->task->gone_at;
	pthread_mutex_unlock(&group->accounting->lock);
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
	return group_has_members(group);
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
	struct task *task;
	bool claimed;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, id->tid);
	claimed = task && task_is(task, id) && task->links[hierarchy].group;
	pthread_mutex_unlock(&accounting->lock);
	return claimed;
}

/* One task of a process, if it lives and is in the hierarchy's root. One that hangs does live. */
static int list_if_unclaimed(struct accounting *accounting, unsigned hierarchy,
			     const struct machine_stat_question *asked, struct task_list *list,
			     size_t *capacity)
{
	const pid_t tgid = asked->head.pid;
	struct task_id id = {.tid = asked->tid ? asked->tid : tgid, .tgid = tgid};

	if (asked->error && asked->error != -EBUSY)
		return error_is_gone(asked->error) ? 0 : asked->error;
	if (!asked->error && (asked->stat.state == 'Z' || asked->stat.state == 'X'))
		return 0;
	if (!asked->error)
		id.start_time = asked->stat.starttime;
	return is_claimed_in(accounting, &id, hierarchy) ? 0 : list_add(list, capacity, &id);
}

/* The threads of a process that has several, or may have. */
static int list_threads(struct accounting *accounting, unsigned hierarchy, pid_t tgid,
			struct machine_ids *threads, struct task_list *list, size_t *capacity)
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
		error = list_if_unclaimed(accounting, hierarchy, &asked[i], list, capacity);
	free(asked);
	return error;
}

/* All tasks of the machine but those that groups of the hierarchy have. */
static int list_root(struct accounting *accounting, unsigned hierarchy, struct task_list *list)
{
	struct machine_ids processes = {0}, threads = {0};
	struct machine_stat_question *asked;
	size_t capacity = 0;
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
			error = list_threads(accounting, hierarchy, processes.id[i], &threads, list,
					     &capacity);
		else
			error = list_if_unclaimed(accounting, hierarchy, &asked[i], list, &capacity);
	}
	free(asked);
	machine_ids_free(&processes);
	machine_ids_free(&threads);
	return error;
}

int accounting_list(struct group *group, struct task_list *list)
{
	struct accounting *accounting = group->accounting;
	size_t capacity = 0;
	int error;

	*list = (struct task_list){0};
	if (!group->parent) {
		error = list_root(accounting, group->hierarchy, list);
	} else {
		error = group_refresh(group);
		if (!error) {
			pthread_mutex_lock(&accounting->lock);
			error = list_links(group->tasks, list, &capacity);
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

/* Zombies of the group and all below it, and live ones where nobody tells of their exit. */
static int list_mortal(const struct group *group, bool live, struct task_list *list,
		       size_t *capacity)
{
	const struct group *child;
	int error = 0;

	if (!group->zombie_count && !(live && group->populated))
		return 0;
	error = list_links(group->zombies, list, capacity);
	if (!error && live)
		error = list_links(group->tasks, list, capacity);
	DL_FOREACH(group->children, child) {
		if (!error)
			error = list_mortal(child, live, list, capacity);
	}
	return error;
}

static bool is_crowded(const struct group *group)
{
	return group->populated >= group->pids_peak || group->populated >= group->pids_limit;
}

int group_list_crowd(struct group *group, struct task_list *list, size_t *capacity)
{
	struct accounting *accounting = group->accounting;
	const struct group *top = NULL;

	if (accounting_tells_exits(accounting) ||
	    !(accounting->counts_pids & UINT32_C(1) << group->hierarchy))
		return 0;
	for (; group && group->parent; group = group->parent) {
		if (!is_crowded(group) || group->recounted == accounting->scans)
			continue;
		group->recounted = accounting->scans;
		top = group;
	}
	return top ? list_mortal(top, true, list, capacity) : 0;
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

int group_recount(struct group *group)
{
	struct accounting *accounting = group->accounting;
	struct task_list list = {0};
	size_t capacity = 0;
	int error;

	pthread_mutex_lock(&accounting->lock);
	accounting->scans++; /* what was counted before does not do */
	error = group_list_crowd(group, &list, &capacity);
	pthread_mutex_unlock(&accounting->lock);
	tasks_bury(accounting, &list);
	free(list.tasks);
	return error;
}

uint64_t group_pids(struct group *group)
{
	struct accounting *accounting = group->accounting;
	bool live = !accounting_tells_exits(accounting);
	struct task_list list = {0};
	size_t capacity = 0;
	uint64_t pids;

	source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	list_mortal(group, live, &list, &capacity);
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
