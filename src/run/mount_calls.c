/* SPDX-License-Identifier: MIT */
/* What the calls that mount share. */
#include "mount_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attributes.h"
#include "calls.h"
#include "identity.h"
#include "mounts.h"
#include "peer.h"
#include "redirect.h"
#include "restricted.h"
#include "rights.h"
#include "view.h"

bool mount_is_cgroup_type(const char *type)
{
	return !strcmp(type, "cgroup") || !strcmp(type, "cgroup2") || !strcmp(type, "cpuset");
}

int mount_open_at(const struct call *call, int dirfd, const char *path, bool may_be_empty)
{
	if (!*path && may_be_empty)
		return dirfd == AT_FDCWD ? place_start(call->peer, dirfd)
					 : peer_file(call->peer, dirfd);
	return place_open(call->peer, dirfd, path);
}

void mount_give_file(struct answer *answer, int file, bool close_on_exec)
{
	if (file < 0) {
		answer_value(answer, file);
		return;
	}
	answer->kind = ANSWER_FILE;
	answer->file = file;
	answer->close_on_exec = close_on_exec;
	answer->closed_first = true;
}

bool mount_is_led(const struct calls_context *context, const struct call *call, const char *path,
		  char within[PATH_MAX])
{
	char target[PATH_MAX];
	size_t len;

	if (!context->redirect || !redirect_path_of(context->view, call->peer, path, target))
		return false;
	strcpy(within, target + strlen(context->view->mount));
	for (len = strlen(within); len && within[len - 1] == '/'; len--)
		within[len - 1] = '\0';
	return true;
}

int mount_led_hierarchy(const struct calls_context *context, const char *within)
{
	const struct view *view = context->view;

	if (view->unified)
		return strcmp(within, view->prefix) ? -1 : 0;
	for (unsigned i = 0; *within && i < view->count; i++) {
		size_t len = strlen(view->hierarchies[i].name);

		if (!strncmp(within + 1, view->hierarchies[i].name, len) &&
		    !strcmp(within + 1 + len, view->prefix))
			return (int)i;
	}
	return -1;
}

int mount_led_open(const struct calls_context *context, const struct call *call, const char *within,
		   int flags)
{
	char path[PATH_MAX];
	int file;

	if (snprintf(path, sizeof(path), "%s%s", context->view->mount, within) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = is_restricted(call->peer) ? -EACCES : identity_take_of(call->peer);
	if (file)
		return file;
	file = open(path, flags | O_CLOEXEC);
	if (file < 0)
		file = -errno;
	identity_return();
	return file;
}

int mount_led_error(const struct calls_context *context, const struct call *call, const char *within)
{
	int file;

	if (is_restricted(call->peer))
		return 0;
	file = mount_led_open(context, call, within, O_PATH);
	if (file >= 0)
		close(file);
	return file < 0 ? file : 0;
}

static bool is_cover(const struct calls_context *context, const struct call *call, int file)
{
	char root[PATH_MAX], point[PATH_MAX];
	struct mount_identity identity;
	struct statx about;

	return !statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &about) &&
	       makedev(about.stx_dev_major, about.stx_dev_minor) == context->view->cover &&
	       mounts_identify(file, &identity) && identity.is_root &&
	       mounts_find(call->peer, identity.id, root, point) &&
	       mounts_has_kernels(call->peer, point);
}

bool mount_has_cover(const struct calls_context *context, const struct call *call, int dirfd,
		     const char *path, bool may_be_empty)
{
	int file;
	bool has;

	if (!context->view->cover)
		return false;
	context->before_waiting();
	file = mount_open_at(call, dirfd, path, may_be_empty);
	has = file >= 0 && is_cover(context, call, file);
	if (file >= 0)
		close(file);
	return has;
}

int mount_refuse(const struct call *call, int error)
{
	return rights_over(call->peer, "mnt") ? error : -EPERM;
}

uint64_t mount_attributes(unsigned long flags)
{
	uint64_t attributes = attributes_of_flags(flags);

	attributes |= flags & MS_NOSYMFOLLOW ? MOUNT_ATTR_NOSYMFOLLOW : 0;
	if (flags & MS_STRICTATIME)
		attributes |= MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attributes |= MOUNT_ATTR_NOATIME;
	return attributes; /* MOUNT_ATTR_RELATIME is 0 */
}

int mount_data(const struct call *call, char data[PATH_MAX])
{
	data[0] = '\0';
	if (call->arguments[4] &&
	    peer_read_string(call->peer, call->arguments[4], data, PATH_MAX))
		return -EFAULT;
	return 0;
}
