#ifndef RUN_PEER_H
#define RUN_PEER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct machine;

/*
 * The task whose system call is answered, as its supervisor sees it: its
 * memory, its files, and what its paths name. Numbers are the supervisor's.
 */

/*
 * Reads the NUL-terminated string at `address` of the task's memory into `string` of `size` bytes.
 * 0, -EFAULT, -ENAMETOOLONG, -ESRCH. Source: process_vm_readv(2), strncpy_from_user.
 */
int peer_read_string(pid_t tid, uint64_t address, char *string, size_t size);
/* Reads or writes `len` bytes: all of them, or -EFAULT, -ESRCH. */
int peer_read(pid_t tid, uint64_t address, void *data, size_t len);
int peer_write(pid_t tid, uint64_t address, const void *data, size_t len);

/* What a path of a task names. Close with place_close(). */
struct place {
	int fd; /* O_PATH of it; -1 where there is nothing of that name */
	int parent; /* O_PATH of the directory it is in; -1 behind a magic link, or of a root */
	char name[NAME_MAX + 1]; /* in that directory */
};

/*
 * Walks `path` (relative to the task's descriptor `dirfd`, or AT_FDCWD) as the kernel would for
 * the task: from its root and working directory, in its mount namespace, with its /proc/self. The
 * last name need not exist. 0, and place is to be closed, or a negative errno.
 * Source: path_resolution(7), proc_self_get_link and proc_thread_self_get_link of fs/proc.
 */
int place_find(const struct machine *machine, pid_t tid, int dirfd, const char *path,
	       struct place *place);
void place_close(struct place *place);

/* O_PATH of the directory that the task's relative paths start at: its descriptor's, or AT_FDCWD. Or a negative errno. */
int place_start(pid_t tid, int dirfd);

/*
 * Whether open(2)'s flags and openat2(2)'s restrictions let the task walk the path. If not, the kernel is
 * to say why. It need not exist.
 */
bool place_is_permitted(pid_t tid, int dirfd, const char *path, uint64_t flags, uint64_t resolve);

/* O_PATH of what there is at the path, or a negative errno. */
int place_open(const struct machine *machine, pid_t tid, int dirfd, const char *path);

/*
 * The same, quickly, if no filesystem has to be waited for but ours: it is at `at`. What it says of files
 * in /proc is of no use. -EAGAIN: only place_open() can tell.
 */
int place_open_quickly(pid_t tid, const char *path, const char *at);

/* O_PATH of one of the task's open files. -EBADF. */
int peer_file(pid_t tid, int fd);
/* The open file itself, with its flags and position: pidfd_getfd(2). -EBADF, -EPERM, -ESRCH. */
int peer_descriptor(pid_t tid, int fd);

/* Whether the descriptor is of a proc filesystem, and of its root directory. */
bool is_proc(int fd);
bool is_proc_root(int fd);

/*
 * The task that the directory `directory` of some proc filesystem is of (/proc/PID,
 * /proc/PID/task/TID), in the supervisor's numbers, whichever pid namespace that /proc shows. `hint`
 * is tried first. 0 where it cannot be told.
 */
pid_t proc_directory_task(const struct machine *machine, int directory, pid_t hint);

#endif
