/* SPDX-License-Identifier: MIT */
/*
 * A FUSE filesystem of one file, "hello". To answer it makes calls that the launcher catches: who
 * serves them must not wait for it.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static void make_caught_calls(void)
{
	struct statfs fs;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	if (statfs("/sys/fs/cgroup/cpu", &fs) || statfs(".", &fs))
		_exit(1);
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	make_caught_calls();
	memset(st, 0, sizeof(*st));
	st->st_mode = strcmp(path, "/") ? S_IFREG | 0444 : S_IFDIR | 0755;
	st->st_nlink = 1;
	st->st_size = 6;
	return !strcmp(path, "/") || !strcmp(path, "/hello") || !strcmp(path, "/cgroup") ? 0 : -ENOENT;
}

static int read_directory(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
			  struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)path, (void)offset, (void)info, (void)flags;
	make_caught_calls();
	fill(buffer, "hello", NULL, 0, 0);
	fill(buffer, "cgroup", NULL, 0, 0);
	return 0;
}

static int read_file(const char *path, char *buffer, size_t size, off_t offset,
		     struct fuse_file_info *info)
{
	(void)path, (void)info;
	make_caught_calls();
	if (offset >= 6)
		return 0;
	if (size > 6 - (size_t)offset)
		size = 6 - (size_t)offset;
	memcpy(buffer, "hello\n" + offset, size);
	return (int)size;
}

/* Reached by a statfs that the launcher lets through, or makes itself. */
static int tell_filesystem(const char *path, struct statvfs *fs)
{
	(void)path;
	make_caught_calls();
	memset(fs, 0, sizeof(*fs));
	fs->f_namemax = 77;
	return 0;
}

/* These are asked by gVisor, which takes a lack of them for an error. */
static int permit(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int close_file(const char *path, struct fuse_file_info *info)
{
	(void)path;
	(void)info;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.access = permit,
		.flush = close_file,
		.getattr = get_attributes,
		.readdir = read_directory,
		.read = read_file,
		.statfs = tell_filesystem,
	};

	return fuse_main(argc, argv, &operations, NULL);
}
