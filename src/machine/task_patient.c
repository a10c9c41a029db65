/* SPDX-License-Identifier: MIT */
/* Files of a process that are read whole, by a thread that may be lost. */
#include "task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text_question {
	struct patient_head head;
	const char *name; /* of the file: constant */
	int error;
	char *text; /* heap */
	size_t len;
};

static void ask_text(const struct machine *machine, void *question)
{
	struct text_question *asked = question;
	struct file file;

	asked->error = task_read(machine, asked->head.pid, 0, asked->name, FILE_RECORDS, &file);
	if (asked->error)
		return;
	asked->len = file.len;
	asked->text = malloc(file.len + 1);
	if (asked->text)
		memcpy(asked->text, file.text, file.len);
	else
		asked->error = -ENOMEM;
	file_free(&file);
}

static void drop_text(void *question)
{
	free(((struct text_question *)question)->text);
}

int task_read_patiently(const struct machine *machine, pid_t pid, const char *name, char **text, size_t *len)
{
	static const struct patient_kind kind = {
		.size = sizeof(struct text_question), .ask = ask_text, .drop = drop_text };
	struct text_question question = { .head.pid = pid, .name = name };

	patient_ask(machine, &kind, &question, 1);
	if (!question.head.answered)
		return -EBUSY;
	*text = question.text;
	*len = question.len;
	return question.error;
}

/* --- stat --- */

static int read_stat(const struct machine *machine, pid_t pid, pid_t tid, struct machine_task_stat *stat)
{
	struct file file;
	int error = task_read(machine, pid, tid, "stat", FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_task_stat(file.text, file.len, stat);
	file_free(&file);
	return error;
}

static void ask_stat(const struct machine *machine, void *question)
{
	struct machine_stat_question *asked = question;

	asked->error = read_stat(machine, asked->head.pid, asked->tid, &asked->stat);
}

void machine_task_stats(const struct machine *machine, struct machine_stat_question *questions,
			size_t count)
{
	static const struct patient_kind kind = { .size = sizeof(*questions), .ask = ask_stat };

	for (size_t i = 0; i < count; i++)
		questions[i].error = -EBUSY;
	patient_ask(machine, &kind, questions, count);
}

int machine_task_stat(const struct machine *machine, pid_t pid, pid_t tid,
		      struct machine_task_stat *stat)
{
	struct machine_stat_question question = { .head.pid = pid, .tid = tid };

	if (!machine->is_patient)
		return read_stat(machine, pid, tid, stat);
	machine_task_stats(machine, &question, 1);
	if (!question.error)
		*stat = question.stat;
	return question.error;
}

/* --- ns/ --- */

struct look_question {
	struct patient_head head;
	int at;
	char name[64];
	int error;
	struct stat about;
};

static void ask_look(const struct machine *machine, void *question)
{
	struct look_question *asked = question;

	(void)machine;
	asked->error = fstatat(asked->at, asked->name, &asked->about, 0) ? -errno : 0;
}

int machine_task_look(const struct machine *machine, pid_t pid, int at, const char *name,
		      struct stat *about)
{
	static const struct patient_kind kind = { .size = sizeof(struct look_question), .ask = ask_look };
	struct look_question question = { .head.pid = pid, .at = at, .error = -EBUSY };

	snprintf(question.name, sizeof(question.name), "%s", name);
	patient_ask(machine, &kind, &question, 1);
	if (!question.error)
		*about = question.about;
	return question.error;
}

/* --- wchan: what it waits for in the kernel --- */

struct wait_question {
	struct patient_head head;
	pid_t tid;
	bool is_told;
	char where[32]; /* a function of the kernel; "0": in none */
};

static void ask_wait(const struct machine *machine, void *question)
{
	struct wait_question *asked = question;
	struct file file;

	if (task_read(machine, asked->head.pid, asked->tid, "wchan", FILE_RECORD, &file))
		return;
	asked->is_told = file.len > 0;
	snprintf(asked->where, sizeof(asked->where), "%.*s", (int)file.len, file.text);
	file_free(&file);
}

static struct wait_question read_wait(const struct machine *machine, pid_t pid, pid_t tid)
{
	static const struct patient_kind kind = { .size = sizeof(struct wait_question), .ask = ask_wait };
	struct wait_question question = { .head.pid = pid, .tid = tid };

	patient_ask(machine, &kind, &question, 1);
	return question;
}

bool machine_task_is_blocked(const struct machine *machine, pid_t pid)
{
	const struct wait_question wait = read_wait(machine, pid, 0);

	return !wait.is_told || strcmp(wait.where, "0");
}

bool machine_task_waits_for_vfork(const struct machine *machine, pid_t pid, pid_t tid)
{
	static const char *const names[] = { "kernel_clone", "_do_fork", "do_fork", "wait_for_vfork_done" };
	const struct wait_question wait = read_wait(machine, pid, tid);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(wait.where, names[i]))
			return true;
	}
	return false;
}
