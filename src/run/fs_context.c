/* SPDX-License-Identifier: MIT */
/* Mounts on their way, as the newer calls have them. */
#include "fs_context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer.h"
#include "shortage.h"
#include "view.h"

#define NAME "fscontext of fuse_cgroup_run"
#define LINK "/memfd:" NAME " (deleted)"

_Static_assert(sizeof(struct fs_context) == 2 * sizeof(uint64_t) + sizeof(struct mount_options),
	       "no padding, in which something of ours could be");

static void link_of(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

int fs_context_new(const struct fs_context *context)
{
	int file = memfd_create(NAME, MFD_CLOEXEC), given;
	char path[64];
	int error;

	if (file < 0)
		return -errno;
	link_of(file, path, sizeof(path));
	error = fs_context_write(file, context);
	/* Who reads for messages gets EBADF: the end of a file would be no end for some (libmount). */
	given = error ? error : open(path, O_WRONLY | O_CLOEXEC);
	if (given < 0 && !error)
		given = -errno;
	close(file);
	return given;
}

/*
 * A regular file of that name in somebody's root may be another's to serve: only ours is in this filesystem.
 */
static bool is_memory_file(int file)
{
	struct statx about, ours;
	int memory = shortage_note_errno(memfd_create(NAME, MFD_CLOEXEC));
	bool is = memory >= 0 && !statx(memory, "", AT_EMPTY_PATH, STATX_TYPE, &ours) &&
		  !statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &about) &&
		  S_ISREG(about.stx_mode) && about.stx_dev_major == ours.stx_dev_major &&
		  about.stx_dev_minor == ours.stx_dev_minor;

	if (memory >= 0)
		close(memory);
	return is;
}

static bool has_name(int file)
{
	char path[64], target[sizeof(LINK)];
	ssize_t len;

	link_of(file, path, sizeof(path));
	len = readlink(path, target, sizeof(target));
	return len == (ssize_t)strlen(LINK) && !memcmp(target, LINK, strlen(LINK));
}

static int open_again(int file)
{
	char path[64];

	if (!has_name(file) || !is_memory_file(file))
		return -ENOENT;
	link_of(file, path, sizeof(path));
	return shortage_note_errno(open(path, O_RDWR | O_CLOEXEC));
}

int fs_context_read(const struct view *view, const struct peer *peer, int fd,
		    struct fs_context *context)
{
	int descriptor = peer_file(peer, fd), file;

	if (descriptor < 0)
		return -ENOENT;
	file = open_again(descriptor);
	close(descriptor);
	if (file < 0)
		return -ENOENT;
	if (pread(file, context, sizeof(*context), 0) == (ssize_t)sizeof(*context) &&
	    context->phase <= CONTEXT_FAILED && context->hierarchy >= -1 &&
	    context->hierarchy < (int)view->count)
		return file;
	close(file);
	return -ENOENT;
}

int fs_context_write(int file, const struct fs_context *context)
{
	return pwrite(file, context, sizeof(*context), 0) == (ssize_t)sizeof(*context) ? 0 : -EIO;
}
