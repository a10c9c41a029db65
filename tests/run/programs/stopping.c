/* SPDX-License-Identifier: MIT */
/*
 * A FUSE filesystem of one link, "link", which leads to the tree. When somebody looks for the first
 * time it stops itself, until another lets it go on: whoever looks waits.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static atomic_bool looked;

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	memset(st, 0, sizeof(*st));
	st->st_nlink = 1;
	st->st_mode = S_IFDIR | 0755;
	if (!strcmp(path, "/"))
		return 0;
	if (strcmp(path, "/link"))
		return -ENOENT;
	if (!atomic_exchange(&looked, true))
		raise(SIGSTOP);
	st->st_mode = S_IFLNK | 0777;
	return 0;
}

static int read_link(const char *path, char *target, size_t size)
{
	(void)path;
	strncpy(target, "/sys/fs/cgroup/cpu", size);
	return 0;
}

/* Asked by gVisor, which takes a lack of it for an error. */
static int permit(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.access = permit,
		.getattr = get_attributes,
		.readlink = read_link,
	};

	return fuse_main(argc, argv, &operations, NULL);
}
