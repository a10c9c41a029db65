/* SPDX-License-Identifier: MIT */
/* Whose a directory of some /proc is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "machine_task.h"
#include "peer.h"
#include "peer_number.h"
#include "task_numbers.h"

#define PROC_ROOT_INO 1 /* linux/proc_ns.h */

bool is_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

bool is_proc_root(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == PROC_ROOT_INO && is_proc(fd);
}

static ssize_t read_file(int directory, const char *name, char *text, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size);
	close(fd);
	return len;
}

/* gVisor tells inner numbers of pidfds, and not in status. */
static void complete_numbers(struct machine_task_status *status)
{
	if (status->nr_nspid)
		return;
	status->nr_nspid = task_numbers(status->pid, status->nspid);
	status->nr_nstgid = task_numbers(status->tgid, status->nstgid);
	if (status->nr_nstgid != status->nr_nspid)
		status->nr_nspid = status->nr_nstgid = 0; /* it has ended meanwhile */
}

/* --- "self" --- */

/* Whether it is the very filesystem that is at /proc for us. */
static bool is_our_proc(int fd)
{
	struct stat ours, other;

	return !stat("/proc", &ours) && !fstat(fd, &other) && ours.st_dev == other.st_dev;
}

/* Whether the task's number is its process' too: there are pidfds of processes only. */
static bool is_leader(pid_t tid)
{
	int fd = (int)syscall(__NR_pidfd_open, tid, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether the task has this number in the proc filesystem whose root is `proc`. */
static bool has_number(int proc, pid_t number, uint64_t starttime)
{
	struct machine_task_stat stat;
	char path[32], text[1024];
	ssize_t len;

	snprintf(path, sizeof(path), "%d/stat", number);
	len = read_file(proc, path, text, sizeof(text));
	return len > 0 && !machine_parse_task_stat(text, (size_t)len, &stat) &&
	       stat.starttime == starttime;
}

static bool read_numbers(const struct peer *peer, struct machine_task_status *status,
			 struct machine_task_stat *stat)
{
	struct text text = {0};
	bool read = !peer_proc_read(peer, "status", &text) &&
		    !machine_parse_task_status(text.data, text.len, status) &&
		    !peer_proc_read(peer, "stat", &text) &&
		    !machine_parse_task_stat(text.data, text.len, stat);

	text_free(&text);
	return read;
}

static void write_self(bool process, pid_t tgid, pid_t tid, char *target, size_t size)
{
	if (process)
		snprintf(target, size, "%d", tgid);
	else
		snprintf(target, size, "%d/task/%d", tgid, tid);
}

/* Inner numbers first: they are those of a container's own /proc. */
bool proc_self(const struct peer *peer, int root, const char *name, char *target, size_t size)
{
	struct machine_task_status status;
	struct machine_task_stat stat;
	bool process = !strcmp(name, "self");

	if (process && is_our_proc(root) && is_leader(peer->tid)) {
		snprintf(target, size, "%d", peer->tid);
		return true;
	}
	if (!read_numbers(peer, &status, &stat))
		return false;
	complete_numbers(&status);
	if (!status.nr_nspid && is_our_proc(root)) {
		write_self(process, status.tgid, status.pid, target, size);
		return true;
	}
	for (unsigned i = status.nr_nspid; i-- > 0;) {
		if (!has_number(root, status.nspid[i], stat.starttime))
			continue;
		write_self(process, status.nstgid[i], status.nspid[i], target, size);
		return true;
	}
	return false;
}

/* --- whose directory --- */

/*
 * A task as some proc filesystem tells of it: its start, and its numbers from there inwards, or where it
 * tells one number alone (gVisor) the task's pid namespace.
 */
struct identity {
	uint64_t starttime;
	struct machine_task_status status;
	char space[32]; /* "pid:[4026531836]" */
};

static void read_space(int directory, const char *name, char space[32])
{
	ssize_t len = readlinkat(directory, name, space, 31);

	space[len > 0 ? len : 0] = '\0';
}

static bool read_identity(int directory, struct identity *identity)
{
	struct machine_task_stat stat;
	char text[4096];
	ssize_t len = read_file(directory, "stat", text, sizeof(text));

	if (len <= 0 || machine_parse_task_stat(text, (size_t)len, &stat))
		return false;
	identity->starttime = stat.starttime;
	len = read_file(directory, "status", text, sizeof(text));
	read_space(directory, "ns/pid", identity->space);
	return len > 0 && !machine_parse_task_status(text, (size_t)len, &identity->status);
}

/* Whether our task is in the pid namespace, and has the number there or in one above. */
static bool has_number_in(const char *space, struct machine_task_status *task, pid_t number)
{
	char path[32], its[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", task->pid);
	read_space(AT_FDCWD, path, its);
	if (!*space || strcmp(its, space))
		return false;
	complete_numbers(task);
	for (unsigned i = 0; i < task->nr_nspid; i++) {
		if (task->nspid[i] == number)
			return true;
	}
	return false;
}

/* Whether our task `tid` is it: an inner /proc knows the last of the numbers that ours knows. */
static bool is_task(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	const struct machine_task_status *inner = &identity->status;
	struct machine_task_status outer;
	struct machine_task_stat stat;
	unsigned hidden;

	if (machine_task_stat(machine, tid, 0, &stat) || stat.starttime != identity->starttime ||
	    machine_task_status(machine, tid, 0, &outer) || outer.nr_nspid < inner->nr_nspid)
		return false;
	if (!inner->nr_nspid)
		return has_number_in(identity->space, &outer, inner->pid);
	hidden = outer.nr_nspid - inner->nr_nspid;
	return !memcmp(outer.nspid + hidden, inner->nspid, inner->nr_nspid * sizeof(pid_t));
}

/* The thread of process `pid` that it is, or 0. */
static pid_t find_thread(const struct machine *machine, pid_t pid, const struct identity *identity)
{
	struct machine_ids threads = {0};
	pid_t found = 0;

	if (machine_tids(machine, pid, &threads))
		return 0;
	for (size_t i = 0; i < threads.nr && !found; i++) {
		if (is_task(machine, threads.id[i], identity))
			found = threads.id[i];
	}
	machine_ids_free(&threads);
	return found;
}

static pid_t search_task(const struct machine *machine, const struct identity *identity)
{
	struct machine_ids pids = {0};
	pid_t found = 0;

	if (machine_pids(machine, &pids))
		return 0;
	for (size_t i = 0; i < pids.nr && !found; i++) {
		if (is_task(machine, pids.id[i], identity))
			found = pids.id[i];
		else if (identity->status.pid != identity->status.tgid)
			found = find_thread(machine, pids.id[i], identity);
	}
	machine_ids_free(&pids);
	return found;
}

/* Whether the directory is /proc/TID as we know it. */
static bool is_directory_of(int directory, pid_t tid)
{
	struct stat wanted, found;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", tid);
	return !stat(path, &wanted) && !fstat(directory, &found) &&
	       wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
}

/* The number, or 0. */
static pid_t find_task(const struct machine *machine, int directory, pid_t hint)
{
	struct identity identity;

	if (is_directory_of(directory, hint))
		return hint;
	if (!read_identity(directory, &identity))
		return 0;
	if (!identity.status.nr_nspid && is_our_proc(directory))
		return identity.status.pid;
	if (is_task(machine, hint, &identity))
		return hint;
	if (is_task(machine, identity.status.pid, &identity)) /* our own pid namespace */
		return identity.status.pid;
	return search_task(machine, &identity);
}

/* A peer_check: a directory of /proc is one task's for ever, and empty once that is gone. */
static bool has_task(uint64_t directory)
{
	struct stat st;

	return !fstatat((int)directory, "stat", &st, 0);
}

struct peer *proc_directory_task(const struct machine *machine, int directory,
				 const struct peer *hint)
{
	pid_t tid = find_task(machine, directory, hint->tid);

	return tid && has_task((uint64_t)directory) ?
	       peer_new(tid, has_task, (uint64_t)directory) : NULL;
}
