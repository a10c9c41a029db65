/* SPDX-License-Identifier: MIT */
/*
 * Who made whom. The kernel tells of it twice, in either order: the maker stops, and so does the new task,
 * which names its parent but not its maker (CLONE_PARENT). It waits here until both are known.
 */
#include <sys/ptrace.h>

#include "task_numbers.h"
#include "trace_news.h"
#include "trace_tasks.h"

static unsigned waiting; /* tasks that are held, or await who they have made */

/* --- numbers of other pid namespaces --- */

/* Whether the maker knows the task by the number. */
static bool knows_as(const struct task *maker, const struct task *task, pid_t number)
{
	pid_t numbers[MACHINE_NSPID_MAX];

	return task_numbers(task->tid, numbers) >= maker->numbers && numbers[maker->numbers - 1] == number;
}

static struct task *find_known_as(const struct task *maker, pid_t number)
{
	struct task *task, *next;

	HASH_ITER(hh, tasks, task, next) {
		if (task->held && knows_as(maker, task, number))
			return task;
	}
	return NULL;
}

/* --- telling --- */

static void go_on(struct task *task)
{
	int number = task->held;

	if (!number)
		return;
	task->held = 0;
	waiting--;
	resume_from_stop(task, number);
}

/* `maker` is NULL if it is not known. */
static void tell(const struct machine *machine, struct task *task, struct task *maker)
{
	if (!trace_news_fork(machine, task->tid, maker ? maker->tid : 0, &task->tgid))
		task->tgid = task->tid; /* it is gone, or the kernel tells nothing of it */
	go_on(task);
}

static void tell_of_number(const struct machine *machine, struct task *maker, pid_t tid)
{
	struct task *task = get_task(tid);

	if (task && !task->tgid)
		tell(machine, task, maker);
	resume_task(maker, 0);
}

void forks_see_maker(const struct machine *machine, struct task *maker, bool is_own)
{
	pid_t numbers[MACHINE_NSPID_MAX];
	unsigned long number;
	struct task *task;

	if (!trace_news_are_told() || ptrace(PTRACE_GETEVENTMSG, maker->tid, 0, &number)) {
		resume_task(maker, 0);
		return;
	}
	if (is_own && !maker->numbers)
		maker->numbers = task_numbers(maker->tid, numbers);
	if (!is_own || maker->numbers <= 1) {
		tell_of_number(machine, maker, (pid_t)number);
		return;
	}
	task = find_known_as(maker, (pid_t)number);
	if (task) {
		tell_of_number(machine, maker, task->tid);
		return;
	}
	maker->awaited = (pid_t)number;
	waiting++;
}

static void end_awaiting(struct task *maker)
{
	maker->awaited = 0;
	waiting--;
}

/* The maker that stopped before the new task did, and could not name it. */
static void find_maker(const struct machine *machine, const struct task *task)
{
	struct task *maker, *next;

	HASH_ITER(hh, tasks, maker, next) {
		if (!maker->awaited || !knows_as(maker, task, maker->awaited))
			continue;
		end_awaiting(maker);
		tell_of_number(machine, maker, task->tid);
		return;
	}
}

void forks_see_stop(const struct machine *machine, struct task *task, int number)
{
	if (!trace_news_are_told() || task->tgid) {
		resume_from_stop(task, number);
		return;
	}
	task->held = number;
	if (++waiting > 1)
		find_maker(machine, task);
}

void forks_forget(const struct task *task)
{
	waiting -= (task->held != 0) + (task->awaited != 0);
}

void forks_see_end(const struct machine *machine)
{
	struct task *task, *next;

	if (!waiting)
		return;
	HASH_ITER(hh, tasks, task, next) {
		if (task->awaited) {
			end_awaiting(task);
			resume_task(task, 0);
		}
		if (task->held)
			tell(machine, task, NULL);
	}
}
