/* SPDX-License-Identifier: MIT */
/* What is open: each handle holds its cgroup, and is known until it is closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <utlist.h>

#include "delegation.h"
#include "lock.h"
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

int handle_charge(struct handle *handle, size_t more)
{
	size_t bytes = OWNERS_HANDLE + more;
	int error = owners_open(front_end()->tree, handle->opener.uid, handle->bytes, bytes);

	if (!error)
		handle->bytes = bytes;
	return error;
}

/* Under no lock: nobody else knows it any more. */
static void free_handle(struct front_end *front, struct handle *handle)
{
	owners_open(front->tree, handle->opener.uid, handle->bytes, 0);
	cgroup_put(handle->node.cgroup);
	cgroup_put(handle->opener.namespace);
	pthread_mutex_destroy(&handle->lock);
	if (handle->waiter)
		fuse_pollhandle_destroy(handle->waiter);
	text_free(&handle->content);
	free(handle);
}

int handle_open(const char *path, bool directory, struct fuse_file_info *fi)
{
	struct front_end *front = front_end();
	struct handle *handle = calloc(1, sizeof(*handle));
	int error;

	if (!handle)
		return -ENOMEM;
	handle->opener = current_caller();
	error = handle_charge(handle, 0);
	if (!error)
		error = resolve(front->tree, path, directory, &handle->node);
	if (error) {
		owners_open(front->tree, handle->opener.uid, handle->bytes, 0);
		free(handle);
		return error;
	}
	handle->write_only = (fi->flags & O_ACCMODE) == O_WRONLY;
	handle->users = 1;
	if (!directory && (fi->flags & O_ACCMODE) != O_RDONLY && front->tree->root_flags & CGROUP_NSDELEGATE)
		handle->opener.namespace = delegation_root(front->tree, handle->opener.tid);
	pthread_mutex_init(&handle->lock, NULL);
	pthread_mutex_lock(&front->handles_lock);
	fi->fh = handle->number = ++front->last_handle;
	HASH_ADD(hh, front->handles_by_number, number, sizeof(handle->number), handle);
	if (HASH_HAS(hh, handle))
		DL_APPEND(front->handles, handle);
	else
		error = -ENOMEM;
	pthread_mutex_unlock(&front->handles_lock);
	if (error)
		free_handle(front, handle);
	return error;
}

/* Under the lock. NULL: there is none. */
static struct handle *find_handle(struct front_end *front, uint64_t number)
{
	struct handle *handle;

	assert_locked(&front->handles_lock);
	HASH_FIND(hh, front->handles_by_number, &number, sizeof(number), handle);
	return handle;
}

/* Under the lock. */
static void forget_handle(struct front_end *front, struct handle *handle)
{
	assert_locked(&front->handles_lock);
	DL_DELETE(front->handles, handle);
	HASH_DELETE(hh, front->handles_by_number, handle);
}

void handle_close(struct front_end *front, const struct fuse_file_info *fi)
{
	struct handle *handle;

	pthread_mutex_lock(&front->handles_lock);
	handle = find_handle(front, fi->fh);
	if (handle)
		forget_handle(front, handle);
	pthread_mutex_unlock(&front->handles_lock);
	if (handle)
		handle_put(handle);
}

struct handle *handle_get(const struct fuse_file_info *fi)
{
	struct front_end *front = front_end();
	struct handle *handle;

	pthread_mutex_lock(&front->handles_lock);
	handle = find_handle(front, fi->fh);
	if (handle)
		handle->users++;
	pthread_mutex_unlock(&front->handles_lock);
	return handle;
}

void handle_put(struct handle *handle)
{
	struct front_end *front = front_end();
	bool is_last;

	pthread_mutex_lock(&front->handles_lock);
	is_last = !--handle->users;
	pthread_mutex_unlock(&front->handles_lock);
	if (is_last)
		free_handle(front, handle);
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
	struct handle *handle, *next;

	DL_FOREACH_SAFE(front->handles, handle, next) {
		note_directory(handle);
		pthread_mutex_lock(&front->handles_lock);
		forget_handle(front, handle);
		pthread_mutex_unlock(&front->handles_lock);
		free_handle(front, handle);
	}
}
