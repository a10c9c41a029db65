/* SPDX-License-Identifier: MIT */
/* Directories: listing them, and mkdir, rmdir and rename of cgroups. */
#include <errno.h>

#include "inode.h"
#include "operations.h"
#include "state.h"

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
			list_node(listing, file->name, &(struct node){.cgroup = cgroup, .file = file});
	}
	cgroup_for_each_child(child, cgroup)
		list_node(listing, child->name, &(struct node){.cgroup = child});
}

int op_opendir(const char *path, struct fuse_file_info *fi)
{
	const struct front_end *front = front_end();
	int error = handle_open(path, true, fi);

	/* The kernel forgets a listing when a name in it comes or goes through it, as all of v1 do. */
	fi->cache_readdir = fi->keep_cache = front->platform->cache_seconds > 0 && !front->tree->unified;
	return error;
}

int op_releasedir(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	handle_close(front_end(), fi);
	return 0;
}

static void list_directory(const struct listing *listing, struct cgroup *cgroup)
{
	struct tree *tree = front_end()->tree;

	tree_read_lock(tree);
	list_node(listing, ".", &(struct node){.cgroup = cgroup});
	list_node(listing, "..", &(struct node){.cgroup = cgroup ? cgroup->parent : NULL});
	if (!cgroup)
		list_top(listing, tree);
	else if (!cgroup->dead)
		list_cgroup(listing, cgroup);
	tree_unlock(tree);
}

/* A fuse_fill_dir_t. */
static int count_entry(void *bytes, const char *name, const struct stat *st, off_t offset,
		       enum fuse_fill_dir_flags flags)
{
	(void)st;
	(void)offset;
	(void)flags;
	*(size_t *)bytes += OWNERS_ENTRY + strlen(name);
	return 0;
}

/* libfuse keeps a listing as long as the directory is open: 0, or the opener may not have so much. */
static int charge_listing(struct handle *handle)
{
	size_t bytes = 0;
	const struct listing count = {&bytes, count_entry};
	int error;

	if (!owners_has_bound(front_end()->tree, handle->opener.uid))
		return 0;
	list_directory(&count, handle->node.cgroup);
	pthread_mutex_lock(&handle->lock);
	error = handle_charge(handle, bytes);
	pthread_mutex_unlock(&handle->lock);
	return error;
}

int op_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
	       struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	const struct listing listing = {buffer, fill};
	struct handle *handle = handle_get(fi);
	int error;

	(void)path;
	(void)offset;
	(void)flags;
	if (!handle)
		return -EBADF;
	error = charge_listing(handle);
	if (!error)
		list_directory(&listing, handle->node.cgroup);
	handle_put(handle);
	return error;
}

int op_mkdir(const char *path, mode_t mode)
{
	const struct front_end *front = front_end();
	struct caller caller = current_caller();
	int error;

	state_begin(front->state);
	error = cgroup_mkdir(front->tree, path, mode, &caller);
	if (!error)
		state_keep_path(front->state, path);
	state_end(front->state);
	trace_change("mkdir", path, "", error);
	if (error)
		return retry_forgive(front->platform, path, caller.tid, error);
	retry_remember(front->platform, path, caller.tid);
	return 0;
}

int op_rmdir(const char *path)
{
	const struct front_end *front = front_end();
	uint64_t number;
	int error;

	state_begin(front->state);
	error = cgroup_rmdir(front->tree, path, &number);
	if (!error)
		state_keep_removal(front->state, path, number);
	state_end(front->state);
	if (!error)
		forgetting_removed(number);
	trace_change("rmdir", path, "", error);
	return error;
}

int op_rename(const char *from, const char *to, unsigned flags)
{
	struct front_end *front = front_end();
	int error;

	state_begin(front->state);
	error = cgroup_rename(front->tree, from, to, flags);
	if (!error)
		state_keep_path(front->state, to);
	state_end(front->state);
	trace_change("rename", from, to, error);
	return error;
}
