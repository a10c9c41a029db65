/* SPDX-License-Identifier: MIT */
/* open_tree(2), move_mount(2), mount_setattr(2) and umount2(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "kept.h"
#include "mount_calls.h"
#include "mounts.h"
#include "peer.h"
#include "rights.h"
#include "view.h"

/* What the supervisor keeps for the descriptor that is the call's first argument; else a negative errno. */
static int find_kept(const struct call *call)
{
	struct mount_identity identity;
	int file = peer_file(call->peer, (int)call->arguments[0]), mount;

	if (file < 0)
		return file;
	mount = mounts_identify(file, &identity) ? kept_find(identity.id) : -ENOENT;
	close(file);
	return mount;
}

/*
 * --- open_tree, open_tree_attr: of what is led to the tree, or is ours and detached; the rest is mounted ---
 */

#define OPEN_TREE_KNOWN                                                                     \
	(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |             \
	 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)

/* open_tree_attr(2)'s attributes, none for open_tree(2). Source: SYSCALL_DEFINE5(open_tree_attr). */
static int fetch_attributes(const struct call *call, struct mount_attr *attributes)
{
	uint64_t address = call->arguments[3], size = call->arguments[4];

	*attributes = (struct mount_attr){0};
	if (call->number == __NR_open_tree || !address)
		return 0;
	if (size != sizeof(*attributes))
		return size < sizeof(*attributes) ? -EINVAL : -E2BIG;
	if (peer_read(call->peer, address, attributes, sizeof(*attributes)))
		return -EFAULT;
	/* Cgroups cannot be mounted so; the descriptor in there would be another one here. */
	return (attributes->attr_set | attributes->attr_clr) & MOUNT_ATTR_IDMAP ? -EINVAL : 0;
}

static int clone_led(const struct calls_context *context, const struct call *call, const char *within)
{
	struct mount_attr attributes;
	int error, file, mount;

	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	error = fetch_attributes(call, &attributes);
	if (error)
		return error;
	file = mount_led_open(context, call, within, O_PATH);
	if (file < 0)
		return file; /* the task may not go there */
	close(file);
	mount = mounts_clone(context->view, within, &attributes);
	return mount < 0 ? mount : kept_add(call->peer, mount);
}

static int open_tree_led(const struct calls_context *context, const struct call *call,
			 const char *within)
{
	unsigned flags = (unsigned)call->arguments[2];

	if (flags & ~OPEN_TREE_KNOWN || (flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) == AT_RECURSIVE)
		return -EINVAL;
	context->before_waiting();
	if (flags & OPEN_TREE_CLONE)
		return clone_led(context, call, within);
	return mount_led_open(context, call, within, O_RDONLY);
}

static int clone_kept(const struct calls_context *context, const struct call *call)
{
	struct mount_attr attributes;
	int mount = find_kept(call), error, clone;

	if (mount < 0)
		return TO_KERNEL;
	error = rights_over(call->peer, "mnt") ? fetch_attributes(call, &attributes) : -EPERM;
	if (!error)
		context->before_waiting();
	clone = error ? error : mounts_clone_again(context->view, mount, &attributes);
	close(mount);
	return clone < 0 ? clone : kept_add(call->peer, clone);
}

void answer_open_tree(const struct calls_context *context, const struct call *call, char *path,
		      struct answer *answer)
{
	const unsigned detached = AT_EMPTY_PATH | OPEN_TREE_CLONE;
	unsigned flags = (unsigned)call->arguments[2];
	int file = TO_KERNEL;
	char within[PATH_MAX];

	if (!call_path(call, 1, path))
		return;
	if (mount_is_led(context, call, path, within))
		file = open_tree_led(context, call, within);
	else if (!*path && (flags & detached) == detached && !(flags & ~OPEN_TREE_KNOWN))
		file = clone_kept(context, call);
	if (file != TO_KERNEL)
		mount_give_file(answer, file, flags & OPEN_TREE_CLOEXEC);
}

/* Who may not mount is told that first; then what is wrong with the path that is led, or `error`. */
static int refuse_led(const struct calls_context *context, const struct call *call, const char *within,
		      int error)
{
	int wrong = mount_led_error(context, call, within);

	return mount_refuse(call, wrong ? wrong : error);
}

/* --- mount_setattr --- */

void answer_mount_setattr(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	char within[PATH_MAX];

	if (call_path(call, 1, path) && mount_is_led(context, call, path, within))
		/* of a mount, and there is none */
		answer_value(answer, refuse_led(context, call, within, -EINVAL));
}

/* --- move_mount --- */

#define WALKING (MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_F_AUTOMOUNTS | MOVE_MOUNT_F_EMPTY_PATH | \
		 MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_T_AUTOMOUNTS | MOVE_MOUNT_T_EMPTY_PATH)

static int attach_kept(const struct call *call, int mount, const char *to)
{
	unsigned flags = (unsigned)call->arguments[4];
	int target, error;

	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	target = mount_open_at(call, (int)call->arguments[2], to, flags & MOVE_MOUNT_T_EMPTY_PATH);
	if (target < 0)
		return target;
	error = mounts_attach(call->peer, mount, target, flags & ~(unsigned)WALKING);
	close(target);
	return error;
}

/* One of its two paths. NULL is as good as an empty one where that may be. Source: getname_maybe_null(). */
static bool fetch_end(const struct call *call, unsigned argument, unsigned may_be_empty, char *path)
{
	*path = '\0';
	return (!call->arguments[argument] && call->arguments[4] & may_be_empty) ||
	       call_path(call, argument, path);
}

static int move(const struct calls_context *context, const struct call *call, char *from)
{
	char to[PATH_MAX], within[PATH_MAX];
	int mount, result;

	if (!fetch_end(call, 1, MOVE_MOUNT_F_EMPTY_PATH, from) ||
	    !fetch_end(call, 3, MOVE_MOUNT_T_EMPTY_PATH, to))
		return TO_KERNEL;
	if (mount_is_led(context, call, to, within))
		return refuse_led(context, call, within, -EBUSY);
	if (mount_is_led(context, call, from, within))
		return refuse_led(context, call, within, -EINVAL);
	if (mount_has_cover(context, call, (int)call->arguments[0], from,
			    call->arguments[4] & MOVE_MOUNT_F_EMPTY_PATH))
		return mount_refuse(call, -EINVAL);
	mount = *from || !(call->arguments[4] & MOVE_MOUNT_F_EMPTY_PATH) ? -ENOENT : find_kept(call);
	if (mount < 0)
		return TO_KERNEL;
	context->before_waiting();
	result = attach_kept(call, mount, to);
	close(mount);
	kept_sweep();
	return result;
}

void answer_move_mount(const struct calls_context *context, const struct call *call, char *path,
		       struct answer *answer)
{
	int result = move(context, call, path);

	if (result != TO_KERNEL)
		answer_value(answer, result);
}

/* --- umount2 --- */

/*
 * MNT_FORCE would take the one filesystem from everybody, and is of no use on the kernel's: 0, and the mount
 * is to be taken away without it. Source: can_umount(), do_umount().
 */
static int unmount_by_force(const struct calls_context *context, const struct call *call,
			    const struct place *place)
{
	struct mount_identity identity;
	struct statx about;

	if (place->fd < 0 || !view_has(context->view, place->fd, &about))
		return TO_KERNEL;
	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	if (!mounts_identify(place->fd, &identity) || !identity.is_root)
		return -EINVAL;
	if (!rights_of_admin(call->peer))
		return -EPERM;
	return call->arguments[1] & MNT_EXPIRE ? -EINVAL : 0;
}

/* With --redirect, where the path is led: what is there is not to be taken away. */
static int unmount_led(const struct calls_context *context, const struct call *call, const char *within)
{
	int error = mount_led_error(context, call, within);

	if (error)
		return error;
	return mount_refuse(call, mount_led_hierarchy(context, within) < 0 && *within ? -EINVAL : -EBUSY);
}

static int unmount(const struct calls_context *context, const struct call *call, char *path)
{
	const int known = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;
	int flags = (int)call->arguments[1], result;
	char within[PATH_MAX];
	struct place place;

	kept_sweep(); /* what the task has attached by a path it may take away */
	if (!call_path(call, 0, path) || flags & ~known)
		return TO_KERNEL;
	if (mount_is_led(context, call, path, within))
		return unmount_led(context, call, within);
	if (mount_has_cover(context, call, AT_FDCWD, path, false))
		return mount_refuse(call, -EINVAL);
	if (!(flags & MNT_FORCE))
		return TO_KERNEL;
	context->before_waiting();
	if (place_find(call->peer, AT_FDCWD, path, &place))
		return TO_KERNEL;
	result = unmount_by_force(context, call, &place);
	if (!result && place.parent >= 0) {
		close(place.fd);
		place.fd = -1; /* it would be busy */
	}
	if (!result)
		result = mounts_unmount(call->peer, &place, flags & ~MNT_FORCE);
	place_close(&place);
	return result;
}

void answer_umount(const struct calls_context *context, const struct call *call, char *path,
		   struct answer *answer)
{
	int result = unmount(context, call, path);

	if (result != TO_KERNEL)
		answer_value(answer, result);
}
