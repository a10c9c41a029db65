/* SPDX-License-Identifier: MIT */
/* Which tasks there are, and reading their files. */
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"

/* Longer than "/task/" and two numbers and any name in use. */
#define TASK_PATH_SIZE 64

static char *put_number(char *at, pid_t id)
{
	char digits[12];
	unsigned int v = id, n = 0;

	do
		digits[n++] = '0' + v % 10;
	while (v /= 10);
	while (n)
		*at++ = digits[--n];
	return at;
}

/* snprintf() would be a tenth of the time of reading a small file. */
static void task_path(char path[TASK_PATH_SIZE], pid_t pid, pid_t tid, const char *name)
{
	char *at = put_number(path, pid);

	if (tid) {
		at = stpcpy(at, "/task/");
		at = put_number(at, tid);
	}
	if (*name) {
		*at++ = '/';
		at = stpcpy(at, name);
	}
	*at = '\0';
}

bool machine_task_is_gone(const struct machine *machine, pid_t pid, pid_t tid)
{
	if (pid <= 0 || tid < 0)
		return true;
	return machine->is_own && (tid ? tgkill(pid, tid, 0) : kill(pid, 0)) && errno == ESRCH;
}

bool machine_task_exists(const struct machine *machine, pid_t pid, pid_t tid)
{
	char path[TASK_PATH_SIZE];

	if (machine_task_is_gone(machine, pid, tid))
		return false;
	task_path(path, pid, tid, "");
	/* Any other failure says nothing of the task. */
	return !faccessat(machine->proc, path, F_OK, 0) || (errno != ENOENT && errno != ESRCH);
}

/* Tells a task that is gone from a file that this machine lacks. */
static int task_error(const struct machine *machine, pid_t pid, pid_t tid, int error)
{
	if (error == -ENOENT && !machine_task_exists(machine, pid, tid))
		return -ESRCH;
	return error;
}

int task_read(const struct machine *machine, pid_t pid, pid_t tid, const char *name,
	      enum file_kind kind, struct file *file)
{
	char path[TASK_PATH_SIZE];
	int error;

	if (pid <= 0 || tid < 0)
		return -ESRCH;
	task_path(path, pid, tid, name);
	error = file_read(machine->proc, path, kind, file);
	return error ? task_error(machine, pid, tid, error) : 0;
}

/* --- ids --- */

void machine_ids_free(struct machine_ids *ids)
{
	free(ids->id);
	*ids = (struct machine_ids){ 0 };
}

static int add_id(struct machine_ids *ids, pid_t id)
{
	pid_t *room = array_room(ids->id, ids->nr, &ids->capacity, sizeof(*room));

	if (!room)
		return -ENOMEM;
	ids->id = room;
	room[ids->nr++] = id;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Ascending without duplicates; the kernel's /proc is so already. */
static void order(struct machine_ids *ids)
{
	bool ordered = true;
	size_t kept = 0;

	for (size_t i = 1; i < ids->nr && ordered; i++)
		ordered = ids->id[i - 1] < ids->id[i];
	if (ordered)
		return;
	qsort(ids->id, ids->nr, sizeof(ids->id[0]), compare_ids);
	for (size_t i = 0; i < ids->nr; i++)
		if (!kept || ids->id[kept - 1] != ids->id[i])
			ids->id[kept++] = ids->id[i];
	ids->nr = kept;
}

/* A name that is a number and nothing else; 0: it is not. */
static pid_t parse_id(const char *name, size_t len)
{
	struct span s = { name, name + len };
	uint64_t v;

	if (!span_digits(&s, &v) || s.at != s.end || v > INT_MAX)
		return 0;
	return v;
}

static int visit_id(const char *name, void *arg)
{
	pid_t id = parse_id(name, strlen(name));

	return id ? add_id(arg, id) : 0;
}

static int list_ids(const struct machine *machine, const char *path, struct machine_ids *ids)
{
	int error;

	ids->nr = 0;
	error = dir_visit(machine->proc, path, visit_id, ids);
	if (error)
		ids->nr = 0;
	order(ids);
	return error;
}

int machine_pids(const struct machine *machine, struct machine_ids *ids)
{
	return list_ids(machine, ".", ids);
}

int machine_tids(const struct machine *machine, pid_t pid, struct machine_ids *ids)
{
	char path[TASK_PATH_SIZE];
	int error;

	ids->nr = 0;
	if (pid <= 0)
		return -ESRCH;
	task_path(path, pid, 0, "task");
	error = list_ids(machine, path, ids);
	/* One that ends while its threads are listed has none. */
	if (!error && !ids->nr)
		return -ESRCH;
	return error ? task_error(machine, pid, 0, error) : 0;
}

int machine_parse_children(const char *text, size_t len, struct machine_ids *ids)
{
	struct span s = { text, text + len }, line, word;
	int error;

	ids->nr = 0;
	while (span_line(&s, &line))
		while (span_word(&line, &word)) {
			pid_t id = parse_id(word.at, word.end - word.at);

			if (!id)
				continue;
			if ((error = add_id(ids, id))) {
				ids->nr = 0;
				return error;
			}
		}
	order(ids);
	return 0;
}

int machine_children(const struct machine *machine, pid_t pid, pid_t tid,
		     struct machine_ids *ids)
{
	struct file file;
	int error;

	ids->nr = 0;
	error = task_read(machine, pid, tid ? tid : pid, "children", FILE_RECORDS, &file);
	if (error)
		return error;
	error = machine_parse_children(file.text, file.len, ids);
	file_free(&file);
	return error;
}
