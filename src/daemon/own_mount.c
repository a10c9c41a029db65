/* SPDX-License-Identifier: MIT */
/* Files of our tree, opened as anybody does: through a mount of it. */
#include "own_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "text.h"

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

/*
 * A mount of the device in our namespace, whose root is `path` or above it: O_PATH of it, and *rest what
 * follows.
 */
static int search(dev_t device, const char *path, const char **rest)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, root[PATH_MAX], point[PATH_MAX];
	unsigned major, minor;
	size_t size = 0, len;
	int found = -1;

	while (table && found < 0 && getline(&line, &size, table) > 0) {
		if (sscanf(line, "%*u %*u %u:%u %4095s %4095s", &major, &minor, root, point) != 4 ||
		    makedev(major, minor) != device)
			continue;
		text_unescape(root);
		text_unescape(point);
		len = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(path, root, len) || path[len] != '/')
			continue;
		*rest = path + len;
		found = open_directory(point);
		if (found >= 0 && device_of(found) != device) {
			close(found); /* something else is mounted on it */
			found = -1;
		}
	}
	free(line);
	if (table)
		fclose(table);
	return found;
}

int own_mount_open(const char *point, dev_t device, const char *path)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int directory = open_directory(point), fd;
	const char *rest = path;

	if (directory < 0 || device_of(directory) != device) {
		if (directory >= 0)
			close(directory);
		directory = search(device, path, &rest);
	}
	if (directory < 0)
		return -ENOENT;
	fd = (int)syscall(__NR_openat2, directory, rest + strspn(rest, "/"), &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(directory);
	return fd;
}
