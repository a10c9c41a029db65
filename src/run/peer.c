/* SPDX-License-Identifier: MIT */
/* A task that waits for an answer: its files, and what /proc tells of it. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine_task.h"
#include "peer_number.h"
#include "shortage.h"

struct peer *peer_new(pid_t tid, peer_check *is_same, uint64_t call)
{
	struct peer *peer = malloc(sizeof(*peer));

	if (peer)
		*peer = (struct peer){tid, is_same, call};
	else
		shortage_note(-ENOMEM);
	return peer;
}

void peer_free(struct peer *peer)
{
	free(peer);
}

bool peer_is_there(const struct peer *peer)
{
	return peer->is_same(peer->call);
}

void peer_name(const struct peer *peer, char name[PEER_NAME_MAX])
{
	snprintf(name, PEER_NAME_MAX, "%d", peer->tid);
}

/* A descriptor that was found by the number, or -1 with errno: the task's, or none. */
static int keep(const struct peer *peer, int fd)
{
	int result = shortage_note_errno(fd);

	if (peer_is_there(peer))
		return result;
	if (fd >= 0)
		close(fd);
	return -ESRCH;
}

static void proc_path(const struct peer *peer, const char *name, char path[64])
{
	snprintf(path, 64, "/proc/%d/%s", peer->tid, name);
}

int peer_proc_open(const struct peer *peer, const char *name, int flags)
{
	char path[64];

	proc_path(peer, name, path);
	return keep(peer, open(path, flags | O_CLOEXEC));
}

int peer_proc_stat(const struct peer *peer, const char *name, struct stat *st)
{
	char path[64];
	int error;

	proc_path(peer, name, path);
	error = shortage_note_errno(stat(path, st));
	return peer_is_there(peer) ? error : -ESRCH;
}

int peer_look(const struct machine *machine, const struct peer *peer, const char *name, struct stat *about)
{
	char path[64];
	int error;

	proc_path(peer, name, path);
	error = shortage_note(machine_task_look(machine, peer->tid, AT_FDCWD, path, about));
	return peer_is_there(peer) ? error : -ESRCH;
}

int peer_task_stat(const struct machine *machine, const struct peer *peer, struct machine_task_stat *stat)
{
	int error = shortage_note(machine_task_stat(machine, peer->tid, 0, stat));

	return peer_is_there(peer) ? error : -ESRCH;
}

int peer_proc_read(const struct peer *peer, const char *name, struct text *out)
{
	int fd = peer_proc_open(peer, name, O_RDONLY), error;
	char part[4096];
	ssize_t len;

	if (fd < 0)
		return fd;
	text_clear(out);
	while ((len = read(fd, part, sizeof(part))) > 0)
		text_add_bytes(out, part, (size_t)len);
	error = shortage_note(len < 0 ? -errno : out->error);
	close(fd);
	/* Some of these files tell at each read of whoever has the number then. */
	return peer_is_there(peer) ? error : -ESRCH;
}

int peer_proc_readlink(const struct peer *peer, const char *name, char *target, size_t size)
{
	char path[64];
	ssize_t len;
	int error;

	proc_path(peer, name, path);
	len = readlink(path, target, size - 1);
	error = len < 0 ? shortage_note(-errno) : 0;
	target[len < 0 ? 0 : len] = '\0';
	if (!peer_is_there(peer))
		return -ESRCH;
	return error ? error : (int)len;
}

int peer_capabilities(const struct peer *peer, uint64_t *effective)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, peer->tid};
	struct __user_cap_data_struct sets[2];
	int error = syscall(__NR_capget, &header, sets) ? -errno : 0;

	*effective = (uint64_t)sets[1].effective << 32 | sets[0].effective;
	return peer_is_there(peer) ? error : -ESRCH;
}

int peer_file(const struct peer *peer, int fd)
{
	char name[32];
	int file;

	snprintf(name, sizeof(name), "fd/%d", fd);
	file = peer_proc_open(peer, name, O_PATH);
	return file == -ENOENT ? -EBADF : file;
}

/* A process file descriptor of the thread: what is done with it still has to be checked. */
static int open_pidfd(const struct peer *peer)
{
	int pidfd = (int)syscall(__NR_pidfd_open, peer->tid, O_EXCL); /* PIDFD_THREAD, Linux 6.9 */

	if (pidfd < 0)
		pidfd = (int)syscall(__NR_pidfd_open, peer->tid, 0);
	return pidfd;
}

int peer_descriptor(const struct peer *peer, int fd)
{
	int pidfd = open_pidfd(peer), file;

	if (pidfd < 0)
		return keep(peer, pidfd);
	file = keep(peer, (int)syscall(__NR_pidfd_getfd, pidfd, fd, 0));
	close(pidfd);
	return file;
}
