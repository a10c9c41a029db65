/* SPDX-License-Identifier: MIT */
/* The table of FUSE operations, and what is the same for every node. */
#include <errno.h>
#include <sys/statvfs.h>

#include "log.h"
#include "operations.h"

static int op_statfs(const char *path, struct statvfs *fs)
{
	(void)path;
	*fs = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255};
	return 0;
}

/* A directory of cgroups takes no other files: what kernfs' missing operations say. */
static int op_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	(void)path;
	(void)mode;
	(void)fi;
	return -EACCES;
}

static int op_mknod(const char *path, mode_t mode, dev_t device)
{
	(void)path;
	(void)device;
	return S_ISREG(mode) ? -EACCES : -EPERM; /* vfs_mknod asks create for a regular file */
}

static int op_unlink(const char *path)
{
	(void)path;
	return -EPERM;
}

static int op_link(const char *from, const char *to)
{
	return tree_same_hierarchy(front_end()->tree, from, to) ? -EPERM : -EXDEV;
}

static int op_symlink(const char *target, const char *path)
{
	(void)target;
	(void)path;
	return -EPERM;
}

static void *op_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	struct front_end *front = front_end();

	/* a caller stays, with its number, until the answer */
	connection->want &= ~(unsigned)FUSE_CAP_ASYNC_DIO;
	if (front->platform->never_forgets) /* a listing would give names, too */
		connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	log_info("requests: by %s",
		 front->io_uring ? "io_uring, unless libfuse tells of an error" : "/dev/fuse");
	config->use_ino = 1;
	config->nullpath_ok = 1;
	config->hard_remove = 1; /* no .fuse_hidden names for what cannot be unlinked anyway */
	config->entry_timeout = front->platform->cache_seconds;
	config->attr_timeout = front->platform->asks_attributes ? 0 : front->platform->cache_seconds;
	config->negative_timeout = 0;
	front->answering = true;
	background_ready();
	return front;
}

const struct fuse_operations front_end_operations = {
	.init = op_init,
	.getattr = op_getattr,
	.access = op_access,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.chmod = op_chmod,
	.chown = op_chown,
	.utimens = op_utimens,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.truncate = op_truncate,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.poll = op_poll,
	.flush = op_flush,
	.copy_file_range = op_copy_file_range,
	.statfs = op_statfs,
	.create = op_create,
	.mknod = op_mknod,
	.unlink = op_unlink,
	.link = op_link,
	.symlink = op_symlink,
};
