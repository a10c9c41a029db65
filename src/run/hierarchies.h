/* SPDX-License-Identifier: MIT */
#ifndef RUN_HIERARCHIES_H
#define RUN_HIERARCHIES_H

#include <stdbool.h>
#include <stdint.h>

struct mount_attr;
struct mount_options;
struct peer;
struct view;

/*
 * The hierarchies as mount(2) and the newer calls have them, each by its number in the view. All wait for
 * the daemon.
 */

/* That which the options mean to the task, or the kernel's error. */
int hierarchies_choose(struct view *view, const struct peer *peer, const struct mount_options *options);

/*
 * v2 was mounted with them, or remounted: they hold in place of those of before (apply_cgroup_root_flags).
 * Those of another cgroup namespace than the first do not.
 */
void hierarchies_apply(struct view *view, const struct peer *peer, const struct mount_options *options);

/*
 * A mount of it from the root that the task's cgroup namespace has, with these MOUNT_ATTR_, attached nowhere:
 * a descriptor, or a negative errno.
 */
int hierarchies_mount(struct view *view, const struct peer *peer, unsigned hierarchy,
		      uint64_t attributes);

/*
 * Remounts it by the task's order: at the O_PATH descriptor `mount` of one of its mounts (-1: it has none,
 * with --redirect) `attributes` are changed too, which may be NULL. The kernel would make the filesystem
 * read-only: here it is this mount, and those made later. 0 or the kernel's error. Source: do_remount of
 * fs/namespace.c.
 */
int hierarchies_remount(struct view *view, const struct peer *peer, unsigned hierarchy,
			const struct mount_options *options, int mount,
			const struct mount_attr *attributes);

#endif
