/* SPDX-License-Identifier: MIT */
/* Where the daemon's program is. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "descriptors.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* The program in the directory of `len` bytes ("": the working directory). -1 with errno. */
static int open_in(const char *directory, size_t len)
{
	char path[PATH_MAX];
	struct stat st;

	if (len >= sizeof(path) - sizeof("/" CGROUPFS_PROGRAM)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(path, sizeof(path), "%.*s%s" CGROUPFS_PROGRAM, (int)len, directory, len ? "/" : "");
	if (stat(path, &st) || access(path, X_OK))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return -1;
	}
	return open(path, O_PATH | O_CLOEXEC);
}

/* Beside the file `self`, if that path still leads to the program that we are. */
static int open_beside(const char *self)
{
	const char *slash = strrchr(self, '/');
	struct stat ours, there;

	if (slash && !stat("/proc/self/exe", &ours) && !stat(self, &there) && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino)
		return open_in(self, slash == self ? 1 : (size_t)(slash - self));
	errno = ENOENT;
	return -1;
}

/* As execvp(3) looks; one that is there and cannot be run is told of when there is no other. */
static int open_in_path(bool denied)
{
	const char *path = getenv("PATH"), *end;
	int fd;

	if (!path)
		path = DEFAULT_PATH;
	do {
		end = strchrnul(path, ':');
		fd = open_in(path, (size_t)(end - path));
		denied |= fd < 0 && errno == EACCES;
		path = end + 1;
	} while (fd < 0 && *end);
	if (fd < 0 && denied)
		errno = EACCES;
	return fd;
}

bool cgroupfs_find(int *program)
{
	const char *called = (const char *)getauxval(AT_EXECFN);
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	bool denied;
	int fd;

	self[len > 0 ? len : 0] = '\0';
	fd = open_beside(self);
	denied = fd < 0 && errno == EACCES;
	/* the link does not tell of mounts that are not in our namespace; how we were called may */
	if (fd < 0 && called)
		fd = open_beside(called);
	denied |= fd < 0 && errno == EACCES;
	if (fd < 0)
		fd = open_in_path(denied);
	*program = fd < 0 ? -1 : descriptors_move_up(fd);
	if (*program >= 0)
		return true;
	fprintf(stderr,
		"fuse_cgroup_run: its daemon, " CGROUPFS_PROGRAM ", cannot be run: %s: install it beside "
		"fuse_cgroup_run, or in PATH\n",
		strerror(errno));
	return false;
}
