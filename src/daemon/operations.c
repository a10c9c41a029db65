/* The FUSE operations: paths and handles on one side, the tree on the other. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "controller.h"
#include "daemon.h"
#include "inode.h"

/* An open file. */
struct handle {
	struct node node; /* its cgroup is held */
	struct caller opener;
	bool write_only;
	pthread_mutex_t lock; /* protects what follows */
	struct text content; /* one snapshot: what the last read at offset 0 saw */
	bool filled;
};

/* Linux's FUSE never ends a request whose answer is above its errno values: the kernel's own ENOTSUPP. */
static int reply(int error)
{
	return error <= -512 ? -EOPNOTSUPP : error;
}

static struct front_end *front_end(void)
{
	return fuse_get_context()->private_data;
}

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static struct caller current_caller(void)
{
	const struct fuse_context *context = fuse_get_context();

	return (struct caller){.tid = context->pid, .uid = context->uid, .gid = context->gid};
}

/*
 * The node an operation is about; under the tree lock. libfuse gives no path
 * for an open file whose cgroup is gone.
 */
static int find_node(struct tree *tree, const char *path, const struct fuse_file_info *fi,
		     struct node *node)
{
	if (path)
		return tree_lookup(tree, path, node);
	if (!fi || !fi->fh)
		return -ENODEV;
	*node = handle_of(fi)->node;
	return 0;
}

static int op_access(const char *path, int mask)
{
	const struct front_end *front = front_end();
	struct node node;
	int error;

	(void)mask; /* default_permissions: the kernel has checked it */
	tree_read_lock(front->tree);
	error = tree_lookup(front->tree, path, &node);
	tree_unlock(front->tree);
	return error;
}

/* One directory as readdir(3) lists it. */
struct listing {
	void *buffer;
	fuse_fill_dir_t fill;
};

static void list_node(const struct listing *listing, const char *name, const struct node *node)
{
	struct stat st = {
		.st_ino = inode_number(node),
		.st_mode = node->file ? S_IFREG : S_IFDIR,
	};

	listing->fill(listing->buffer, name, &st, 0, 0);
}

static void list_top(const struct listing *listing, const struct tree *tree)
{
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &tree->hierarchies[i];

		list_node(listing, hierarchy->name, &(struct node){.cgroup = hierarchy->root});
	}
}

static void list_cgroup(const struct listing *listing, struct cgroup *cgroup)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	struct cgroup *child;

	for (unsigned i = 0; i < hierarchy->file_count; i++) {
		const struct cgroup_file *file = &hierarchy->files[i];

		if (cgroup_has_file(cgroup, file))
			list_node(listing, file->name, &(struct node){cgroup, file});
	}
	cgroup_for_each_child(child, cgroup)
		list_node(listing, child->name, &(struct node){.cgroup = child});
}

/* An open directory is its cgroup, held; 0 for the top. */
static struct cgroup *directory_of(const struct fuse_file_info *fi)
{
	return (struct cgroup *)(uintptr_t)fi->fh;
}

static int op_opendir(const char *path, struct fuse_file_info *fi)
{
	const struct front_end *front = front_end();
	struct node node;
	int error;

	tree_read_lock(front->tree);
	error = tree_lookup(front->tree, path, &node);
	if (!error && node.file)
		error = -ENOTDIR;
	if (!error && node.cgroup)
		cgroup_get(node.cgroup);
	tree_unlock(front->tree);
	fi->fh = (uintptr_t)node.cgroup;
	/* The kernel forgets a listing when a name in it comes or goes, and all changes go through it. */
	fi->cache_readdir = fi->keep_cache = front->platform->cache_seconds > 0;
	return error;
}

static int op_releasedir(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	cgroup_put(directory_of(fi));
	return 0;
}

static int op_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	const struct listing listing = {buffer, fill};
	struct cgroup *cgroup = directory_of(fi);
	struct tree *tree = front_end()->tree;

	(void)path;
	(void)offset;
	(void)flags;
	tree_read_lock(tree);
	list_node(&listing, ".", &(struct node){.cgroup = cgroup});
	list_node(&listing, "..", &(struct node){.cgroup = cgroup ? cgroup->parent : NULL});
	if (!cgroup)
		list_top(&listing, tree);
	else if (!cgroup->dead)
		list_cgroup(&listing, cgroup);
	tree_unlock(tree);
	return 0;
}

static int op_mkdir(const char *path, mode_t mode)
{
	const struct front_end *front = front_end();
	struct caller caller = current_caller();
	int error = cgroup_mkdir(front->tree, path, mode, &caller);

	if (error)
		return retry_forgive(front->platform, "mkdir", path, caller.tid, error);
	retry_remember(front->platform, "mkdir", path, caller.tid);
	return 0;
}

static int op_rmdir(const char *path)
{
	const struct front_end *front = front_end();
	pid_t tid = current_caller().tid;
	int error = cgroup_rmdir(front->tree, path);

	if (error)
		return retry_forgive(front->platform, "rmdir", path, tid, error);
	retry_remember(front->platform, "rmdir", path, tid);
	return 0;
}

static int op_rename(const char *from, const char *to, unsigned flags)
{
	return cgroup_rename(front_end()->tree, from, to, flags);
}

/* A node changes by one of inode.h's setters, under the tree lock. */
#define CHANGE_INODE(path, fi, call)                                 \
	({                                                           \
		struct tree *tree = front_end()->tree;               \
		struct node node;                                    \
		int result;                                          \
								     \
		tree_write_lock(tree);                               \
		result = find_node(tree, (path), (fi), &node);       \
		if (!result)                                         \
			result = (call);                             \
		tree_unlock(tree);                                   \
		result;                                              \
	})

static int op_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_chmod(tree, &node, mode));
}

static int op_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_chown(tree, &node, uid, gid));
}

static int op_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_utimens(tree, &node, times));
}

static int op_setxattr(const char *path, const char *name, const char *value, size_t size,
		       int flags)
{
	return CHANGE_INODE(path, NULL,
			    inode_setxattr(tree, &node, name, value, size, flags));
}

static int op_removexattr(const char *path, const char *name)
{
	return CHANGE_INODE(path, NULL, inode_removexattr(tree, &node, name));
}

static int op_getxattr(const char *path, const char *name, char *value, size_t size)
{
	struct tree *tree = front_end()->tree;
	struct node node;
	ssize_t result;

	tree_read_lock(tree);
	result = tree_lookup(tree, path, &node);
	if (!result)
		result = inode_getxattr(tree, &node, name, value, size);
	tree_unlock(tree);
	return (int)result;
}

static int op_listxattr(const char *path, char *names, size_t size)
{
	struct tree *tree = front_end()->tree;
	struct node node;
	ssize_t result;

	tree_read_lock(tree);
	result = tree_lookup(tree, path, &node);
	if (!result)
		result = inode_listxattr(tree, &node, names, size);
	tree_unlock(tree);
	return (int)result;
}

/* Sizes are not stored: any truncation up to kernfs' s_maxbytes succeeds and changes nothing. */
static int op_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	if (size > INT32_MAX)
		return -EFBIG;
	return CHANGE_INODE(path, fi, 0);
}

static int op_open(const char *path, struct fuse_file_info *fi)
{
	struct tree *tree = front_end()->tree;
	struct handle *handle;
	int error;

	if (fi->flags & O_DIRECT)
		return -EINVAL; /* kernfs files have no direct I/O */
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return -ENOMEM;
	tree_read_lock(tree);
	error = tree_lookup(tree, path, &handle->node);
	if (!error && !handle->node.file)
		error = -EISDIR;
	if (!error)
		cgroup_get(handle->node.cgroup);
	tree_unlock(tree);
	if (error) {
		free(handle);
		return error;
	}
	handle->opener = current_caller();
	handle->write_only = (fi->flags & O_ACCMODE) == O_WRONLY;
	pthread_mutex_init(&handle->lock, NULL);
	fi->fh = (uintptr_t)handle;
	fi->direct_io = 1;
	fi->noflush = 1;
	return 0;
}

static int op_release(const char *path, struct fuse_file_info *fi)
{
	struct handle *handle = handle_of(fi);

	(void)path;
	cgroup_put(handle->node.cgroup);
	pthread_mutex_destroy(&handle->lock);
	text_free(&handle->content);
	free(handle);
	return 0;
}

/* The opener's credentials count (kernfs keeps f_cred), the current task's number does. */
static struct request request_of(const struct handle *handle)
{
	struct request request = {
		.cgroup = handle->node.cgroup,
		.file = handle->node.file,
		.caller = handle->opener,
	};

	request.caller.tid = fuse_get_context()->pid;
	return request;
}

/* As seq_file: a read at offset 0 looks anew, one further on continues what that saw. */
static int fill_content(struct handle *handle, off_t offset)
{
	struct request request = request_of(handle);
	int error;

	if (handle->filled && offset)
		return 0;
	error = cgroup_file_read(&request, &handle->content);
	handle->filled = !error;
	return reply(error);
}

/* The size of an open file, for a kernel that asks: with the error that a read would give. */
static int open_file_size(const struct platform *platform, const struct fuse_file_info *fi,
			  off_t *size)
{
	struct handle *handle = handle_of(fi);
	int error;

	if (handle->write_only)
		return 0;
	pthread_mutex_lock(&handle->lock);
	error = fill_content(handle, 0);
	pthread_mutex_unlock(&handle->lock);
	*size = platform->open_size;
	return error;
}

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	const struct front_end *front = front_end();
	struct node node;
	int error;

	tree_read_lock(front->tree);
	error = find_node(front->tree, path, fi, &node);
	if (!error)
		inode_stat(front->tree, &node, st);
	tree_unlock(front->tree);
	if (!error && fi && node.file && front->platform->open_size)
		error = open_file_size(front->platform, fi, &st->st_size);
	return error;
}

static int op_read(const char *path, char *buffer, size_t size, off_t offset,
		   struct fuse_file_info *fi)
{
	struct handle *handle = handle_of(fi);
	int result;

	(void)path;
	pthread_mutex_lock(&handle->lock);
	result = fill_content(handle, offset);
	if (!result && (size_t)offset < handle->content.len) {
		size_t rest = handle->content.len - (size_t)offset;

		result = (int)(size < rest ? size : rest);
		memcpy(buffer, handle->content.data + offset, (size_t)result);
	}
	pthread_mutex_unlock(&handle->lock);
	return result;
}

/* One write is one value, wherever in the file it is said to go. */
static int op_write(const char *path, const char *bytes, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct request request = request_of(handle_of(fi));
	int error = cgroup_file_write(&request, bytes, size);

	(void)path;
	(void)offset;
	return error ? reply(error) : (int)size;
}

/*
 * Always ready, and news (POLLPRI, POLLERR) until it was read: kernfs_generic_poll
 * of a file that nobody notifies. It never changes, so nobody need be woken.
 */
static int op_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *waiter,
		   unsigned *events)
{
	struct handle *handle = handle_of(fi);

	(void)path;
	if (waiter)
		fuse_pollhandle_destroy(waiter);
	pthread_mutex_lock(&handle->lock);
	*events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	if (!handle->filled)
		*events |= POLLERR | POLLPRI;
	pthread_mutex_unlock(&handle->lock);
	return 0;
}

/* gVisor asks, in spite of noflush. */
static int op_flush(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	return 0;
}

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
	return tree_same_hierarchy(from, to) ? -EPERM : -EXDEV;
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

	(void)connection;
	config->use_ino = 1;
	config->nullpath_ok = 1;
	config->hard_remove = 1; /* no .fuse_hidden names for what cannot be unlinked anyway */
	config->entry_timeout = front->platform->cache_seconds;
	config->attr_timeout = front->platform->cache_seconds;
	config->negative_timeout = 0;
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
	.statfs = op_statfs,
	.create = op_create,
	.mknod = op_mknod,
	.unlink = op_unlink,
	.link = op_link,
	.symlink = op_symlink,
};
