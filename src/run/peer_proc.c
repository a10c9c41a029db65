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
#include "shortage.h"
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
	int fd = shortage_note_errno(openat(directory, name, O_RDONLY | O_CLOEXEC));
	ssize_t len;

	if (fd < 0)
		return fd;
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
	int fd = shortage_note_errno((int)syscall(__NR_pidfd_open, tid, 0));

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether the numbers that `inner` tells are the last ones that `outer` does. */
static bool ends_with(const struct machine_task_status *outer, const struct machine_task_status *inner)
{
	return outer->nr_nspid >= inner->nr_nspid &&
	       !memcmp(outer->nspid + outer->nr_nspid - inner->nr_nspid, inner->nspid,
		       inner->nr_nspid * sizeof(pid_t));
}

/*
 * Whether the task has this number in the proc filesystem whose root is `proc`. Another's stat may keep us
 * waiting (machine_patient.h), and status does not.
 */
static bool has_number(int proc, pid_t number, const struct machine_task_status *task, uint64_t starttime)
{
	struct machine_task_status status;
	struct machine_task_stat stat;
	char path[32], text[4096];
	ssize_t len;

	snprintf(path, sizeof(path), "%d/status", number);
	len = read_file(proc, path, text, sizeof(text));
	if (len <= 0 || machine_parse_task_status(text, (size_t)len, &status) || !ends_with(task, &status))
		return false;
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
		if (!has_number(root, status.nspid[i], &status, stat.starttime))
			continue;
		write_self(process, status.nstgid[i], status.nspid[i], target, size);
		return true;
	}
	return false;
}

/* --- whose directory --- */

/*
 * A task as some proc filesystem tells of it without a wait: its numbers from there inwards, or where it
 * tells one number alone (gVisor) the task's pid namespace.
 */
struct identity {
	int directory;
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
	char text[4096];
	ssize_t len = read_file(directory, "status", text, sizeof(text));

	if (len <= 0 || machine_parse_task_status(text, (size_t)len, &identity->status))
		return false;
	identity->directory = directory;
	if (!identity->status.nr_nspid)
		read_space(directory, "ns/pid", identity->space);
	return true;
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

/* Whether our task `tid` may be it: an inner /proc knows the last of the numbers that ours knows. */
static bool has_numbers(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	struct machine_task_status status;

	if (shortage_note(machine_task_status(machine, tid, 0, &status)))
		return false;
	return identity->status.nr_nspid ? ends_with(&status, &identity->status)
					 : has_number_in(identity->space, &status, identity->status.pid);
}

struct start_question {
	struct patient_head head; /* our task */
	int directory;
	int error; /* why it cannot be told */
	bool is_same;
};

static void ask_start(const struct machine *machine, void *question)
{
	struct start_question *asked = question;
	struct machine_task_stat ours, other;
	char text[1024];
	ssize_t len = read_file(asked->directory, "stat", text, sizeof(text));

	asked->error = len < 0 ? (int)len : machine_task_stat(machine, asked->head.pid, 0, &ours);
	asked->is_same = !asked->error && !machine_parse_task_stat(text, (size_t)len, &other) &&
			 ours.starttime == other.starttime;
}

/* Whether it was started when our task was. False too where one of them hangs. */
static bool has_start(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	static const struct patient_kind kind = {.size = sizeof(struct start_question), .ask = ask_start};
	struct start_question question = {.head.pid = tid, .directory = identity->directory};

	patient_ask(machine, &kind, &question, 1);
	shortage_note(question.error);
	return question.is_same;
}

static bool read_times(int directory, struct machine_task_schedstat *times)
{
	char text[128];
	ssize_t len = read_file(directory, "schedstat", text, sizeof(text));

	return len > 0 && !machine_parse_task_schedstat(text, (size_t)len, times) && times->run_ns;
}

/*
 * Whether it has run and waited for as many nanoseconds as our task: another has not. Who hangs tells this,
 * too, and who runs has more by the second look.
 */
static bool has_times(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	struct machine_task_schedstat ours, other;

	return read_times(identity->directory, &other) &&
	       !shortage_note(machine_task_schedstat(machine, tid, 0, &ours)) &&
	       ours.run_ns == other.run_ns && ours.wait_ns == other.wait_ns &&
	       ours.timeslices == other.timeslices;
}

static bool is_task(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	return has_numbers(machine, tid, identity) &&
	       (has_times(machine, tid, identity) || has_start(machine, tid, identity));
}

/* Of those that have its numbers, which several pid namespaces may give. */
struct search {
	const struct machine *machine;
	const struct identity *identity;
	bool (*is_same)(const struct machine *machine, pid_t tid, const struct identity *identity);
	unsigned count;
	pid_t last, found; /* 0: none */
};

static void consider(struct search *search, pid_t tid)
{
	if (search->found || !has_numbers(search->machine, tid, search->identity))
		return;
	search->count++;
	search->last = tid;
	if (search->is_same(search->machine, tid, search->identity))
		search->found = tid;
}

static void consider_threads(struct search *search, pid_t pid)
{
	struct machine_ids threads = {0};

	shortage_note(machine_tids(search->machine, pid, &threads));
	for (size_t i = 0; i < threads.nr; i++)
		consider(search, threads.id[i]);
	machine_ids_free(&threads);
}

static void search_all(struct search *search)
{
	const struct machine_task_status *status = &search->identity->status;
	struct machine_ids pids = {0};

	shortage_note(machine_pids(search->machine, &pids));
	for (size_t i = 0; i < pids.nr; i++) {
		if (status->pid == status->tgid)
			consider(search, pids.id[i]);
		else
			consider_threads(search, pids.id[i]);
	}
	machine_ids_free(&pids);
}

/* By what everybody tells at once, if that will do. */
static pid_t search_task(const struct machine *machine, const struct identity *identity)
{
	struct search quick = {.machine = machine, .identity = identity, .is_same = has_times};
	struct search slow = {.machine = machine, .identity = identity, .is_same = has_start};

	search_all(&quick);
	if (quick.found || quick.count < 2)
		return quick.last;
	search_all(&slow);
	return slow.found;
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
	if (is_our_proc(directory)) /* which tells our numbers */
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
