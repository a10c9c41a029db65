/* SPDX-License-Identifier: MIT */
/* What a task has open, and taking its eventfds. */
#include "machine_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine_patient.h"
#include "machine_task.h"
#include "task.h"
#include "text.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

#define EVENTFD_LINK "anon_inode:[eventfd]"
#define FDINFO_O_PATH 010000000u /* O_PATH where the file is written, whatever this machine's is */

/* "flags:" is octal, the others are decimal. */
static uint64_t fdinfo_number(const struct span *value, unsigned int base)
{
	char text[32];
	size_t len = value->end - value->at;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, value->at, len);
	text[len] = '\0';
	return number_simple_u64(text_skip_spaces(text), base, NULL);
}

static bool span_is(const struct span *s, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(s->end - s->at) == len && !memcmp(s->at, word, len);
}

void machine_parse_fdinfo(const char *text, size_t len, struct machine_fd *out)
{
	struct span s = { text, text + len }, line, name;

	out->path_only = false;
	out->eventfd_id = 0;
	out->mount = -1;
	while (span_line(&s, &line)) {
		if (!span_key(&line, &name))
			continue;
		if (span_is(&name, "flags"))
			out->path_only = fdinfo_number(&line, 8) & FDINFO_O_PATH;
		else if (span_is(&name, "mnt_id"))
			out->mount = fdinfo_number(&line, 10);
		else if (span_is(&name, "eventfd-id"))
			out->eventfd_id = fdinfo_number(&line, 10);
	}
}

static int fd_error(const struct machine *machine, pid_t tid, int error)
{
	if (error != -ENOENT)
		return error;
	return machine_task_exists(machine, tid, 0) ? -EBADF : -ESRCH;
}

/* gVisor says it also of a file that is there, once a signal has interrupted another look at its path. */
static void take_off_deleted(char *path, size_t len)
{
	static const char word[] = " (deleted)";
	const size_t word_len = sizeof(word) - 1;

	if (len > word_len && !strcmp(path + len - word_len, word))
		path[len - word_len] = '\0';
}

static int read_link(const struct machine *machine, pid_t tid, unsigned int fd, char path[PATH_MAX])
{
	char name[48];
	ssize_t len;

	snprintf(name, sizeof(name), "%d/fd/%u", tid, fd);
	len = readlinkat(machine->proc, name, path, PATH_MAX);
	if (len < 0 && errno != ENAMETOOLONG)
		return fd_error(machine, tid, -errno);
	len = len < 0 || len >= PATH_MAX ? 0 : len;
	path[len] = '\0';
	take_off_deleted(path, (size_t)len);
	return 0;
}

/* What fdinfo says of one descriptor (machine_patient.h). */
struct fdinfo_question {
	struct patient_head head;
	unsigned int fd;
	int error;
	bool path_only;
	uint64_t eventfd_id;
	int mount;
};

static void ask_fdinfo(const struct machine *machine, void *question)
{
	struct fdinfo_question *asked = question;
	struct machine_fd said;
	struct file file;
	char name[32];

	snprintf(name, sizeof(name), "fdinfo/%u", asked->fd);
	asked->error = task_read(machine, asked->head.pid, 0, name, FILE_RECORD, &file);
	if (asked->error)
		return;
	machine_parse_fdinfo(file.text, file.len, &said);
	file_free(&file);
	asked->path_only = said.path_only;
	asked->eventfd_id = said.eventfd_id;
	asked->mount = said.mount;
}

static int read_fdinfo(const struct machine *machine, pid_t tid, unsigned int fd, struct machine_fd *out)
{
	static const struct patient_kind kind = {
		.size = sizeof(struct fdinfo_question), .ask = ask_fdinfo };
	struct fdinfo_question question = { .head.pid = tid, .fd = fd };

	patient_ask(machine, &kind, &question, 1);
	if (!question.head.answered)
		return 0;
	if (question.error)
		return fd_error(machine, tid, question.error);
	out->path_only = question.path_only;
	out->eventfd_id = question.eventfd_id;
	out->mount = question.mount;
	return 0;
}

int machine_task_fd(const struct machine *machine, pid_t tid, unsigned int fd,
		    struct machine_fd *out)
{
	int error;

	if (tid <= 0)
		return -ESRCH;
	if (fd > INT_MAX)
		return -EBADF;
	machine_parse_fdinfo("", 0, out);
	error = read_link(machine, tid, fd, out->path);
	if (error)
		return error;
	out->eventfd = !strcmp(out->path, EVENTFD_LINK);
	/*
	 * An epoll instance shows what it watches under a lock that it holds while it asks a file:
	 * who has one on a hung file system would have us wait.
	 */
	if (!out->eventfd && out->path[0] && out->path[0] != '/')
		return 0;
	return read_fdinfo(machine, tid, fd, out);
}

/* Threads may have descriptors of their own; kernels before 6.9 have pidfds of processes only. */
static int open_pidfd(const struct machine *machine, pid_t tid)
{
	struct machine_task_status status;
	int pidfd = syscall(SYS_pidfd_open, tid, PIDFD_THREAD), error;

	if (pidfd >= 0 || errno != EINVAL)
		return pidfd < 0 ? -errno : pidfd;
	error = machine_task_status(machine, tid, 0, &status);
	if (error)
		return error;
	pidfd = syscall(SYS_pidfd_open, status.tgid, 0);
	return pidfd < 0 ? -errno : pidfd;
}

int machine_task_eventfd(const struct machine *machine, pid_t tid, unsigned int fd)
{
	struct machine_fd theirs;
	int pidfd, ours, error;

	error = machine_task_fd(machine, tid, fd, &theirs);
	if (error)
		return error;
	if (theirs.path_only)
		return -EBADF;
	/* Looked at before it is taken: closing another kind of file may have an effect. */
	if (!theirs.eventfd)
		return -EINVAL;
	pidfd = open_pidfd(machine, tid);
	if (pidfd < 0)
		return pidfd == -ENOSYS ? -EOPNOTSUPP : pidfd;
	ours = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	error = -errno;
	close(pidfd);
	if (ours < 0)
		return error == -ENOSYS ? -EOPNOTSUPP : error;
	return ours;
}

/* --- who has an eventfd --- */

struct search {
	const struct machine *machine;
	struct machine_eventfd **missing; /* by id */
	size_t count, found;
	bool (*go_on)(void *arg);
	void *arg;
	pid_t tid; /* is looked at */
};

/* 0 and *id, or a negative errno; -ENOENT: it is something else. */
static int read_eventfd(const struct machine *machine, pid_t tid, unsigned int fd, uint64_t *id)
{
	struct machine_fd found;
	int error = read_link(machine, tid, fd, found.path);

	if (!error && strcmp(found.path, EVENTFD_LINK))
		return -ENOENT; /* as nearly all, and a machine may have a million */
	if (!error)
		error = machine_task_fd(machine, tid, fd, &found);
	if (error)
		return error;
	*id = found.eventfd_id;
	return found.eventfd ? 0 : -ENOENT;
}

/*
 * One that has ended, has it no more, or may not be looked at. What fails for want of our own
 * descriptors, memory or threads, or as the process hangs, says nothing.
 */
static bool has_none(int error)
{
	return error != -EMFILE && error != -ENFILE && error != -ENOMEM && error != -EINTR &&
	       error != -EBUSY && error != -EAGAIN;
}

/* The eventfds that a process has, or what one descriptor of it is, asked of it (machine_patient.h). */
struct eventfds_question {
	struct patient_head head;
	unsigned int fd; /* EVERY: all of them */
	int error;
	size_t count;
	struct found_eventfd {
		uint64_t id;
		unsigned int fd;
	} *found; /* heap */
};

#define EVERY UINT_MAX

static int add_found(struct eventfds_question *asked, const struct machine *machine, unsigned int fd)
{
	struct found_eventfd *found;
	uint64_t id;
	int error = read_eventfd(machine, asked->head.pid, fd, &id);

	if (error)
		return error;
	found = reallocarray(asked->found, asked->count + 1, sizeof(*found));
	if (!found)
		return -ENOMEM;
	asked->found = found;
	found[asked->count++] = (struct found_eventfd){ .id = id, .fd = fd };
	return 0;
}

struct collection {
	const struct machine *machine;
	struct eventfds_question *asked;
};

static int collect_fd(const char *name, void *arg)
{
	const struct collection *to = arg;
	int error = add_found(to->asked, to->machine, number_simple_u64(name, 10, NULL));

	return error && !has_none(error) ? error : 0;
}

static void ask_eventfds(const struct machine *machine, void *question)
{
	struct collection to = { .machine = machine, .asked = question };
	char path[32];

	if (to.asked->fd != EVERY) {
		to.asked->error = add_found(to.asked, machine, to.asked->fd);
		return;
	}
	snprintf(path, sizeof(path), "%d/fd", to.asked->head.pid);
	to.asked->error = dir_visit(machine->proc, path, collect_fd, &to);
}

static void drop_eventfds(void *question)
{
	free(((struct eventfds_question *)question)->found);
}

/* 0, or an error of reading; -EBUSY: it hangs; -EAGAIN: no thread. The caller frees question->found. */
static int ask_for_eventfds(const struct machine *machine, struct eventfds_question *question)
{
	static const struct patient_kind kind = {
		.size = sizeof(*question), .ask = ask_eventfds, .drop = drop_eventfds };

	int error = patient_ask(machine, &kind, question, 1);

	if (error)
		return error;
	return question->head.answered ? question->error : -EBUSY;
}

/* Whether it is where it was last seen, or may be. */
static bool is_at_its_place(const struct machine *machine, const struct machine_eventfd *eventfd)
{
	struct eventfds_question question = { .head.pid = eventfd->tid, .fd = eventfd->fd };
	int error = ask_for_eventfds(machine, &question);
	bool is_there = error ? !has_none(error) : !eventfd->id || eventfd->id == question.found->id;

	free(question.found);
	return is_there;
}

static int compare_eventfds(const void *a, const void *b)
{
	const struct machine_eventfd *const *left = a, *const *right = b;

	return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

/* Those of this eventfd, if it is one that is missing. */
static void note_found(struct search *search, uint64_t id, unsigned int fd)
{
	const struct machine_eventfd key = { .id = id }, *at = &key;
	struct machine_eventfd **found = bsearch(&at, search->missing, search->count,
						 sizeof(*search->missing), compare_eventfds);

	if (!found || (*found)->held)
		return;
	(*found)->held = true;
	(*found)->tid = search->tid;
	(*found)->fd = fd;
	search->found++;
}

static int search_process(const char *name, void *arg)
{
	struct search *search = arg;
	struct eventfds_question question = { .fd = EVERY };
	int error;

	search->tid = question.head.pid = number_simple_u64(name, 10, NULL);
	if (!search->tid || search->tid == getpid())
		return 0;
	if (!search->go_on(search->arg))
		return -ECANCELED;
	error = ask_for_eventfds(search->machine, &question);
	for (size_t i = 0; i < question.count; i++)
		note_found(search, question.found[i].id, question.found[i].fd);
	free(question.found);
	if (error < 0 && !has_none(error) && error != -EBUSY)
		return error;
	return search->found == search->count; /* who hangs has none: else it would keep all for ever */
}

/* Looks at all processes for all that are missing; who are not seen by then have none. */
static bool search_all(struct search *search)
{
	int error;

	qsort(search->missing, search->count, sizeof(*search->missing), compare_eventfds);
	error = dir_visit(search->machine->proc, ".", search_process, search);
	for (size_t i = 0; i < search->count && error < 0; i++)
		search->missing[i]->held = true; /* not known */
	return error >= 0;
}

bool machine_eventfds_held(const struct machine *machine, struct machine_eventfd *eventfds,
			   size_t count, bool search, bool (*go_on)(void *arg), void *arg)
{
	struct search all = { .machine = machine, .go_on = go_on, .arg = arg };
	bool done = false;

	all.missing = search ? calloc(count, sizeof(*all.missing)) : NULL;
	for (size_t i = 0; i < count; i++) {
		struct machine_eventfd *eventfd = &eventfds[i];

		eventfd->held = !go_on(arg) || is_at_its_place(machine, eventfd);
		if (eventfd->held || !eventfd->id)
			continue;
		if (all.missing)
			all.missing[all.count++] = eventfd;
		else
			eventfd->held = true;
	}
	if (all.count)
		done = search_all(&all);
	free(all.missing);
	return done;
}

/* --- mounts --- */

/* "36 35 98:0 ROOT POINT rw,noatime master:1 - TYPE SOURCE OPTIONS" */
static bool parse_mount(char *line, struct machine_mount *mount)
{
	char *rest, *fields[5], *type;
	unsigned int n = 0;

	type = strstr(line, " - ");
	if (!type)
		return false;
	*type = '\0';
	mount->type = strtok_r(type + 3, " ", &rest);
	for (char *word = strtok_r(line, " ", &rest); word && n < 5; word = strtok_r(NULL, " ", &rest))
		fields[n++] = word;
	if (n < 5 || !mount->type)
		return false;
	if (sscanf(fields[2], "%u:%u", &mount->major, &mount->minor) != 2)
		return false;
	text_unescape(fields[3]);
	text_unescape(fields[4]);
	mount->id = number_simple_u64(fields[0], 10, NULL);
	mount->root = fields[3];
	mount->point = fields[4];
	return true;
}

int machine_parse_mounts(const char *text, size_t len,
			 int (*visit)(const struct machine_mount *mount, void *arg), void *arg)
{
	struct span s = { text, text + len }, line;
	struct machine_mount mount;
	char *copy;
	int result = 0;

	while (!result && span_line(&s, &line)) {
		copy = strndup(line.at, line.end - line.at);
		if (!copy)
			return -ENOMEM;
		if (parse_mount(copy, &mount))
			result = visit(&mount, arg);
		free(copy);
	}
	return result;
}

int machine_task_mounts(const struct machine *machine, pid_t tid,
			int (*visit)(const struct machine_mount *mount, void *arg), void *arg)
{
	size_t len;
	char *text;
	int result = task_read_patiently(machine, tid, "mountinfo", &text, &len);

	if (result)
		return result;
	result = machine_parse_mounts(text, len, visit, arg);
	free(text);
	return result;
}
