/* The number that was given to the newest task: the last word of /proc/loadavg. */
#include <errno.h>

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

int machine_last_pid(const struct machine *machine, pid_t *pid)
{
	struct file file;
	int err = file_read_kept(machine, KEPT_LOADAVG, FILE_RECORD, &file);

	if (err)
		return err;
	err = machine_parse_last_pid(file.text, file.len, pid);
	file_free(&file);
	return err;
}
