/* SPDX-License-Identifier: MIT */
/*
 * Who made whom. The kernel tells of it twice, in either order: the maker stops, and so does the new task,
 * which names its parent but not its maker (CLONE_PARENT). It waits here until both are known.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace_news.h"
#include "trace_tasks.h"

#define LEVELS 33 /* MAX_PID_NS_LEVEL + 1 */

static unsigned waiting; /* tasks that are held, or await who they have made */

/* --- numbers of other pid namespaces --- */

/* A task's numbers, ours first, its own last, as gVisor's pidfd tells; how many. */
static unsigned read_numbers(pid_t tid, pid_t numbers[LEVELS])
{
	int fd = (int)syscall(__NR_pidfd_open, tid, O_EXCL); /* PIDFD_THREAD */
	char path[40], text[1024] = "", *at;
	unsigned count = 0;
	int info;

	if (fd < 0)
		fd = (int)syscall(__NR_pidfd_open, tid, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (info >= 0) {
		ssize_t len = read(info, text, sizeof(text) - 1);

		text[len > 0 ? len : 0] = '\0';
		close(info);
	}
	if (fd >= 0)
		close(fd);
	at = strstr(text, "NSpid:");
	for (at = at ? at + strlen("NSpid:") : NULL; at && *at == '\t' && count < LEVELS;)
		numbers[count++] = (pid_t)strtol(at, &at, 10);
	return count;
}

/* Whether the maker knows the task by the number. */
static bool knows_as(const struct task *maker, const struct task *task, pid_t number)
{
	pid_t numbers[LEVELS];

	return read_numbers(task->tid, numbers) >= maker->numbers && numbers[maker->numbers - 1] == number;
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
	pid_t numbers[LEVELS];
	unsigned long number;
	struct task *task;

	if (!trace_news_are_told() || ptrace(PTRACE_GETEVENTMSG, maker->tid, 0, &number)) {
		resume_task(maker, 0);
		return;
	}
	if (is_own && !maker->numbers)
		maker->numbers = read_numbers(maker->tid, numbers);
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
