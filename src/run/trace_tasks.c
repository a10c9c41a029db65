/* SPDX-License-Identifier: MIT */
/* The table of traced tasks. */
#include "trace_tasks.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "trace_jobs.h"

struct task *tasks;

struct task *find_task(pid_t tid)
{
	struct task *task;

	HASH_FIND(hh, tasks, &tid, sizeof(tid), task);
	return task;
}

/* Those that are made stop for the tracer before or after their maker does. */
struct task *get_task(pid_t tid)
{
	struct task *task = find_task(tid);

	if (task)
		return task;
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->tid = tid;
	HASH_ADD(hh, tasks, tid, sizeof(task->tid), task);
	return HASH_KEPT(hh, task);
}

void forget_job(struct task *task)
{
	trace_jobs_forget(task->job);
	task->job = NULL;
	task->is_calling = false;
}

void forget_task(struct task *task)
{
	forget_job(task);
	HASH_DEL(tasks, task);
	free(task);
}

void resume_task(const struct task *task, int number)
{
	ptrace(task->is_calling ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, number);
}

void resume_from_stop(const struct task *task, int number)
{
	if (number != SIGTRAP)
		ptrace(PTRACE_LISTEN, task->tid, 0, 0);
	else
		resume_task(task, 0);
}
