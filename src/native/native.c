/* SPDX-License-Identifier: MIT */
/* Hierarchies that are backed, and the making of directories in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

struct native *native_new(bool forgets)
{
	struct native *native = calloc(1, sizeof(*native));
	struct rlimit limit;

	if (!native)
		return NULL;
	native->forgets = forgets;
	native->files_max = getrlimit(RLIMIT_NOFILE, &limit) ? 0 : (unsigned)(limit.rlim_cur / 3);
	pthread_mutex_init(&native->lock, NULL);
	pthread_cond_init(&native->queued, NULL);
	pthread_cond_init(&native->done, NULL);
	if (!remover_start(native))
		return native;
	free(native);
	return NULL;
}

void native_free(struct native *native)
{
	if (!native)
		return;
	remover_stop(native);
	while (native->roots) {
		struct native_dir *root = native->roots;

		native->roots = root->next;
		native_put(root);
	}
	pthread_cond_destroy(&native->done);
	pthread_cond_destroy(&native->queued);
	pthread_mutex_destroy(&native->lock);
	free(native);
}

/* The same directory by a descriptor that can be read: fsmount(2) gives a mere path. */
static int reopen(int path)
{
	int fd = openat(path, ".", DIRECTORY), error = errno;

	close(path);
	errno = error;
	return fd;
}

/* A mount of the hierarchy in no namespace: it ends with the last of its files that is open. */
static int mount_unseen(const char *name)
{
	int context = (int)syscall(SYS_fsopen, "cgroup", FSOPEN_CLOEXEC), path = -1, error;

	if (context < 0)
		return -1;
	if (!syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, name, NULL, 0) &&
	    !syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		path = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	error = errno;
	close(context);
	errno = error;
	return path < 0 ? -1 : reopen(path);
}

static int open_mounted(const char *directory, const char *name)
{
	struct statfs fs;
	char *path;
	int fd;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -1;
	fd = open(path, DIRECTORY);
	free(path);
	if (fd < 0 || (!fstatfs(fd, &fs) && fs.f_type == CGROUP_SUPER_MAGIC))
		return fd;
	close(fd);
	errno = ENODEV;
	return -1;
}

/* Whether it is the directory of another one: of controllers that are mounted together. */
static bool is_backed(const struct native *native, int fd)
{
	const struct native_dir *root;
	struct stat st, other;

	for (root = native->roots; root; root = root->next) {
		if (!fstat(fd, &st) && !fstat(root->fd, &other) && st.st_dev == other.st_dev &&
		    st.st_ino == other.st_ino)
			return true;
	}
	return false;
}

int native_back(struct native *native, const char *directory, const char *name, struct native_dir **root)
{
	int fd = directory ? open_mounted(directory, name) : mount_unseen(name);

	if (fd < 0)
		return -errno;
	if (is_backed(native, fd)) {
		close(fd);
		return -EBUSY;
	}
	*root = dir_open(native, NULL, name, fd);
	if (!*root)
		return -errno;
	(*root)->place = place_learn(*root);
	(*root)->next = native->roots;
	native->roots = *root;
	return 0;
}

const char *native_place(const struct native_dir *root)
{
	return root->place;
}

/* In place of one of ours that is still to be removed, or of one that was left without tasks. */
static int make_dir(const struct native_dir *parent, const char *name)
{
	if (!mkdirat(parent->fd, name, 0755))
		return 0;
	if (errno != EEXIST)
		return -errno;
	remover_wait(parent->native);
	if (!mkdirat(parent->fd, name, 0755))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (unlinkat(parent->fd, name, AT_REMOVEDIR))
		return -EBUSY;
	return mkdirat(parent->fd, name, 0755) ? -errno : 0;
}

int native_make(struct native_dir *parent, const char *name, struct native_dir **made)
{
	int error = make_dir(parent, name), fd;

	if (error)
		return error;
	fd = openat(parent->fd, name, DIRECTORY);
	*made = fd < 0 ? NULL : dir_open(parent->native, parent, name, fd);
	if (*made)
		return 0;
	error = -errno;
	unlinkat(parent->fd, name, AT_REMOVEDIR);
	return error;
}
