/* SPDX-License-Identifier: MIT */
#ifndef MACHINE_NAMESPACE_H
#define MACHINE_NAMESPACE_H

#include <sys/types.h>

struct machine;

/*
 * Cgroup namespaces of tasks (cgroup_namespaces(7)). No locks; a task that hangs shows none
 * (machine_patient.h).
 */

/*
 * The task's directory in /proc, tid 0 for our own, as a descriptor (O_PATH) which is to be closed: it stays
 * this task's when the number is another's. A negative errno.
 */
int machine_task_directory(const struct machine *machine, pid_t tid);

/*
 * The inode of the namespace that the task of the directory is in; 0: it has ended, or it is not to be told.
 * As long as the namespace is open no other has its number: a descriptor, or a negative errno. That waits for
 * a task that hangs: it must be one that waits for us, or itself.
 */
ino_t machine_cgroup_namespace(const struct machine *machine, pid_t tid, int directory);
int machine_cgroup_namespace_open(int directory);

/* Calls `visit` with each process' namespace, some more than once. 0 or a negative errno. */
int machine_cgroup_namespaces(const struct machine *machine, void (*visit)(ino_t inode, void *arg),
			      void *arg);

#endif
