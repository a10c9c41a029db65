/* SPDX-License-Identifier: MIT */
/*
 * What a task has open, and where. Sources: proc_pid_fd(5), proc_pid_fdinfo(5),
 * proc_pid_mountinfo(5), pidfd_getfd(2), fs/eventfd.c eventfd_show_fdinfo(). See machine.h for what
 * holds for every function.
 */
#ifndef MACHINE_FD_H
#define MACHINE_FD_H

#include <limits.h>
#include <sys/types.h>

#include "machine.h"

/* tid names a thread or a process here: each thread has its own /proc/TID/fd. */

struct machine_fd {
	char path[PATH_MAX];	/* as the link shows it, from this process' root, but for an " (deleted)"
				   in the end; "" when too long */
	bool path_only;		/* O_PATH: most system calls say EBADF to it */
	bool eventfd;
	uint64_t eventfd_id;	/* the same for all descriptors of one eventfd; 0: not told (gVisor) */
	int mount;		/* as in mountinfo; -1: not told */
};

/*
 * -EBADF: not open. -ESRCH, -EACCES, -EPERM: not allowed to look. Of what is neither a file with a
 * path nor an eventfd only `path` is told: no reading of it waits for its owner. Nor is more told when
 * that would wait (machine_patient.h).
 */
int machine_task_fd(const struct machine *machine, pid_t tid, unsigned int fd,
		    struct machine_fd *out);
/* The fields of fdinfo: flags, mnt_id, eventfd-id. Never fails. */
void machine_parse_fdinfo(const char *text, size_t len, struct machine_fd *out);

/*
 * A descriptor of our own, close-on-exec, for the eventfd that the task has as fd. -EBADF; -EINVAL:
 * no eventfd; -ESRCH; -EPERM: we may not trace it (ptrace(2), access mode PTRACE_MODE_ATTACH_REALCREDS);
 * -EOPNOTSUPP: a kernel without pidfd_getfd.
 */
int machine_task_eventfd(const struct machine *machine, pid_t tid, unsigned int fd);

/* An eventfd that somebody is thought to have open. */
struct machine_eventfd {
	uint64_t id;	/* 0: not told; then any eventfd at that place is taken for it */
	pid_t tid;	/* a process that has it, and as what: as last seen */
	unsigned int fd;
	bool held;	/* out: a process other than this one has it, or that could not be seen */
};

/*
 * Which of them, no two of one id, are open: looks where they were last seen and, for those that are not
 * there, once through all processes that may be looked at, noting where it found them. `go_on` is asked
 * before each look; once it says no, the rest is held. `search` false: those that are not at their place
 * are held, nobody else is looked at. True: all processes were looked at.
 */
bool machine_eventfds_held(const struct machine *machine, struct machine_eventfd *eventfds,
			   size_t count, bool search, bool (*go_on)(void *arg), void *arg);

struct machine_mount {
	int id;
	unsigned int major, minor; /* of the filesystem */
	const char *root;	/* which part of the filesystem is mounted: "/" for all of it */
	const char *point;	/* where, from the task's root */
	const char *type;	/* "fuse.cgroupfs" */
};

/*
 * Calls visit for each mount in the task's mount namespace until it returns other than 0, which is
 * then the result. Strings last until visit returns. -EBUSY: who serves one of these mounts keeps us waiting
 * (machine_patient.h).
 */
int machine_task_mounts(const struct machine *machine, pid_t tid,
			int (*visit)(const struct machine_mount *mount, void *arg), void *arg);
int machine_parse_mounts(const char *text, size_t len,
			 int (*visit)(const struct machine_mount *mount, void *arg), void *arg);

#endif
