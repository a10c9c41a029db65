/* SPDX-License-Identifier: MIT */
#ifndef RUN_NAMESPACE_H
#define RUN_NAMESPACE_H

#include <stdbool.h>
#include <sys/types.h>

struct view;

/*
 * The private mount namespace that the command runs in. All functions say
 * what is wrong on standard error when they fail. Sources: mount_namespaces(7),
 * user_namespaces(7).
 */

/*
 * Puts the calling process into a mount namespace of its own; where it may not, into a user
 * namespace too, in which it is who it was. Single-threaded callers only. False: it cannot be had.
 */
bool namespace_enter(void);

/*
 * The directory to be mounted on, without symbolic links, in `real` (of PATH_MAX bytes). False: it is not
 * there.
 */
bool namespace_find(const char *at, char *real);

/* Whether `path` is `directory` or below it. */
bool namespace_is_below(const char *path, const char *directory);

/*
 * Puts the tree on `at`, in place of the kernel's cgroups there: of v1 a tmpfs with a bind mount of each
 * hierarchy of `fuse` (a directory with our mount), of v2 a bind mount of it, seen from the view's prefix.
 * The view learns whether it covers something (`cover`).
 */
bool namespace_mount(struct view *view, const char *fuse, const char *at);

/*
 * The hierarchies again, of a FUSE mount that came in place of one that has died, which was of the device
 * `before`: where that one is still seen.
 */
void namespace_mount_again(struct view *view, const char *fuse, const char *at, dev_t before);

#endif
