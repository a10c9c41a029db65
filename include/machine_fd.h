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
	char path[PATH_MAX];	/* as the link shows it, from this process' root; "" when too long */
	bool path_only;		/* O_PATH: most system calls say EBADF to it */
	bool eventfd;
	uint64_t eventfd_id;	/* the same for all descriptors of one eventfd; 0: not told (gVisor) */
	int mount;		/* as in mountinfo; -1: not told (gVisor) */
};

/* -EBADF: not open. -ESRCH, -EACCES, -EPERM: not allowed to look. */
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

/*
 * Whether a process other than this one has the eventfd open: first looks where it was last seen
 * (*tid, *fd), then everywhere, and notes there where it found it. With id 0 only the first place
 * is looked at, for any eventfd.
 */
bool machine_eventfd_held(const struct machine *machine, uint64_t id, pid_t *tid,
			  unsigned int *fd);

struct machine_mount {
	int id;
	const char *root;	/* which part of the filesystem is mounted: "/" for all of it */
	const char *point;	/* where, from the task's root */
	const char *type;	/* "fuse.cgroupfs" */
};

/* Calls visit for each mount in the task's mount namespace until it returns other than 0, which is
 * then the result. Strings last until visit returns. */
int machine_task_mounts(const struct machine *machine, pid_t tid,
			int (*visit)(const struct machine_mount *mount, void *arg), void *arg);
int machine_parse_mounts(const char *text, size_t len,
			 int (*visit)(const struct machine_mount *mount, void *arg), void *arg);

#endif
