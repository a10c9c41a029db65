/* SPDX-License-Identifier: MIT */
/* Process numbers in other pid namespaces. */
#include "pid_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "machine_patient.h"
#include "machine_task.h"

#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS _IOR(NSIO, 0x6, int) /* linux/nsfs.h of Linux 6.11 */
#endif

/* The inode of the namespace `ancestors` above the task's own; 0 where it cannot be seen. */
static ino_t namespace_inode(const struct machine *machine, const char *task, unsigned ancestors)
{
	char path[64];
	struct stat st;
	int fd, parent;

	snprintf(path, sizeof(path), "%s/ns/pid", task);
	fd = openat(machine->proc, path, O_RDONLY | O_CLOEXEC);
	for (; fd >= 0 && ancestors; ancestors--) {
		parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
	}
	if (fd < 0 || fstat(fd, &st))
		st.st_ino = 0;
	if (fd >= 0)
		close(fd);
	return st.st_ino;
}

struct space_question {
	struct patient_head head;
	unsigned ancestors;
	ino_t inode;
};

static void ask_space(const struct machine *machine, void *question)
{
	struct space_question *asked = question;
	char task[16];

	snprintf(task, sizeof(task), "%d", asked->head.pid);
	asked->inode = namespace_inode(machine, task, asked->ancestors);
}

/* The same of any task: one that hangs shows none (machine_patient.h). */
static ino_t task_namespace(const struct machine *machine, pid_t tid, unsigned ancestors)
{
	static const struct patient_kind kind = {.size = sizeof(struct space_question), .ask = ask_space};
	struct space_question question = {.head.pid = tid, .ancestors = ancestors};

	patient_ask(machine, &kind, &question, 1);
	return question.inode;
}

/*
 * Only a look at the namespace's link where it is the daemon's own, which is
 * the rule; the level costs a read of the task's status. Where the link may not be
 * read the status tells at least whether the namespace is another.
 */
struct pid_namespace pid_namespace_of(const struct machine *machine, pid_t tid)
{
	struct pid_namespace space = {.member = tid};
	struct machine_task_status status;
	char task[16];
	int error;

	if (tid <= 0)
		return space;
	snprintf(task, sizeof(task), "%d", tid);
	space.inode = namespace_inode(machine, task, 0); /* it asks us: it hangs over nothing else */
	if (space.inode && space.inode == namespace_inode(machine, "self", 0))
		return space;
	error = machine_task_status(machine, tid, 0, &status);
	if (error && machine->is_own) /* on a test's machine there are none */
		return (struct pid_namespace){.member = tid, .level = 1, .error = error};
	if (error)
		return space;
	if (status.nr_nspid)
		space.level = status.nr_nspid - 1;
	return space;
}

/* Whether the task with these numbers is in `space` or below it. */
static bool is_visible(const struct machine *machine, const struct pid_namespace *space, pid_t tid,
		       unsigned levels)
{
	return levels > space->level && space->inode &&
	       task_namespace(machine, tid, levels - 1 - space->level) == space->inode;
}

pid_t pid_namespace_show(const struct machine *machine, const struct pid_namespace *space,
			 pid_t tid, bool process)
{
	struct machine_task_status status;

	if (machine_task_status(machine, tid, 0, &status))
		return 0;
	if (!space->level)
		return process ? status.tgid : tid;
	if (!is_visible(machine, space, tid, status.nr_nspid))
		return 0;
	if (!process)
		return status.nspid[space->level];
	return space->level < status.nr_nstgid ? status.nstgid[space->level] : 0;
}

/* Asks the kernel. -ENOTTY: it cannot tell. */
static int ask_kernel(const struct machine *machine, const struct pid_namespace *space,
		      pid_t number)
{
	char path[32];
	struct stat st;
	int fd, found = -ENOTTY;

	snprintf(path, sizeof(path), "%d/ns/pid", space->member);
	fd = machine->is_own ? openat(machine->proc, path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return -ENOTTY;
	if (!fstat(fd, &st) && st.st_ino == space->inode) {
		found = ioctl(fd, NS_GET_PID_FROM_PIDNS, number);
		if (found < 0)
			found = errno == ESRCH ? 0 : -ENOTTY;
	}
	close(fd);
	return found;
}

/* Whether `space` knows the task by the number; *inside: it may know it, by this or another. */
static bool is_known_as(const struct machine *machine, const struct pid_namespace *space, pid_t tid,
			pid_t number, bool *inside)
{
	struct machine_task_status status;

	*inside = !machine_task_status(machine, tid, 0, &status) && status.nr_nspid > space->level;
	return *inside && status.nspid[space->level] == number &&
	       is_visible(machine, space, tid, status.nr_nspid);
}

/* The task of process `pid` that `space` knows as `number`, or 0. */
static pid_t find_thread(const struct machine *machine, const struct pid_namespace *space,
			 pid_t pid, pid_t number)
{
	struct machine_ids threads = {0};
	pid_t found = 0;
	bool inside;

	if (machine_tids(machine, pid, &threads))
		return 0;
	for (size_t i = 0; i < threads.nr && !found; i++) {
		if (is_known_as(machine, space, threads.id[i], number, &inside))
			found = threads.id[i];
	}
	machine_ids_free(&threads);
	return found;
}

/*
 * Most numbers are of processes: threads are looked at only if none fits, and of those that are inside only.
 */
static pid_t look_at_all(const struct machine *machine, const struct pid_namespace *space,
			 pid_t number)
{
	struct machine_ids pids = {0};
	size_t inside_count = 0;
	pid_t found = 0;

	if (machine_pids(machine, &pids))
		return 0;
	for (size_t i = 0; i < pids.nr && !found; i++) {
		bool inside;

		if (is_known_as(machine, space, pids.id[i], number, &inside))
			found = pids.id[i];
		if (inside)
			pids.id[inside_count++] = pids.id[i];
	}
	for (size_t i = 0; i < inside_count && !found; i++)
		found = find_thread(machine, space, pids.id[i], number);
	machine_ids_free(&pids);
	return found;
}

pid_t pid_namespace_find(const struct machine *machine, const struct pid_namespace *space,
			 pid_t number)
{
	int found;

	if (!space->level)
		return number;
	if (!space->inode)
		return 0;
	found = ask_kernel(machine, space, number);
	return found >= 0 ? found : look_at_all(machine, space, number);
}
