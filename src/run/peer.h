/* SPDX-License-Identifier: MIT */
#ifndef RUN_PEER_H
#define RUN_PEER_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "text.h"

struct machine;

/*
 * The task whose system call is answered, as its supervisor sees it: its
 * memory, its files, what /proc tells of it, and what its paths name.
 *
 * Its number is no identity: once the task is gone it becomes another's, and an execve(2) of another
 * of its threads hands it to a program with other rights. So every function here takes hold of
 * something by the number first, and asks then whether the task is still the one that was meant; what was
 * read or opened is used only if so, else -ESRCH is the answer. What was written has gone into the memory of
 * the task that was meant, or nowhere. Source: seccomp_unotify(2).
 */
struct peer;

/*
 * Whether the task is still the one that was meant: of the way by which its call was caught, and of which
 * `call` is the name, the call waits still.
 */
typedef bool peer_check(uint64_t call);

/* The task with this number in the supervisor's pid namespace. NULL: no memory. */
struct peer *peer_new(pid_t tid, peer_check *is_same, uint64_t call);
/* NULL is fine. */
void peer_free(struct peer *peer);

/* Whether it is still the task that was meant. Ask before anything is done in its name. */
bool peer_is_there(const struct peer *peer);

#define PEER_NAME_MAX 16

/*
 * Its number as text, for messages and questions: what an answer is worth that was found by it,
 * peer_is_there() tells afterwards.
 */
void peer_name(const struct peer *peer, char name[PEER_NAME_MAX]);

/*
 * Reads the NUL-terminated string at `address` of the task's memory into `string` of `size` bytes.
 * 0, -EFAULT, -ENAMETOOLONG, -ESRCH. Source: process_vm_readv(2), strncpy_from_user.
 */
int peer_read_string(const struct peer *peer, uint64_t address, char *string, size_t size);
/*
 * Reads or writes `len` bytes: all of them, or -EFAULT (also for what the task itself may not write), -ESRCH.
 */
int peer_read(const struct peer *peer, uint64_t address, void *data, size_t len);
int peer_write(const struct peer *peer, uint64_t address, const void *data, size_t len);

/*
 * /proc/TID/NAME: opened with open(2)'s flags (O_CLOEXEC is added), looked at, or read to its end, which
 * replaces *out. A descriptor or 0, or a negative errno.
 */
int peer_proc_open(const struct peer *peer, const char *name, int flags);
int peer_proc_stat(const struct peer *peer, const char *name, struct stat *st);
int peer_proc_read(const struct peer *peer, const char *name, struct text *out);

/*
 * The same for what may keep who asks waiting, as stat and ns/ of another's process do, by a machine that is
 * patient (machine_patient.h). -EBUSY too: it hangs.
 */
struct machine_task_stat;
int peer_look(const struct machine *machine, const struct peer *peer, const char *name, struct stat *about);
int peer_task_stat(const struct machine *machine, const struct peer *peer, struct machine_task_stat *stat);

/* What the link says there, in `target` of `size` bytes: its length, or a negative errno. */
int peer_proc_readlink(const struct peer *peer, const char *name, char *target, size_t size);

/* The task's effective capabilities in its own user namespace, as 1 << CAP_...: capget(2). */
int peer_capabilities(const struct peer *peer, uint64_t *effective);
/* O_PATH of one of the task's open files. -EBADF. */
int peer_file(const struct peer *peer, int fd);
/* The open file itself, with its flags and position: pidfd_getfd(2). -EBADF, -EPERM, -ESRCH. */
int peer_descriptor(const struct peer *peer, int fd);

/* What a path of a task names. Close with place_close(). */
struct place {
	int fd; /* O_PATH of it; -1 where there is nothing of that name */
	int parent; /* O_PATH of the directory it is in; -1 behind a magic link, or of a root */
	char name[NAME_MAX + 1]; /* in that directory */
};

/*
 * Walks `path` (relative to the task's descriptor `dirfd`, or AT_FDCWD) as the kernel would for
 * the task: from its root and working directory, in its mount namespace, with its /proc/self and with
 * its rights (identity.h), as all of these functions do. The last name need not exist. 0, and place is to be
 * closed, or a negative errno. Source: path_resolution(7), proc_self_get_link and proc_thread_self_get_link
 * of fs/proc.
 */
int place_find(const struct peer *peer, int dirfd, const char *path, struct place *place);
/*
 * The same within openat2(2)'s restrictions, as far as place_is_permitted() cannot tell: it asks the kernel,
 * and by our own /proc/self.
 */
int place_find_restricted(const struct peer *peer, int dirfd, const char *path, uint64_t resolve,
			  struct place *place);
void place_close(struct place *place);
/* Whether the open file is a directory; O_PATH will do. */
bool place_is_directory(int fd);

/*
 * O_PATH of the directory that the task's relative paths start at: its descriptor's, or AT_FDCWD. Or a
 * negative errno.
 */
int place_start(const struct peer *peer, int dirfd);

/*
 * Whether open(2)'s flags and openat2(2)'s restrictions let the task walk the path. If not, the kernel is
 * to say why. It need not exist.
 */
bool place_is_permitted(const struct peer *peer, int dirfd, const char *path, uint64_t flags,
			uint64_t resolve);

/* O_PATH of what there is at the path, or a negative errno. */
int place_open(const struct peer *peer, int dirfd, const char *path);

/*
 * The same, quickly, if no filesystem has to be waited for but ours: it is at `at`. What it says of files
 * in /proc is of no use. -EAGAIN: only place_open() can tell.
 */
int place_open_quickly(const struct peer *peer, const char *path, const char *at);

/* Whether the descriptor is of a proc filesystem, and of its root directory. */
bool is_proc(int fd);
bool is_proc_root(int fd);

/*
 * What the link "self" or "thread-self" in `root`, that of some proc filesystem, says to the task. False:
 * the task is not in its pid namespace, or is gone.
 */
bool proc_self(const struct peer *peer, int root, const char *name, char *target, size_t size);

/*
 * The task that the directory `directory` of some proc filesystem is of (/proc/PID,
 * /proc/PID/task/TID), whichever pid namespace that /proc shows: the same one as long as the directory,
 * which must stay open, is of a task. `hint` is tried first. To be freed; NULL where it cannot be told.
 */
struct peer *proc_directory_task(const struct machine *machine, int directory,
				 const struct peer *hint);

#endif
