/* SPDX-License-Identifier: MIT */
/* Attributes of mounts. */
#include "attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The words of mount_setattr(2), mount(2) and statvfs(3). */
static const struct {
	unsigned attribute, flag, shown;
} words[] = {
	{MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY},
	{MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID},
	{MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV},
	{MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC},
	{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME},
	{MOUNT_ATTR_NOATIME, MS_NOATIME, ST_NOATIME},
};

#define WORDS (sizeof(words) / sizeof(words[0]))
#define PLAIN_WORDS (WORDS - 1) /* NOATIME, the last, is one of several in MOUNT_ATTR__ATIME */

uint64_t attributes_of_flags(unsigned long flags)
{
	uint64_t attributes = 0;

	for (unsigned i = 0; i < PLAIN_WORDS; i++)
		attributes |= flags & words[i].flag ? words[i].attribute : 0;
	return attributes;
}

unsigned long attributes_shown(uint64_t attributes)
{
	unsigned long shown = 0;

	for (unsigned i = 0; i < PLAIN_WORDS; i++)
		shown |= attributes & words[i].attribute ? words[i].shown : 0;
	return shown;
}

/* What the mount has, with the changes, for mount(2). */
static unsigned long changed(unsigned long shown, const struct mount_attr *attributes)
{
	unsigned long flags = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		bool is_set = shown & words[i].shown && !(attributes->attr_clr & words[i].attribute);

		if (is_set || attributes->attr_set & words[i].attribute)
			flags |= words[i].flag;
	}
	return flags;
}

static int remount(int file, const struct mount_attr *attributes)
{
	struct statvfs fs;

	if (!attributes->attr_set && !attributes->attr_clr)
		return 0; /* propagation: nobody shares what we make */
	if (fchdir(file) || fstatvfs(file, &fs) ||
	    mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | changed(fs.f_flag, attributes), NULL))
		return -errno;
	return 0;
}

static int set(int mount, const struct mount_attr *attributes)
{
	struct mount_attr copy = *attributes;

	return mount_setattr(mount, "", AT_EMPTY_PATH, &copy, sizeof(copy)) ? -errno : 0;
}

int attributes_set(int mount, const struct mount_attr *attributes)
{
	int error = set(mount, attributes);

	return error == -ENOSYS ? remount(mount, attributes) : error;
}

/* Only what is attached can be remounted: it is attached where nobody sees it, and cloned. */
static int remount_detached(int *mount, const struct mount_attr *attributes)
{
	int error, clone;

	if (unshare(CLONE_NEWNS) || move_mount(*mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return -errno;
	error = remount(*mount, attributes);
	if (error)
		return error;
	clone = open_tree(*mount, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0)
		return -errno;
	close(*mount);
	*mount = clone;
	return 0;
}

int attributes_set_detached(int *mount, const struct mount_attr *attributes)
{
	int error = set(*mount, attributes);

	if (error == -ENOSYS && (attributes->attr_set || attributes->attr_clr))
		error = remount_detached(mount, attributes);
	return error == -ENOSYS ? 0 : error;
}
