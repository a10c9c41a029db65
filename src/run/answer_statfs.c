/* SPDX-License-Identifier: MIT */
/* The filesystem's type and flags. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "answers.h"
#include "attributes.h"
#include "table_files.h"
#include "view.h"

#ifndef STATX_MNT_ID_UNIQUE /* Linux 6.8 */
#define STATX_MNT_ID_UNIQUE 0x4000u
#endif
#define ST_VALID 0x20 /* linux/statfs.h of the kernel */
#ifndef __NR_statmount /* Linux 6.8: include/uapi/linux/mount.h */
#define __NR_statmount 457
#endif
#define MOUNT_BASIC (1u | 2u) /* STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC */

struct mount_request {
	uint32_t size, spare;
	uint64_t mount, mask;
};

struct mount_answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t device_major, device_minor;
	uint64_t magic;
	uint32_t super_flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes;
	uint64_t rest[64];
};

/* calculate_f_flags() of fs/statfs.c, from mount_setattr(2)'s attributes. */
static unsigned long statfs_flags(uint64_t attributes, uint32_t super_flags)
{
	unsigned long flags = ST_VALID | attributes_shown(attributes);

	flags |= super_flags & MS_RDONLY ? ST_RDONLY : 0;
	if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
		flags |= ST_NOATIME;
	if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME)
		flags |= ST_RELATIME;
	return flags;
}

/* The flags of the mount, without a request to the daemon where the kernel can tell (in our namespace). */
static int mount_flags(int file, unsigned long *flags)
{
	struct mount_request request = {.size = sizeof(request), .mask = MOUNT_BASIC};
	struct mount_answer answer;
	struct statx about;
	struct statfs fs;

	if (!statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID_UNIQUE, &about) &&
	    about.stx_mask & STATX_MNT_ID_UNIQUE) {
		request.mount = about.stx_mnt_id;
		if (!syscall(__NR_statmount, &request, &answer, sizeof(answer), 0)) {
			*flags = statfs_flags(answer.attributes, answer.super_flags);
			return 0;
		}
	}
	if (fstatfs(file, &fs))
		return -errno;
	*flags = (unsigned long)fs.f_flags;
	return 0;
}

static long magic_of(const struct view *view, const struct statx *about)
{
	if (view->unified)
		return CGROUP2_SUPER_MAGIC;
	return view_is_top(view, about) ? TMPFS_MAGIC : CGROUP_SUPER_MAGIC;
}

int answers_statfs(struct view *view, int file, struct statfs *fs)
{
	struct statx about = {0};
	unsigned long flags = 0;
	int error;

	if (!view_has(view, file, &about)) {
		if (!table_files_are_on(makedev(about.stx_dev_major, about.stx_dev_minor)))
			return -ENOENT;
		return statfs("/proc", fs) ? -errno : 0; /* what such a file stands for is there */
	}
	error = mount_flags(file, &flags);
	if (error)
		return error;
	*fs = (struct statfs){
		.f_type = magic_of(view, &about),
		.f_bsize = sysconf(_SC_PAGESIZE),
		.f_frsize = sysconf(_SC_PAGESIZE),
		.f_namelen = NAME_MAX,
		.f_flags = (long)flags,
	};
	memcpy(&fs->f_fsid, &about.stx_dev_minor, sizeof(about.stx_dev_minor));
	return 0;
}
