/* SPDX-License-Identifier: MIT */
#ifndef PID_NAMESPACE_H
#define PID_NAMESPACE_H

#include <stdbool.h>
#include <sys/types.h>

struct machine;

/*
 * Process numbers between the daemon's pid namespace (that of its /proc) and
 * a reader's or writer's own. Sources: pid_namespaces(7), ioctl_ns(2),
 * NSpid of proc_pid_status(5). No locks; reads /proc.
 */
struct pid_namespace {
	unsigned level; /* 0: /proc's own, and numbers need no translation */
	ino_t inode; /* of /proc/PID/ns/pid; 0: not to be had, and nobody is known to be in it */
	pid_t member; /* the task whose it is */
	int error; /* a negative errno: which it is could not be read, and no number is known there; or 0 */
};

/* The namespace that task `tid` is in. Level 0 for tid 0: it is outside of ours. */
struct pid_namespace pid_namespace_of(const struct machine *machine, pid_t tid);

/*
 * The number by which `space` knows the task, 0 where it does not see it.
 * With `process` its process' number.
 */
pid_t pid_namespace_show(const struct machine *machine, const struct pid_namespace *space,
			 pid_t tid, bool process);

/*
 * The task that `space` knows as `number`, in the daemon's numbers; 0 where there is none. The
 * kernel is asked (ioctl_nsfs(2), Linux 6.11), else each process is looked at, and the threads of those in
 * inner namespaces.
 */
pid_t pid_namespace_find(const struct machine *machine, const struct pid_namespace *space,
			 pid_t number);

#endif
