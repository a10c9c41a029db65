/* SPDX-License-Identifier: MIT */
/* In which of the kernel's cgroups a task is. */
#include <errno.h>
#include <string.h>

#include "task.h"

int machine_task_cgroups(const struct machine *machine, pid_t pid, pid_t tid, char **text)
{
	struct file file;
	int error = task_read(machine, pid, tid, "cgroup", FILE_RECORDS, &file);

	if (error)
		return error;
	*text = strndup(file.text, file.len);
	file_free(&file);
	return *text ? 0 : -ENOMEM;
}
