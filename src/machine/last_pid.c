/* SPDX-License-Identifier: MIT */
/* The number that was given to the newest task: the last word of /proc/loadavg, which is 0 in gVisor. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "internal.h"
#include "machine_task.h"

/* "0.30 0.15 0.19 1/119 16432" */
int machine_parse_last_pid(const char *text, size_t len, pid_t *pid)
{
	struct span rest = {text, text + len}, word = {0};
	uint64_t value;

	for (int i = 0; i < 5; i++) {
		span_skip_blanks(&rest);
		if (!span_word(&rest, &word))
			return -EINVAL;
	}
	if (!span_digits(&word, &value) || value > INT32_MAX)
		return -EINVAL;
	*pid = (pid_t)value;
	return 0;
}

static void *take_number(void *number)
{
	*(pid_t *)number = gettid();
	return NULL;
}

/* The newest task is a thread of ours, made for this. 0: none can be made. */
static pid_t number_of_a_new_thread(void)
{
	pthread_t thread;
	pid_t number;

	if (pthread_create(&thread, NULL, take_number, &number))
		return 0;
	pthread_join(thread, NULL);
	return number;
}

int machine_last_pid(const struct machine *machine, pid_t *pid)
{
	struct file file;
	int error = file_read_kept(machine, KEPT_LOADAVG, FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_last_pid(file.text, file.len, pid);
	file_free(&file);
	if (!error && !*pid && machine->is_own)
		*pid = number_of_a_new_thread();
	return error;
}
