/* SPDX-License-Identifier: MIT */
/* What the files of tasks share. */
#ifndef MACHINE_TASK_INTERNAL_H
#define MACHINE_TASK_INTERNAL_H

#include "internal.h"
#include "machine_task.h"

/* Reads /proc/PID/NAME, or /proc/PID/task/TID/NAME if tid is not 0, with machine_task.h's errors. */
int task_read(const struct machine *machine, pid_t pid, pid_t tid, const char *name,
	      enum file_kind kind, struct file *file);

/*
 * The same of a process' file that may keep its reader waiting for ever (machine_patient.h). 0 with *text on
 * the heap, the caller's, and its *len; -EBUSY: it was not answered in time; -ENOMEM; as task_read().
 */
int task_read_patiently(const struct machine *machine, pid_t pid, const char *name, char **text, size_t *len);

#endif
