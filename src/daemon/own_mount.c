/* SPDX-License-Identifier: MIT */
/* Files of our tree, opened as anybody does: through a mount of it. */
#include "own_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine_fd.h"

/* Its device, without a request to whoever serves it; 0: it cannot be told. */
static dev_t device_of(int directory)
{
	struct statx about;

	if (statx(directory, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &about))
		return 0;
	return makedev(about.stx_dev_major, about.stx_dev_minor);
}

static int open_directory(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

dev_t own_mount_device(const char *point)
{
	int directory = open_directory(point);
	dev_t device = directory < 0 ? 0 : device_of(directory);

	if (directory >= 0)
		close(directory);
	return device;
}

/* What is looked for: O_PATH of a mount of the device whose root is `path` or above it, and what follows. */
struct search {
	dev_t device;
	const char *path, *rest;
	int found;
};

static int look_at(const struct machine_mount *mount, void *argument)
{
	struct search *search = argument;
	size_t len = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	int directory;

	if (makedev(mount->major, mount->minor) != search->device ||
	    strncmp(search->path, mount->root, len) || search->path[len] != '/')
		return 0;
	directory = open_directory(mount->point);
	if (directory >= 0 && device_of(directory) != search->device) {
		close(directory); /* something else is mounted on it */
		return 0;
	}
	search->found = directory;
	search->rest = search->path + len;
	return directory >= 0;
}

int own_mount_open(const struct machine *machine, const char *point, dev_t device, const char *path)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	struct search search = {.device = device, .path = path, .rest = path, .found = -1};
	int directory = open_directory(point), fd;

	if (directory < 0 || device_of(directory) != device) {
		if (directory >= 0)
			close(directory);
		machine_task_mounts(machine, getpid(), look_at, &search);
		directory = search.found;
	}
	if (directory < 0)
		return -ENOENT;
	fd = (int)syscall(__NR_openat2, directory, search.rest + strspn(search.rest, "/"), &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(directory);
	return fd;
}
