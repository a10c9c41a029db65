/* SPDX-License-Identifier: MIT */
#ifndef RUN_TASK_NUMBERS_H
#define RUN_TASK_NUMBERS_H

#include <sys/types.h>

#include "machine_task.h"

/*
 * The task's numbers as the kernel tells them of its pidfd (NSpid of pidfd_open(2)'s fdinfo): from our pid
 * namespace inwards, its own last. gVisor tells them there, and not in status. Returns how many; 0: unknown.
 */
unsigned task_numbers(pid_t tid, pid_t numbers[MACHINE_NSPID_MAX]);

#endif
