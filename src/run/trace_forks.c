/* SPDX-License-Identifier: MIT */
/*
 * Who made whom. The kernel tells of it twice, in either order: the maker stops, and so does the new task,
 * which names its parent but not its maker (CLONE_PARENT). It waits here until both are known.
 */
#include <sys/ptrace.h>

#include "clock.h"
#include "task_numbers.h"
#include "trace_news.h"
#include "trace_tasks.h"

#define LOOKS_APART 100 /* ms: at who waits in vain, as its maker or the new task was killed */
#define LONGEST 10000 /* ms: nobody waits longer, though one who may tell of it is running all the while */

static unsigned waiting; /* tasks that are held, or await who they have made */

static uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

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
	maker->since = now_ms();
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
	task->since = now_ms();
	if (++waiting > 1)
		find_maker(machine, task);
}

void forks_forget(const struct task *task)
{
	waiting -= (task->held != 0) + (task->awaited != 0);
}

void forks_see_unheard_end(const struct machine *machine, pid_t tid)
{
	const struct task ended = {.tid = tid};

	if (waiting)
		find_maker(machine, &ended);
}

/* --- who waits in vain --- */

static bool has_waited(const struct task *task, uint64_t now, uint64_t time)
{
	return (task->held || task->awaited) && now - task->since >= time;
}

static bool any_has_waited(uint64_t now)
{
	const struct task *task;

	for (task = tasks; task; task = task->hh.next) {
		if (has_waited(task, now, LOOKS_APART))
			return true;
	}
	return false;
}

/*
 * One that has just made another is running, in the kernel, until it stops to tell. In another stop it has a
 * job, or waits here.
 */
static void look_at(const struct machine *machine, struct task *task)
{
	const struct seen before = task->seen;
	struct machine_task_stat stat = {0};
	pid_t tgid = task->tgid ? task->tgid : task->tid;
	int error = machine_task_stat(machine, tgid, task->tid, &stat);

	task->seen = (struct seen){.process = tgid, .parent = stat.ppid, .looks = before.looks + 1};
	task->seen.utime = stat.utime;
	if (!error && !task->held && !task->awaited && !task->job)
		task->seen.may_tell = stat.state == 'R' || stat.state == 't';
	task->seen.runs_on = before.looks && stat.utime > before.utime + 1;
}

/* A new task's parent is its maker's process, or its maker's parent (CLONE_PARENT, threads). */
static bool may_be_told_of(const struct task *new)
{
	const struct task *task;

	for (task = tasks; task; task = task->hh.next) {
		const struct seen *seen = &task->seen;

		if (seen->may_tell && !(seen->runs_on && new->seen.looks > 1) &&
		    (seen->process == new->seen.parent || seen->parent == new->seen.parent))
			return true;
	}
	return false;
}

static void end_waiting(const struct machine *machine, struct task *task, uint64_t now)
{
	if (task->awaited && has_waited(task, now, LONGEST)) {
		end_awaiting(task);
		resume_task(task, 0);
	}
	if (task->held && (has_waited(task, now, LONGEST) || !may_be_told_of(task)))
		tell(machine, task, NULL);
}

const struct timespec *forks_patience(void)
{
	static const struct timespec patience = {.tv_nsec = LOOKS_APART * 1000000};

	return waiting ? &patience : NULL;
}

void forks_look_again(const struct machine *machine)
{
	static uint64_t next; /* ms */
	uint64_t now = waiting ? now_ms() : 0;
	struct task *task;

	if (now < next || !waiting)
		return;
	if (any_has_waited(now)) {
		for (task = tasks; task; task = task->hh.next)
			look_at(machine, task);
		for (task = tasks; task; task = task->hh.next) {
			if (has_waited(task, now, LOOKS_APART))
				end_waiting(machine, task, now);
		}
	}
	next = now_ms() + LOOKS_APART;
}
