/* SPDX-License-Identifier: MIT */
/* mount(2): our hierarchies in place of the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "hierarchies.h"
#include "mount_calls.h"
#include "mount_options.h"
#include "mounts.h"
#include "peer.h"
#include "rights.h"
#include "view.h"

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define NO_NEW_MOUNT (MS_REMOUNT | MS_BIND | MS_MOVE | PROPAGATION)

/* Without the magic number that old programs add, as path_mount(). */
static unsigned long mount_flags(const struct call *call)
{
	unsigned long flags = call->arguments[3];

	return (flags & MS_MGC_MSK) == MS_MGC_VAL ? flags & ~(unsigned long)MS_MGC_MSK : flags;
}

/* --- a new mount --- */

/* Whether the hierarchy's root is mounted at the very place. Source: do_add_mount of fs/namespace.c. */
static bool is_there_already(const struct calls_context *context, const struct call *call, int target,
			     int hierarchy)
{
	struct mount_identity identity;
	struct statx about;

	return view_has(context->view, target, &about) && mounts_identify(target, &identity) &&
	       identity.is_root && mounts_hierarchy(context->view, call->peer, target) == hierarchy;
}

static int attach_hierarchy(const struct calls_context *context, const struct call *call, int target,
			    int hierarchy)
{
	uint64_t attributes = mount_attributes(mount_flags(call));
	int mount, error;

	if (!place_is_directory(target))
		return -ENOTDIR;
	if (is_there_already(context, call, target, hierarchy))
		return -EBUSY;
	mount = hierarchies_mount(context->view, call->peer, (unsigned)hierarchy, attributes);
	if (mount < 0)
		return mount;
	error = mounts_attach(call->peer, mount, target, 0);
	close(mount);
	return error;
}

static int mount_hierarchy(const struct calls_context *context, const struct call *call,
			   const char *type, int target)
{
	struct mount_options options = {.source = call->arguments[0] != 0};
	char data[PATH_MAX];
	int error, hierarchy;

	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	if (!strcmp(type, "cgroup2") != context->view->unified)
		return -ENODEV; /* a kernel that has none of the other version */
	if (!strcmp(type, "cpuset"))
		mount_options_cpuset(context->view, &options);
	error = mount_data(call, data);
	if (!error)
		error = mount_options_take_all(context->view, &options, data);
	if (error)
		return error;
	if (!rights_over(call->peer, "cgroup"))
		return -EPERM;
	hierarchy = hierarchies_choose(context->view, call->peer, &options);
	if (hierarchy < 0)
		return hierarchy;
	hierarchies_apply(context->view, call->peer, &options);
	return attach_hierarchy(context, call, target, hierarchy);
}

static int mount_new(const struct calls_context *context, const struct call *call, const char *path)
{
	char type[sizeof("cgroup2")];
	int target, error;

	if (peer_read_string(call->peer, call->arguments[2], type, sizeof(type)) ||
	    !mount_is_cgroup_type(type))
		return TO_KERNEL;
	context->before_waiting();
	target = place_open(call->peer, AT_FDCWD, path);
	if (target < 0)
		return target;
	error = mount_hierarchy(context, call, type, target);
	close(target);
	return error;
}

/* --- a bind mount, with --redirect --- */

static int bind(const struct calls_context *context, const struct call *call, const char *within,
		const char *path)
{
	const struct mount_attr attributes = {.propagation = MS_PRIVATE};
	int target, mount, error;

	context->before_waiting();
	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	mount = mount_led_open(context, call, within, O_PATH);
	if (mount < 0)
		return mount; /* the task may not go there */
	close(mount);
	target = place_open(call->peer, AT_FDCWD, path);
	if (target < 0)
		return target;
	mount = mounts_clone(context->view, within, &attributes);
	error = mount < 0 ? mount : 0;
	if (!error && place_is_directory(mount) != place_is_directory(target))
		error = -ENOTDIR;
	if (!error)
		error = mounts_attach(call->peer, mount, target, 0);
	if (mount >= 0)
		close(mount);
	close(target);
	return error;
}

/* --- a remount --- */

static int remount(const struct calls_context *context, const struct call *call, const char *path)
{
	int target, error;

	context->before_waiting();
	target = place_open(call->peer, AT_FDCWD, path);
	if (target < 0)
		return TO_KERNEL;
	error = remount_target(context, call, target, mount_flags(call));
	close(target);
	return error;
}

/* --- which of these it is --- */

static int mount_on_led(const struct calls_context *context, const struct call *call,
			const char *within, unsigned long flags)
{
	int error = mount_led_error(context, call, within);

	if (error)
		return error;
	if (!(flags & (MS_REMOUNT | PROPAGATION)))
		return mount_refuse(call, -EBUSY);
	if ((flags & (MS_REMOUNT | MS_BIND)) != MS_REMOUNT)
		return mount_refuse(call, -EINVAL); /* of a mount, and there is none */
	return remount_led(context, call, within, flags);
}

static int choose_mount(const struct calls_context *context, const struct call *call, char *path)
{
	unsigned long flags = mount_flags(call);
	char source[PATH_MAX], within[PATH_MAX];

	if (!call_path(call, 1, path))
		return TO_KERNEL;
	if (mount_is_led(context, call, path, within))
		return mount_on_led(context, call, within, flags);
	if (flags & MS_REMOUNT)
		return flags & MS_BIND ? TO_KERNEL : remount(context, call, path);
	if (flags & (MS_BIND | MS_MOVE) && call_path(call, 0, source)) {
		if (mount_is_led(context, call, source, within))
			return flags & MS_BIND ? bind(context, call, within, path)
					       : mount_refuse(call, -EINVAL);
		if (flags & MS_MOVE && mount_has_cover(context, call, AT_FDCWD, source, false))
			return mount_refuse(call, -EINVAL);
	}
	return flags & NO_NEW_MOUNT ? TO_KERNEL : mount_new(context, call, path);
}

void answer_mount(const struct calls_context *context, const struct call *call, char *path,
		  struct answer *answer)
{
	int result = choose_mount(context, call, path);

	if (result != TO_KERNEL)
		answer_value(answer, result);
}
