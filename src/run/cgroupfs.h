/* SPDX-License-Identifier: MIT */
#ifndef RUN_CGROUPFS_H
#define RUN_CGROUPFS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CGROUPFS_PROGRAM "fuse_cgroupfs"
#define CGROUPFS_STATE "state" /* its subdirectory */

/*
 * A fuse_cgroupfs of our own. It keeps its state in a directory, so that one
 * that was killed is followed by another that goes on with it.
 */
struct cgroupfs {
	char directory[PATH_MAX - 16]; /* ours, with what follows in it; "" until it is made */
	char mount[PATH_MAX]; /* where it is mounted */
	int program; /* O_PATH, the caller's */
	bool unified; /* of cgroup v2 */
	int log; /* what it writes to standard error, in memory: the disk may be what it complains of; -1 */
	int news; /* a pipe that it is to read from, of forks and exits (task_news.h); -1 */
	int starter; /* who starts it (starter.h); -1 */
	int pidfd; /* readable once it has ended; -1: it does not run */
};

/*
 * Finds the daemon's program, beside ours or in PATH: *program is O_PATH. False, and said why on standard
 * error.
 */
bool cgroupfs_find(int *program);

/*
 * Starts that program, for cgroup v2 when `unified`, and waits until it serves. It ends when the calling
 * thread does. `news` is -1, or what it reads of forks and exits, and those that follow it; it is closed
 * here. False, and said why on standard error.
 */
bool cgroupfs_start(struct cgroupfs *cgroupfs, int program, bool unified, int news);

/* Takes its mount out of sight: what is bound elsewhere goes on. */
void cgroupfs_hide(struct cgroupfs *cgroupfs);

/* After it has ended: starts another. */
bool cgroupfs_restart(struct cgroupfs *cgroupfs);

/* Ends it, in order, and removes its directory. */
void cgroupfs_stop(struct cgroupfs *cgroupfs);

#endif
