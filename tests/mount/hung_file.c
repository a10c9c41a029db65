/* SPDX-License-Identifier: MIT */
/*
 * A FUSE filesystem whose file "page" is not read, and whose file "close" is not closed, before the file
 * named by HUNG_UNTIL is there. The first two reads fail at once: a page fault then asks a third time
 * with its process' mmap lock held (filemap_fault() of mm/filemap.c lets it go at first).
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hang(void)
{
	while (access(getenv("HUNG_UNTIL"), F_OK))
		usleep(20000);
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	memset(st, 0, sizeof(*st));
	st->st_mode = strcmp(path, "/") ? S_IFREG | 0444 : S_IFDIR | 0755;
	st->st_nlink = 1;
	st->st_size = 1 << 20;
	return !strcmp(path, "/") || !strcmp(path, "/page") || !strcmp(path, "/close") ? 0 : -ENOENT;
}

static int read_directory(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
			  struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)path, (void)offset, (void)info, (void)flags;
	fill(buffer, "page", NULL, 0, 0);
	fill(buffer, "close", NULL, 0, 0);
	return 0;
}

static int read_file(const char *path, char *buffer, size_t size, off_t offset,
		     struct fuse_file_info *info)
{
	static int reads;

	(void)path, (void)offset, (void)info;
	if (reads++ < 2)
		return -EIO;
	hang();
	memset(buffer, 1, size);
	return (int)size;
}

static int close_file(const char *path, struct fuse_file_info *info)
{
	(void)info;
	if (!strcmp(path, "/close"))
		hang();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.getattr = get_attributes,
		.readdir = read_directory,
		.read = read_file,
		.flush = close_file,
	};

	return fuse_main(argc, argv, &operations, NULL);
}
