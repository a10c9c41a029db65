/* SPDX-License-Identifier: MIT */
/* Remounts of our hierarchies. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "calls.h"
#include "hierarchies.h"
#include "mount_calls.h"
#include "mount_options.h"
#include "mounts.h"
#include "rights.h"
#include "view.h"

#define ATIME (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)

static int take_data(const struct calls_context *context, const struct call *call,
		     struct mount_options *options)
{
	char data[PATH_MAX];
	int error = mount_data(call, data);

	return error ? error : mount_options_take_all(context->view, options, data);
}

/* What the flags make of the mount; those of access times it keeps where none is given, as path_mount(). */
static struct mount_attr changed_attributes(unsigned long flags)
{
	struct mount_attr attributes = {
		.attr_set = mount_attributes(flags),
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW,
	};

	if (flags & ATIME)
		attributes.attr_clr |= MOUNT_ATTR_NODIRATIME | MOUNT_ATTR__ATIME;
	return attributes;
}

static int remount_hierarchy(const struct calls_context *context, const struct call *call,
			     int hierarchy, int mount, unsigned long flags)
{
	struct mount_attr attributes = changed_attributes(flags);
	struct mount_options options = {0};
	int error = take_data(context, call, &options);

	if (error)
		return error;
	return hierarchies_remount(context->view, call->peer, (unsigned)hierarchy, &options, mount,
				   &attributes);
}

int remount_target(const struct calls_context *context, const struct call *call, int target,
		   unsigned long flags)
{
	struct mount_identity identity;
	struct statx about;
	int hierarchy;

	if (!view_has(context->view, target, &about))
		return TO_KERNEL;
	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	if (!mounts_identify(target, &identity) || !identity.is_root)
		return -EINVAL;
	hierarchy = mounts_hierarchy(context->view, call->peer, target);
	if (hierarchy < 0)
		return -EBUSY; /* the top: as good as a tmpfs that is written to */
	return remount_hierarchy(context, call, hierarchy, target, flags);
}

int remount_led(const struct calls_context *context, const struct call *call, const char *within,
		unsigned long flags)
{
	int hierarchy = mount_led_hierarchy(context, within);

	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	if (hierarchy < 0)
		return strcmp(within, "") ? -EINVAL : -EBUSY;
	context->before_waiting();
	return remount_hierarchy(context, call, hierarchy, -1, flags);
}
