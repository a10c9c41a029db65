/* SPDX-License-Identifier: MIT */
/* fsopen(2), fspick(2), fsconfig(2) and fsmount(2) of our hierarchies. Source: fs/fsopen.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "fs_context.h"
#include "hierarchies.h"
#include "kept.h"
#include "mount_calls.h"
#include "mounts.h"
#include "peer.h"
#include "rights.h"
#include "view.h"

#define WORD_MAX 256 /* of a key or a string, with its NUL */

/* --- fsopen --- */

static int open_context(const struct calls_context *context, const struct call *call,
			const char *type, unsigned flags)
{
	struct fs_context new = {.phase = CONTEXT_CREATE, .hierarchy = -1};

	if (!rights_over(call->peer, "mnt"))
		return -EPERM;
	if (flags & ~FSOPEN_CLOEXEC)
		return -EINVAL;
	if (!strcmp(type, "cgroup2") != context->view->unified)
		return -ENODEV; /* a kernel that has none of the other version */
	if (!strcmp(type, "cpuset"))
		mount_options_cpuset(context->view, &new.options);
	return fs_context_new(&new);
}

void answer_fsopen(const struct calls_context *context, const struct call *call, char *path,
		   struct answer *answer)
{
	unsigned flags = (unsigned)call->arguments[1];

	if (call_path(call, 0, path) && mount_is_cgroup_type(path))
		mount_give_file(answer, open_context(context, call, path, flags), flags & FSOPEN_CLOEXEC);
}

/* --- fspick --- */

static int new_pick(int hierarchy, uint64_t mount)
{
	if (hierarchy < 0)
		return -EBUSY; /* the top, as its remount */
	return fs_context_new(&(struct fs_context){
		.phase = CONTEXT_CHANGE, .hierarchy = hierarchy, .mount = mount});
}

static int pick_target(const struct calls_context *context, const struct call *call, int target)
{
	struct mount_identity identity;
	struct statx about;

	if (!view_has(context->view, target, &about))
		return TO_KERNEL;
	if (!mounts_identify(target, &identity) || !identity.is_root)
		return -EINVAL;
	return new_pick(mounts_hierarchy(context->view, call->peer, target), identity.id);
}

static int pick_led(const struct calls_context *context, const struct call *call, const char *within)
{
	int hierarchy = mount_led_hierarchy(context, within), error = mount_led_error(context, call, within);

	if (error)
		return error;
	return hierarchy < 0 && *within ? -EINVAL : new_pick(hierarchy, 0);
}

static int pick(const struct calls_context *context, const struct call *call, char *path, unsigned flags)
{
	const unsigned known = FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT |
			       FSPICK_EMPTY_PATH;
	char within[PATH_MAX];
	int target, result;

	if (!call_path(call, 1, path) || flags & ~known || !rights_over(call->peer, "mnt"))
		return TO_KERNEL; /* it says why */
	if (mount_is_led(context, call, path, within))
		return pick_led(context, call, within);
	context->before_waiting();
	target = mount_open_at(call, (int)call->arguments[0], path, flags & FSPICK_EMPTY_PATH);
	if (target < 0)
		return TO_KERNEL;
	result = pick_target(context, call, target);
	close(target);
	return result;
}

void answer_fspick(const struct calls_context *context, const struct call *call, char *path,
		   struct answer *answer)
{
	unsigned flags = (unsigned)call->arguments[2];
	int result = pick(context, call, path, flags);

	if (result != TO_KERNEL)
		mount_give_file(answer, result, flags & FSPICK_CLOEXEC);
}

/* --- fsconfig --- */

/* One parameter. Its value, if it is no string, is of no use here, whatever it is. */
static int set(const struct calls_context *context, const struct call *call,
	       struct fs_context *fs_context)
{
	char key[WORD_MAX], value[WORD_MAX] = "";
	enum value_kind kind = VALUE_OTHER;
	uint32_t agent = fs_context->options.agent;
	int error;

	if (fs_context->phase != CONTEXT_CREATE && fs_context->phase != CONTEXT_CHANGE)
		return -EBUSY;
	error = peer_read_string(call->peer, call->arguments[2], key, sizeof(key));
	if (call->arguments[1] == FSCONFIG_SET_FLAG) {
		kind = VALUE_NONE;
	} else if (call->arguments[1] == FSCONFIG_SET_STRING) {
		kind = VALUE_STRING;
		if (!error)
			error = peer_read_string(call->peer, call->arguments[3], value, sizeof(value));
	}
	if (error)
		return error == -ENAMETOOLONG ? -EINVAL : error;
	error = mount_options_take(context->view, &fs_context->options, key, kind, value);
	/* It would run with all rights. */
	if (!error && fs_context->options.agent != agent && !rights_of_admin(call->peer))
		error = -EINVAL;
	return error;
}

static int create(const struct calls_context *context, const struct call *call,
		  struct fs_context *fs_context)
{
	int hierarchy;

	if (fs_context->phase != CONTEXT_CREATE)
		return -EBUSY;
	if (!rights_over(call->peer, "cgroup"))
		return -EPERM;
	hierarchy = hierarchies_choose(context->view, call->peer, &fs_context->options);
	if (hierarchy >= 0 && call->arguments[1] != FSCONFIG_CMD_CREATE)
		hierarchy = -EBUSY; /* FSCONFIG_CMD_CREATE_EXCL: it is there already */
	fs_context->phase = hierarchy < 0 ? CONTEXT_FAILED : CONTEXT_MOUNT;
	if (hierarchy < 0)
		return hierarchy;
	fs_context->hierarchy = hierarchy;
	hierarchies_apply(context->view, call->peer, &fs_context->options);
	return 0;
}

/* The root of the mount of this number, which is the task's: O_PATH or a negative errno. */
static int open_mount(const struct peer *peer, uint64_t id)
{
	char root[PATH_MAX], point[PATH_MAX];
	struct mount_identity identity;
	int file = kept_find(id);

	if (file >= 0)
		return file;
	if (!mounts_find(peer, id, root, point))
		return -EBUSY;
	file = place_open(peer, AT_FDCWD, point);
	if (file < 0 || (mounts_identify(file, &identity) && identity.id == id))
		return file;
	close(file); /* something is mounted on it */
	return -EBUSY;
}

static int reconfigure(const struct calls_context *context, const struct call *call,
		       struct fs_context *fs_context)
{
	const struct mount_options *options = &fs_context->options;
	int mount = -1, error = 0;

	if (fs_context->phase != CONTEXT_CHANGE || fs_context->hierarchy < 0)
		return -EBUSY;
	if (options->access && fs_context->mount)
		mount = open_mount(call->peer, fs_context->mount);
	if (options->access && fs_context->mount && mount < 0)
		error = mount;
	if (!error)
		error = hierarchies_remount(context->view, call->peer,
					    (unsigned)fs_context->hierarchy, options, mount, NULL);
	if (mount >= 0)
		close(mount);
	fs_context->options = (struct mount_options){0};
	fs_context->phase = error ? CONTEXT_FAILED : CONTEXT_CHANGE;
	return error;
}

#ifndef FSCONFIG_CMD_CREATE_EXCL /* Linux 6.6 */
#define FSCONFIG_CMD_CREATE_EXCL 8
#endif

static int configure(const struct calls_context *context, const struct call *call,
		     struct fs_context *fs_context)
{
	switch ((unsigned)call->arguments[1]) {
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
		return create(context, call, fs_context);
	case FSCONFIG_CMD_RECONFIGURE:
		return reconfigure(context, call, fs_context);
	default:
		return set(context, call, fs_context);
	}
}

/* Whether the kernel has no fault to find with the arguments, as SYSCALL_DEFINE5(fsconfig) looks at them. */
static bool is_well_formed(const struct call *call)
{
	bool key = call->arguments[2], value = call->arguments[3];
	int aux = (int)call->arguments[4];

	switch ((unsigned)call->arguments[1]) {
	case FSCONFIG_SET_FLAG:
		return key && !value && !aux;
	case FSCONFIG_SET_STRING:
		return key && value && !aux;
	case FSCONFIG_SET_BINARY:
		return key && value && aux > 0 && aux <= 1024 * 1024;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		return key && value && (aux == AT_FDCWD || aux >= 0);
	case FSCONFIG_SET_FD:
		return key && !value && aux >= 0;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
	case FSCONFIG_CMD_RECONFIGURE:
		return !key && !value && !aux;
	default:
		return false;
	}
}

void answer_fsconfig(const struct calls_context *context, const struct call *call, char *path,
		     struct answer *answer)
{
	struct fs_context fs_context;
	int file, result, error;

	snprintf(path, PATH_MAX, "%d, %u", (int)call->arguments[0], (unsigned)call->arguments[1]);
	file = is_well_formed(call) ? fs_context_read(context->view, call->peer,
						      (int)call->arguments[0], &fs_context)
				    : -ENOENT;
	if (file < 0)
		return; /* another's, or none */
	context->before_waiting();
	result = configure(context, call, &fs_context);
	error = fs_context_write(file, &fs_context);
	close(file);
	answer_value(answer, result ? result : error);
}

/* --- fsmount --- */

static int mount_context(const struct calls_context *context, const struct call *call,
			 struct fs_context *fs_context, uint64_t attributes)
{
	struct mount_identity identity;
	int mount;

	if (fs_context->hierarchy < 0)
		return -EINVAL;
	if (fs_context->phase != CONTEXT_MOUNT)
		return -EBUSY;
	mount = hierarchies_mount(context->view, call->peer, (unsigned)fs_context->hierarchy,
				  attributes);
	if (mount < 0)
		return mount;
	fs_context->phase = CONTEXT_CHANGE;
	fs_context->options = (struct mount_options){0};
	fs_context->mount = mounts_identify(mount, &identity) ? identity.id : 0;
	return kept_add(call->peer, mount);
}

static bool are_attributes(uint64_t attributes)
{
	const uint64_t known = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW |
			       MOUNT_ATTR__ATIME;
	uint64_t atime = attributes & MOUNT_ATTR__ATIME;

	return !(attributes & ~known) && (atime == MOUNT_ATTR_RELATIME || atime == MOUNT_ATTR_NOATIME ||
					  atime == MOUNT_ATTR_STRICTATIME);
}

void answer_fsmount(const struct calls_context *context, const struct call *call, char *path,
		    struct answer *answer)
{
	unsigned flags = (unsigned)call->arguments[1], attributes = (unsigned)call->arguments[2];
	struct fs_context fs_context;
	int file, result;

	snprintf(path, PATH_MAX, "%d", (int)call->arguments[0]);
	if (flags & ~FSMOUNT_CLOEXEC || !are_attributes(attributes) || !rights_over(call->peer, "mnt"))
		return; /* the kernel says why */
	file = fs_context_read(context->view, call->peer, (int)call->arguments[0], &fs_context);
	if (file < 0)
		return;
	context->before_waiting();
	result = mount_context(context, call, &fs_context, attributes);
	if (result >= 0)
		fs_context_write(file, &fs_context);
	close(file);
	mount_give_file(answer, result, flags & FSMOUNT_CLOEXEC);
}
