/* SPDX-License-Identifier: MIT */
/* Files of a process that are read whole, by a thread that may be lost. */
#include "task.h"

#include <errno.h>
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
