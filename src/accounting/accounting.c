/* Lifetime of accounting. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "internal.h"

#define UNCLAIMED_NS 10000000000u /* an attach does not take longer */

struct accounting *accounting_new(struct machine *machine)
{
	struct accounting *accounting = calloc(1, sizeof(*accounting));
	struct bitmap *cpus = NULL;

	if (!accounting || machine_cpus(machine, MACHINE_CPUS_POSSIBLE, &cpus)) {
		free(accounting);
		return NULL;
	}
	accounting->machine = machine;
	accounting->nr_cpu = cpus->nr;
	bitmap_free(cpus);
	pthread_mutex_init(&accounting->lock, NULL);
	pthread_mutex_init(&accounting->scanning, NULL);
	for (unsigned i = 0; i < USAGE_KINDS; i++)
		pthread_mutex_init(&accounting->reading[i], NULL);
	return accounting;
}

void accounting_free(struct accounting *accounting)
{
	struct task *task, *next;

	if (!accounting)
		return;
	accounting_stop(accounting);
	HASH_ITER(hh, accounting->tasks, task, next)
		task_free(accounting, task);
	free(accounting->news);
	for (unsigned i = 0; i < USAGE_KINDS; i++)
		pthread_mutex_destroy(&accounting->reading[i]);
	pthread_mutex_destroy(&accounting->scanning);
	pthread_mutex_destroy(&accounting->lock);
	free(accounting);
}

void accounting_track(struct accounting *accounting, unsigned hierarchy, unsigned kinds)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->kinds[hierarchy] |= kinds;
	pthread_mutex_unlock(&accounting->lock);
}

void accounting_on_fork(struct accounting *accounting, unsigned hierarchy,
			void (*forked)(void *context, const struct group *group,
				       const struct task_id *task),
			void *context)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->on_fork[hierarchy].forked = forked;
	accounting->on_fork[hierarchy].context = context;
	pthread_mutex_unlock(&accounting->lock);
}

/* Those whose attach came to nothing. */
static void forget_unclaimed(struct accounting *accounting, uint64_t now)
{
	struct process *process, *next;

	DL_FOREACH_SAFE2(accounting->unclaimed, process, next, unclaimed_next) {
		if (now - process->unclaimed_at < UNCLAIMED_NS)
			break;
		process_forget_unclaimed(accounting, process);
	}
}

/*
 * Takes a process into the table with all its threads, those that are to move
 * and those that are not: a new thread must find where the others are.
 */
static int take_in(struct accounting *accounting, pid_t tgid)
{
	struct machine_ids threads = {0};
	struct machine_task_stat stat;
	struct process *process;
	int error = machine_tids(accounting->machine, tgid, &threads);

	for (size_t i = 0; i < threads.nr && !error; i++) {
		struct task_id id = {.tid = threads.id[i], .tgid = tgid};

		if (machine_task_stat(accounting->machine, tgid, id.tid, &stat))
			continue;
		id.start_time = stat.starttime;
		pthread_mutex_lock(&accounting->lock);
		if (!task_find(accounting, id.tid) && !task_new(accounting, &id))
			error = -ENOMEM;
		process = process_find(accounting, tgid);
		if (process && !process->is_unclaimed && !process_is_claimed(accounting, process))
			process_unclaimed(accounting, process, now_ns());
		pthread_mutex_unlock(&accounting->lock);
	}
	machine_ids_free(&threads);
	return error == -ESRCH ? 0 : error;
}

static bool is_known(struct accounting *accounting, const struct task_id *id)
{
	struct task *task;
	bool known;

	pthread_mutex_lock(&accounting->lock);
	task = task_find(accounting, id->tid);
	known = task && task_is(task, id);
	if (task && !known)
		task_free(accounting, task);
	pthread_mutex_unlock(&accounting->lock);
	return known;
}

int accounting_settle(struct accounting *accounting, const struct task_id *tasks, size_t count)
{
	const struct task_list list = {.tasks = (struct task_id *)tasks, .count = count};
	int error = 0;

	if (accounting_is_idle(accounting))
		source_wake(accounting);
	else
		source_sync(accounting);
	pthread_mutex_lock(&accounting->lock);
	forget_unclaimed(accounting, now_ns());
	pthread_mutex_unlock(&accounting->lock);
	for (size_t i = 0; i < count && !error; i++) {
		if (!is_known(accounting, &tasks[i]))
			error = take_in(accounting, tasks[i].tgid);
	}
	if (!error)
		error = tasks_measure(accounting, &list, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	return error;
}
