/* The memory and files of a task, and whose a directory of /proc is. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "machine_task.h"

#define PROC_ROOT_INO 1 /* linux/proc_ns.h */

int peer_read(pid_t tid, uint64_t address, void *data, size_t len)
{
	struct iovec local = {data, len}, remote = {(void *)(uintptr_t)address, len};
	ssize_t count = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (count < 0)
		return errno == ESRCH ? -ESRCH : -EFAULT;
	return (size_t)count == len ? 0 : -EFAULT;
}

int peer_write(pid_t tid, uint64_t address, const void *data, size_t len)
{
	struct iovec local = {(void *)data, len}, remote = {(void *)(uintptr_t)address, len};
	ssize_t count = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (count < 0)
		return errno == ESRCH ? -ESRCH : -EFAULT;
	return (size_t)count == len ? 0 : -EFAULT;
}

#define CHUNK 256 /* most paths are shorter, and no read goes over the end of a page, which may be the last */

int peer_read_string(pid_t tid, uint64_t address, char *string, size_t size)
{
	for (size_t done = 0, len; done < size; done += len) {
		int error;

		len = CHUNK - (address + done) % CHUNK;
		if (len > size - done)
			len = size - done;
		error = peer_read(tid, address + done, string + done, len);
		if (error)
			return error;
		if (memchr(string + done, '\0', len))
			return 0;
	}
	return -ENAMETOOLONG;
}

int peer_file(pid_t tid, int fd)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, fd);
	file = open(path, O_PATH | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? -EBADF : -errno;
	return file;
}

int peer_descriptor(pid_t tid, int fd)
{
	int pidfd = (int)syscall(__NR_pidfd_open, tid, O_EXCL); /* PIDFD_THREAD, Linux 6.9 */
	int file;

	if (pidfd < 0)
		pidfd = (int)syscall(__NR_pidfd_open, tid, 0);
	if (pidfd < 0)
		return -errno;
	file = (int)syscall(__NR_pidfd_getfd, pidfd, fd, 0);
	if (file < 0)
		file = -errno;
	close(pidfd);
	return file;
}

bool is_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

bool is_proc_root(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == PROC_ROOT_INO && is_proc(fd);
}

static ssize_t read_file(int directory, const char *name, char *text, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size);
	close(fd);
	return len;
}

/* A task as some proc filesystem tells of it: its start, and its numbers from there inwards. */
struct identity {
	uint64_t starttime;
	struct machine_task_status status;
};

static bool read_identity(int directory, struct identity *identity)
{
	struct machine_task_stat stat;
	char text[4096];
	ssize_t len = read_file(directory, "stat", text, sizeof(text));

	if (len <= 0 || machine_parse_task_stat(text, (size_t)len, &stat))
		return false;
	identity->starttime = stat.starttime;
	len = read_file(directory, "status", text, sizeof(text));
	return len > 0 && !machine_parse_task_status(text, (size_t)len, &identity->status);
}

/* Whether our task `tid` is it: an inner /proc knows the last of the numbers that ours knows. */
static bool is_task(const struct machine *machine, pid_t tid, const struct identity *identity)
{
	const struct machine_task_status *inner = &identity->status;
	struct machine_task_status outer;
	struct machine_task_stat stat;
	unsigned hidden;

	if (machine_task_stat(machine, tid, 0, &stat) || stat.starttime != identity->starttime ||
	    machine_task_status(machine, tid, 0, &outer) || outer.nr_nspid < inner->nr_nspid)
		return false;
	hidden = outer.nr_nspid - inner->nr_nspid;
	return !memcmp(outer.nspid + hidden, inner->nspid, inner->nr_nspid * sizeof(pid_t));
}

/* The thread of process `pid` that it is, or 0. */
static pid_t find_thread(const struct machine *machine, pid_t pid, const struct identity *identity)
{
	struct machine_ids threads = {0};
	pid_t found = 0;

	if (machine_tids(machine, pid, &threads))
		return 0;
	for (size_t i = 0; i < threads.nr && !found; i++) {
		if (is_task(machine, threads.id[i], identity))
			found = threads.id[i];
	}
	machine_ids_free(&threads);
	return found;
}

static pid_t find_task(const struct machine *machine, const struct identity *identity)
{
	struct machine_ids pids = {0};
	pid_t found = 0;

	if (machine_pids(machine, &pids))
		return 0;
	for (size_t i = 0; i < pids.nr && !found; i++) {
		if (is_task(machine, pids.id[i], identity))
			found = pids.id[i];
		else if (identity->status.pid != identity->status.tgid)
			found = find_thread(machine, pids.id[i], identity);
	}
	machine_ids_free(&pids);
	return found;
}

/* Whether the directory is /proc/TID as we know it. */
static bool is_directory_of(int directory, pid_t tid)
{
	struct stat wanted, found;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", tid);
	return !stat(path, &wanted) && !fstat(directory, &found) &&
	       wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
}

pid_t proc_directory_task(const struct machine *machine, int directory, pid_t hint)
{
	struct identity identity;

	if (is_directory_of(directory, hint))
		return hint;
	if (!read_identity(directory, &identity))
		return 0;
	if (is_task(machine, hint, &identity))
		return hint;
	if (is_task(machine, identity.status.pid, &identity)) /* our own pid namespace */
		return identity.status.pid;
	return find_task(machine, &identity);
}
