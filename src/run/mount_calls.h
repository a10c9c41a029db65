/* SPDX-License-Identifier: MIT */
#ifndef RUN_MOUNT_CALLS_H
#define RUN_MOUNT_CALLS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct answer;
struct call;
struct calls_context;

/*
 * The calls that mount, as rows of the table have them (struct trap). Sources: fs/namespace.c, fs/fsopen.c.
 */
typedef void mount_call(const struct calls_context *context, const struct call *call, char *path,
			struct answer *answer);
mount_call answer_mount, answer_umount;
mount_call answer_fsopen, answer_fspick, answer_fsconfig, answer_fsmount;
mount_call answer_open_tree, answer_move_mount, answer_mount_setattr;

/* --- what they share --- */

/* A result that no call has, no descriptor and no errno: the kernel is to make the call. */
#define TO_KERNEL INT_MIN

/* Of a filesystem that is the kernel's cgroups. */
bool mount_is_cgroup_type(const char *type);

/* O_PATH of what there is at the task's path; where it may be empty, of the directory itself. */
int mount_open_at(const struct call *call, int dirfd, const char *path, bool may_be_empty);

/* The answer is this file, or the error that it is. */
void mount_give_file(struct answer *answer, int file, bool close_on_exec);

/*
 * Whether at the task's path is the mount that keeps what a user namespace has locked at the tree's place
 * out of sight: the kernel would have locked it too, and it cannot be taken away or moved (EINVAL). May wait.
 */
bool mount_has_cover(const struct calls_context *context, const struct call *call, int dirfd,
		     const char *path, bool may_be_empty);

/* mount(2)'s MS_ flags as MOUNT_ATTR_. Source: path_mount() of fs/namespace.c. */
uint64_t mount_attributes(unsigned long flags);

/* mount(2)'s data, in `data`. 0 or a negative errno. */
int mount_data(const struct call *call, char data[PATH_MAX]);

/* mount(2) with MS_REMOUNT and without MS_BIND, of the file at `target` (O_PATH), if that is ours. */
int remount_target(const struct calls_context *context, const struct call *call, int target,
		   unsigned long flags);

/* The same of a path that leads to the tree. */
int remount_led(const struct calls_context *context, const struct call *call, const char *within,
		unsigned long flags);

/*
 * --redirect: whether the task's path leads to the tree, which is shown as if it were mounted there;
 * `within` is then the path from the FUSE mount's top ("/cpu/a", or "" of the top).
 */
bool mount_is_led(const struct calls_context *context, const struct call *call, const char *path,
		  char within[PATH_MAX]);

/* The number of the hierarchy that is shown mounted there; -1: none, or it is the top. */
int mount_led_hierarchy(const struct calls_context *context, const char *within);

/* Opens it with the task's rights. A descriptor or a negative errno. */
int mount_led_open(const struct calls_context *context, const struct call *call, const char *within,
		   int flags);

/* What the kernel would say of the path alone: 0 or a negative errno; of a restricted task 0. */
int mount_led_error(const struct calls_context *context, const struct call *call, const char *within);

/*
 * What becomes of a call that cannot be made on such a path: EPERM for whoever may not mount, or the error.
 */
int mount_refuse(const struct call *call, int error);

#endif
