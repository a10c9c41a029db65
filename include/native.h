/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own cgroups of version 1, where a sandbox or a machine has some of them: a directory of theirs
 * below each cgroup of ours. Sources: docs/gvisor.md for gVisor's, else
 * Documentation/admin-guide/cgroup-v1.
 *
 * Only the thread that removes waits for gVisor's lock of all mounts, and who makes a directory while it
 * does. All else goes by files that were opened when the directory was made, which waits for nobody.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All hierarchies that are backed. Thread-safe, as everything here is. */
struct native;
/* The kernel's cgroup below one of ours. */
struct native_dir;

/*
 * Counters that they have: cpuacct.usage, usage_user and usage_sys in ns, and both lines of cpuacct.stat in
 * ticks of USER_HZ, which Linux counts otherwise.
 */
enum native_figure {
	NATIVE_CPU, NATIVE_CPU_USER, NATIVE_CPU_SYSTEM, NATIVE_TICKS_USER, NATIVE_TICKS_SYSTEM, NATIVE_FIGURES
};

/* What can be set: pids.max, cpu.shares, cpu.cfs_quota_us, cpu.cfs_period_us, memory.limit_in_bytes. */
enum native_setting {
	NATIVE_PIDS_MAX, NATIVE_CPU_SHARES, NATIVE_CPU_QUOTA, NATIVE_CPU_PERIOD, NATIVE_MEMORY_LIMIT,
	NATIVE_SETTINGS
};

/*
 * Backs none yet. `forgets`: a directory that is removed takes what was counted in it from those above
 * (gVisor). NULL: no memory, or no thread. native_free() moves all tasks to the roots, and removes all
 * that was made; NULL is fine.
 */
struct native *native_new(bool forgets);
void native_free(struct native *native);

/*
 * The root of the hierarchy of controller `name`: DIRECTORY/name, where that is a mount of cgroup v1, or, if
 * `directory` is NULL, a mount that nobody sees and that ends with us. Owned by `native`. 0, or why not:
 * -ENOENT, -ENODEV, -EINVAL: there is no such; -EPERM: it may not be mounted; -EBUSY: it is together with
 * another one; mount(2), open(2).
 */
int native_back(struct native *native, const char *directory, const char *name, struct native_dir **root);

/*
 * The root's path in its hierarchy, as /proc/PID/cgroup has it for us: "/" where it is the hierarchy's own.
 * NULL: no process may be put there to see. Ends with the root.
 */
const char *native_place(const struct native_dir *root);
/*
 * In the lines of /proc/PID/cgroup the path of the controller's hierarchy, which is *len bytes long. NULL: it
 * is not there. cgroups(7).
 */
const char *native_path(const char *lines, const char *controller, size_t *len);

/*
 * Makes a cgroup in `parent`. 0, -EBUSY: one of that name is there that has tasks and is none of ours;
 * -ENOSPC: its files would be more than a third of those that we may have open; mkdir(2). The caller gives it
 * to native_remove().
 */
int native_make(struct native_dir *parent, const char *name, struct native_dir **made);
/* Has it removed soon, after those below it; tasks that are in it go to its parent. Waits for nobody. */
void native_remove(struct native_dir *dir);
/* Holds it beside its owner, and lets it go; both take NULL. */
struct native_dir *native_get(struct native_dir *dir);
void native_put(struct native_dir *dir);

/* Moves a task of our pid namespace, or its whole process, into it. 0, -ESRCH, write(2). */
int native_attach(const struct native_dir *dir, pid_t number, bool process);
/* Whether it has live tasks, as far as our pid namespace sees them. */
bool native_is_busy(const struct native_dir *dir);
/* Sets a limit as its file takes it; PIDS_MAX below 0: none. 0, -ENOENT: it has no such; write(2). */
int native_set(const struct native_dir *dir, enum native_setting setting, int64_t value);

/*
 * Counters of the directory and all that is and ever was below it: `count` of them, in enum's order, which
 * one file has. They never go back but by a reset. False: the hierarchy has no such.
 */
bool native_figures(struct native_dir *dir, enum native_figure first, unsigned count, uint64_t values[]);
/* Its counters are 0 now; those of its parent stay. */
void native_reset(struct native_dir *dir);

#endif
