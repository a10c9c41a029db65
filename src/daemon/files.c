/* SPDX-License-Identifier: MIT */
/* Open files: one handle is one snapshot. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "inode.h"
#include "controller.h"
#include "operations.h"
#include "state.h"

/* Linux's FUSE never ends a request whose answer is above its errno values: the kernel's own ENOTSUPP. */
static int reply(int error)
{
	return error <= -512 ? -EOPNOTSUPP : error;
}

int find_node(struct tree *tree, const char *path, const struct fuse_file_info *fi,
	      struct node *node)
{
	struct handle *handle;

	if (path)
		return tree_lookup(tree, path, node);
	handle = fi ? handle_get(fi) : NULL;
	if (!handle)
		return -ENODEV;
	*node = handle->node;
	handle_put(handle);
	return 0;
}

int op_open(const char *path, struct fuse_file_info *fi)
{
	int error;

	if (fi->flags & O_DIRECT)
		return -EINVAL; /* kernfs files have no direct I/O */
	error = handle_open(path, false, fi);
	if (error)
		return error;
	fi->direct_io = 1;
	libfuse_set_noflush(fi);
	return 0;
}

int op_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	handle_close(front_end(), fi);
	return 0;
}

/* The opener's credentials count (kernfs keeps f_cred), and who the current task is. */
static struct request request_of(const struct handle *handle)
{
	struct request request = {
		.cgroup = handle->node.cgroup,
		.file = handle->node.file,
		.caller = handle->opener,
		.serial = handle->node.serial,
		.opened = (uint64_t *)&handle->figure,
	};

	request.caller.tid = fuse_get_context()->pid;
	request.caller.task_uid = ids_user(fuse_get_context()->uid);
	return request;
}

/*
 * As seq_file: a read that goes on where the last one ended continues what that saw, any other looks anew.
 * A kernel that reads ahead does so by whole pages.
 */
static bool continues(const struct handle *handle, off_t offset)
{
	const struct platform *platform = front_end()->platform;

	if (!handle->filled || !offset)
		return false;
	return offset == handle->read_to || platform->file_size || platform->open_size;
}

static int fill_content(struct handle *handle, off_t offset)
{
	struct request request = request_of(handle);
	int error;

	if (continues(handle, offset)) /* what was seen is still shown, and no more */
		return (size_t)offset < handle->content.len ? 0 : cgroup_file_check(&request);
	handle->event = cgroup_file_event(request.cgroup, request.file);
	error = cgroup_file_read(&request, &handle->content);
	if (handle_charge(handle, handle->content.capacity)) {
		text_free(&handle->content);
		handle_charge(handle, 0);
		error = -ENOMEM;
	}
	handle->filled = !error;
	if (!error && request.file->type->measure)
		state_shown(front_end()->state, request.cgroup);
	return reply(error);
}

/* The size of an open file, for a kernel that asks: with the error that a read would give. */
static int open_file_size(const struct platform *platform, const struct fuse_file_info *fi,
			  off_t *size)
{
	struct handle *handle = handle_get(fi);
	struct request request;
	int error = 0;

	if (!handle)
		return -EBADF;
	if (!handle->write_only) {
		pthread_mutex_lock(&handle->lock);
		request = request_of(handle);
		error = reply(cgroup_file_check(&request));
		pthread_mutex_unlock(&handle->lock);
		*size = platform->open_size;
	}
	handle_put(handle);
	return error;
}

int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	const struct front_end *front = front_end();
	struct node node;
	int error;

	tree_read_lock(front->tree);
	error = find_node(front->tree, path, fi, &node);
	if (!error)
		inode_stat(front->tree, &node, st);
	tree_unlock(front->tree);
	if (!error)
		ids_tell(st);
	if (!error && node.file)
		st->st_size = front->platform->file_size;
	if (!error && fi && node.file && front->platform->open_size)
		error = open_file_size(front->platform, fi, &st->st_size);
	return error;
}

int op_read(const char *path, char *buffer, size_t size, off_t offset,
	    struct fuse_file_info *fi)
{
	struct handle *handle = handle_get(fi);
	int result;

	(void)path;
	if (!handle)
		return -EBADF;
	pthread_mutex_lock(&handle->lock);
	result = fill_content(handle, offset);
	if (!result && (size_t)offset < handle->content.len) {
		size_t rest = handle->content.len - (size_t)offset;

		result = (int)(size < rest ? size : rest);
		memcpy(buffer, handle->content.data + offset, (size_t)result);
		handle->read_to = offset + result;
	}
	pthread_mutex_unlock(&handle->lock);
	handle_put(handle);
	return result;
}

/* Our own thread writes to raise IN_MODIFY, and means nothing by it. */
static bool is_notifier(const struct request *request)
{
	return front_end()->notifier && request->file->type->event &&
	       notifier_is(front_end()->notifier, request->caller.tid);
}

static int write_handle(const struct handle *handle, const char *bytes, size_t size)
{
	struct request request = request_of(handle);
	const struct front_end *front = front_end();
	struct state *state = front->state;
	const unsigned gone = front->tree->files_gone;
	const bool looks = request.file->type->act; /* at processes, maybe: nobody waits for that */
	int error;

	if (request.caller.tid && is_notifier(&request))
		return (int)size;
	accounting_wrote_here(front->accounting, request.caller.tid, size);
	if (!looks)
		state_begin(state);
	error = cgroup_file_write(&request, bytes, size);
	if (looks)
		state_begin(state);
	state_keep_values(state, request.cgroup); /* refused or not: a disk may be known now */
	state_end(state);
	trace_write(&handle->node, bytes, size, error);
	if (gone != front->tree->files_gone)
		gone_files_tell(front, request.cgroup);
	notifier_wake(front->notifier);
	return error ? reply(error) : (int)size;
}

/* One write is one value, wherever in the file it is said to go. */
int op_write(const char *path, const char *bytes, size_t size, off_t offset,
	     struct fuse_file_info *fi)
{
	struct handle *handle = handle_get(fi);
	int result;

	(void)path;
	(void)offset;
	if (!handle)
		return -EBADF;
	result = write_handle(handle, bytes, size);
	handle_put(handle);
	return result;
}

/*
 * Whether poll(2) tells of something, with the handle's lock: that the file is gone (kernfs_fop_poll), of
 * what was not read yet (kernfs_generic_poll), or that a pressure file has no trigger (psi_trigger_poll):
 * one never fires.
 */
static bool has_news(const struct handle *handle)
{
	struct request request = request_of(handle);

	if (cgroup_file_check(&request))
		return true;
	if (handle->node.file->type->flags & CFTYPE_PRESSURE)
		return !handle->figure;
	return !handle->filled || handle->event != cgroup_file_event(handle->node.cgroup, handle->node.file);
}

/*
 * Always ready, and news (POLLPRI, POLLERR) until it was read: kernfs_generic_poll. Who waits for news is
 * woken by the notifier; a file that nobody notifies never changes.
 */
int op_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *waiter,
	    unsigned *events)
{
	struct handle *handle = handle_get(fi);
	struct fuse_pollhandle *before = waiter;

	(void)path;
	if (!handle) {
		if (waiter)
			fuse_pollhandle_destroy(waiter);
		return -EBADF;
	}
	*events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	if (waiter && handle->node.file->type->event)
		before = atomic_exchange(&handle->waiter, waiter);
	pthread_mutex_lock(&handle->lock);
	/* Who waits is known by now: what happens later wakes it. */
	if (has_news(handle))
		*events |= POLLERR | POLLPRI;
	pthread_mutex_unlock(&handle->lock);
	handle_put(handle);
	if (before)
		fuse_pollhandle_destroy(before);
	return 0;
}

/* gVisor asks, in spite of noflush. */
int op_flush(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	return 0;
}

/*
 * The kernel copies none of a file of size 0. Without this the FUSE client
 * would go by the size that it makes of the last write.
 */
ssize_t op_copy_file_range(const char *from, struct fuse_file_info *from_fi, off_t from_offset,
			   const char *to, struct fuse_file_info *to_fi, off_t to_offset,
			   size_t size, int flags)
{
	(void)from;
	(void)from_fi;
	(void)from_offset;
	(void)to;
	(void)to_fi;
	(void)to_offset;
	(void)size;
	(void)flags;
	return front_end()->platform->file_size ? -EOPNOTSUPP : 0;
}
