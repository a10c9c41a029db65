/* SPDX-License-Identifier: MIT */
/* Before tasks move: they and their families are taken in, and what they used is counted where it was. */
#include <errno.h>
#include <stdlib.h>

#include "../sources/tracer.h"
#include "questions.h"

/* One that was made since its process became a member is where that is, though nobody has told of it yet. */
static int add_thread(struct accounting *accounting, const struct task_id *id)
{
	const struct process *process = process_find(accounting, id->tgid);
	const struct task *leader = process ? process_leader(process) : NULL;

	assert_locked(&accounting->lock);
	if (leader && id->tid != id->tgid && task_is_claimed(accounting, leader))
		return task_fork(accounting, leader, id) ? 0 : -ENOMEM;
	return task_new(accounting, id) ? 0 : -ENOMEM;
}

/* A thread of a process that is or will be in the table. */
static int take_in_thread(struct accounting *accounting, pid_t tgid, pid_t tid)
{
	struct task_id id = {.tid = tid, .tgid = tgid};
	struct machine_task_stat stat;
	struct task_marks marks = {0};
	struct task *task;
	int error = machine_task_stat(accounting->machine, tgid, tid, &stat);

	if (error == -EBUSY)
		error = task_id_of_hung(accounting->machine, &id);
	else if (!error)
		error = task_read_marks(accounting->machine, &id, &stat, &marks);
	if (!error && !id.forked_at)
		id.start_time = stat.starttime;
	if (error)
		return error_is_gone(error) ? 0 : error;
	guard(&accounting->lock);
	task = task_find(accounting, tid);
	if (!task || !task_is(task, &id))
		error = add_thread(accounting, &id);
	if (!error && process_find(accounting, tgid) && !process_find(accounting, tgid)->claims)
		process_keep(accounting, process_find(accounting, tgid), now_ns());
	task = task_find(accounting, tid);
	if (task)
		task->marks = marks;
	return error;
}

/* A process with all its threads: those that move must find the others beside them. */
static int take_in_process(struct accounting *accounting, pid_t tgid)
{
	struct machine_ids threads = {0};
	int error = machine_tids(accounting->machine, tgid, &threads);

	for (size_t i = 0; i < threads.nr && !error; i++)
		error = take_in_thread(accounting, tgid, threads.id[i]);
	machine_ids_free(&threads);
	return error == -ESRCH ? 0 : error;
}

/* The child processes of one thread, as their parent's. */
static int take_in_children(struct accounting *accounting, pid_t tgid, pid_t tid,
			    struct task_list *taken)
{
	struct machine_ids children = {0};
	struct process *process;
	int error = machine_children(accounting->machine, tgid, tid, &children);

	for (size_t i = 0; i < children.nr && !error; i++) {
		const struct task_id child = {.tid = children.id[i], .tgid = children.id[i]};

		error = take_in_process(accounting, child.tgid);
		list_add(taken, &child);
		pthread_mutex_lock(&accounting->lock);
		process = process_find(accounting, child.tgid);
		if (process)
			process_set_parent(accounting, process, tgid);
		pthread_mutex_unlock(&accounting->lock);
	}
	machine_ids_free(&children);
	return error ? error : taken->error;
}

/*
 * A process and its children: when it waits for them it will be told what
 * they used, and that was elsewhere. Where a kernel does not list children it
 * will be counted as if they had been its own.
 */
static int take_in_family(struct accounting *accounting, pid_t tgid)
{
	struct machine_ids threads = {0};
	struct task_list children = {0};
	struct process *process;
	int error = take_in_process(accounting, tgid);

	if (!error)
		error = machine_tids(accounting->machine, tgid, &threads);
	for (size_t i = 0; i < threads.nr && !error; i++)
		error = take_in_children(accounting, tgid, threads.id[i], &children);
	if (children.count && (!error || error_is_gone(error)))
		error = tasks_measure(accounting, &children, USAGE_CPU | USAGE_IO);
	free(children.tasks);
	machine_ids_free(&threads);
	guard(&accounting->lock);
	process = process_find(accounting, tgid);
	if (process)
		process->complete = true;
	return error_is_gone(error) ? 0 : error;
}

/* True when all that matters of its process is in the table. Whoever had the number before goes. */
static bool is_complete(struct accounting *accounting, const struct task_id *id)
{
	struct process *process;
	struct task *task;

	guard(&accounting->lock);
	task = task_find(accounting, id->tid);
	if (task && !task_is(task, id)) {
		task_free(accounting, task);
		task = NULL;
	}
	process = process_find(accounting, id->tgid);
	return task && process && process->complete;
}

int accounting_settle(struct accounting *accounting, const struct task_id *tasks, size_t count)
{
	const struct task_list list = {.tasks = (struct task_id *)tasks, .count = count};
	int error = 0;

	if (accounting_is_idle(accounting))
		source_wake(accounting);
	else
		source_stir(accounting);
	pthread_mutex_lock(&accounting->lock);
	processes_forget_kept(accounting);
	pthread_mutex_unlock(&accounting->lock);
	for (size_t i = 0; i < count && !error; i++) {
		if (!i || tasks[i].tgid != tasks[i - 1].tgid)
			tracer_meet(accounting, &tasks[i]);
		if (!is_complete(accounting, &tasks[i]))
			error = take_in_family(accounting, tasks[i].tgid);
	}
	if (!error)
		error = tasks_measure(accounting, &list, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	return error;
}
