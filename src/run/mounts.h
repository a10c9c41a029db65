/* SPDX-License-Identifier: MIT */
#ifndef RUN_MOUNTS_H
#define RUN_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct mount_attr;
struct peer;
struct place;
struct view;

/*
 * Mounts of our tree: made, attached, changed and taken away in the mount namespace of the task that
 * asks. Who may, is asked before (rights.h).
 */

/*
 * A clone of what is at `path` in the FUSE mount ("/cpu/a"), with these attributes (mount_setattr(2)),
 * attached nowhere: O_PATH, or a negative errno. It comes from a mount that nobody else can cover or take
 * away.
 */
int mounts_clone(struct view *view, const char *path, const struct mount_attr *attributes);

/* The same of a clone, which Linux 6.15 was the first to clone. */
int mounts_clone_again(struct view *view, int mount, const struct mount_attr *attributes);

/* move_mount(2) of it onto `target` (O_PATH, in the task's mount namespace), with MOVE_MOUNT_ flags. */
int mounts_attach(const struct peer *peer, int mount, int target, unsigned flags);

/* mount_setattr(2) of the mount whose root is at the O_PATH descriptor. */
int mounts_change(const struct peer *peer, int mount, const struct mount_attr *attributes);

/* umount2(2), with MNT_ flags, of the mount that is at the place. */
int mounts_unmount(const struct peer *peer, const struct place *place, int flags);

/* Of the mount that an open file is in. */
struct mount_identity {
	uint64_t id; /* as in mountinfo */
	bool is_root; /* the file is its root */
};

/* False: the kernel does not tell. Source: statx(2), STATX_MNT_ID. */
bool mounts_identify(int file, struct mount_identity *identity);

/*
 * A mount that is attached in the task's mount namespace, by its number: the directory of its filesystem
 * that is its root, and where it is mounted, seen from the task's root. False: there is none.
 */
bool mounts_find(const struct peer *peer, uint64_t id, char root[PATH_MAX], char point[PATH_MAX]);

/* Whether the kernel's own cgroups are mounted, to the task's eyes, at this place or below it. */
bool mounts_has_kernels(const struct peer *peer, const char *point);

/* The number of the hierarchy that a file of our tree is in, by its mount; -1: none, as the top. */
int mounts_hierarchy(struct view *view, const struct peer *peer, int file);

#endif
