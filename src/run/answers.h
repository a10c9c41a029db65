/* SPDX-License-Identifier: MIT */
#ifndef RUN_ANSWERS_H
#define RUN_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

struct peer;
struct view;

/* What a caught call is told, whichever call it was. */

/*
 * The statfs of the file at the O_PATH descriptor `file`: as the kernel's cgroups have it (tmpfs for
 * v1's top). 0, -ENOENT: it is no file of ours; or another errno. Source: kernfs_statfs, shmem_statfs.
 */
int answers_statfs(struct view *view, int file, struct statfs *fs);

/* A quick look at the path's last name: false, and it cannot be one of the tables. */
bool answers_may_be_table(const char *path);

/*
 * A descriptor, open for reading at its start, of the table that the task's path names, made for this
 * open: one open is one moment. `resolve` is openat2(2)'s. -ENOENT: it names none; -ESRCH as the kernel for a
 * task that has ended.
 */
int answers_open_table(struct view *view, const struct peer *peer, int dirfd, const char *path,
		       uint64_t resolve);

/*
 * What a copy within the kernel is told, from the task's descriptor `in` to its `out`: `error` (negative) if
 * that is from a regular file of ours whose content FUSE would not copy; 0: the kernel is to do it. `within`:
 * so it is also where both are ours.
 */
int answers_copy(struct view *view, const struct peer *peer, int in, int out, bool within, int error);

#endif
