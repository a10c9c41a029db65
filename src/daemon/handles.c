/* SPDX-License-Identifier: MIT */
/* What is open: each handle holds its cgroup, and is known until it is closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <utlist.h>

#include "delegation.h"
#include "operations.h"

/* Resolves the path, once, and holds its cgroup. */
static int resolve(struct tree *tree, const char *path, bool directory, struct node *node)
{
	int error;

	tree_read_lock(tree);
	error = tree_lookup(tree, path, node);
	if (!error && directory && node->file)
		error = -ENOTDIR;
	if (!error && !directory && !node->file)
		error = -EISDIR;
	if (!error && node->cgroup)
		cgroup_get(node->cgroup);
	tree_unlock(tree);
	return error;
}

int handle_open(const char *path, bool directory, struct fuse_file_info *fi)
{
	struct front_end *front = front_end();
	struct handle *handle = calloc(1, sizeof(*handle));
	int error;

	if (!handle)
		return -ENOMEM;
	error = resolve(front->tree, path, directory, &handle->node);
	if (error) {
		free(handle);
		return error;
	}
	handle->opener = current_caller();
	if (!directory && (fi->flags & O_ACCMODE) != O_RDONLY && front->tree->root_flags & CGROUP_NSDELEGATE)
		handle->opener.namespace = delegation_root(front->tree, handle->opener.tid);
	pthread_mutex_init(&handle->lock, NULL);
	pthread_mutex_lock(&front->handles_lock);
	DL_APPEND(front->handles, handle);
	pthread_mutex_unlock(&front->handles_lock);
	fi->fh = (uintptr_t)handle;
	return 0;
}

void handle_close(struct front_end *front, struct handle *handle)
{
	pthread_mutex_lock(&front->handles_lock);
	DL_DELETE(front->handles, handle);
	pthread_mutex_unlock(&front->handles_lock);
	cgroup_put(handle->node.cgroup);
	cgroup_put(handle->opener.namespace);
	pthread_mutex_destroy(&handle->lock);
	if (handle->waiter)
		fuse_pollhandle_destroy(handle->waiter);
	text_free(&handle->content);
	free(handle);
}

#ifdef __SANITIZE_ADDRESS__
/*
 * libfuse has 120 bytes and a listing of each open directory, and frees them when that is released: those of
 * one that is open at the end nobody can. Who looks for leaks finds no other one then.
 */
static bool ends_with_directories;

int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return ends_with_directories;
}

static void note_directory(const struct handle *handle)
{
	ends_with_directories |= !handle->node.file;
}
#else
static void note_directory(const struct handle *handle)
{
	(void)handle;
}
#endif

void handles_close_all(struct front_end *front)
{
	while (front->handles) {
		note_directory(front->handles);
		handle_close(front, front->handles);
	}
}
