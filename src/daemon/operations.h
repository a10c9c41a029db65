/* SPDX-License-Identifier: MIT */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include <stdbool.h>

#include "controller.h"
#include "daemon.h"

/*
 * The FUSE operations, of fuse.h's types. All find the tree through
 * fuse_get_context(), and answer 0 or a negative errno.
 */

/* An open file or directory. */
struct handle {
	struct handle *prev, *next; /* front_end.handles */
	UT_hash_handle hh; /* front_end.handles_by_number */
	uint64_t number; /* never given again */
	unsigned users; /* requests that use it, and one until it is closed; under handles_lock */
	struct node node; /* its cgroup is held; none for the top directory */
	struct caller opener; /* its namespace is held */
	bool write_only;
	/* who polls for news; NULL: nobody. Whoever takes it, frees it */
	struct fuse_pollhandle *_Atomic waiter;
	pthread_mutex_t lock; /* protects what follows */
	size_t bytes; /* that the opener is charged with (owners.h) */
	struct text content; /* one snapshot: what the last read saw that did not continue another */
	bool filled;
	off_t read_to; /* where the last read ended: who reads on there continues it */
	uint64_t figure; /* request.opened */
	uint64_t event; /* cgroup_file_event() at the last read */
};

static inline struct front_end *front_end(void)
{
	return fuse_get_context()->private_data;
}

/* Who makes the request that is being answered. */
static inline struct caller current_caller(void)
{
	const struct fuse_context *context = fuse_get_context();

	return (struct caller){
		.tid = context->pid,
		.uid = ids_user(context->uid),
		.gid = ids_group(context->gid),
		.task_uid = ids_user(context->uid),
	};
}

/*
 * The node a request is about; under the tree lock. libfuse gives no path
 * for an open file whose cgroup is gone: -ENODEV where it is not open either.
 */
int find_node(struct tree *tree, const char *path, const struct fuse_file_info *fi,
	      struct node *node);

/*
 * handles.c: opens what `path` names, a directory or a file (-ENOTDIR,
 * -EISDIR); 0, and the handle's number is in fi->fh until handle_close().
 */
int handle_open(const char *path, bool directory, struct fuse_file_info *fi);
/*
 * From now on the handle takes this much beside itself. 0; -ENOMEM: the opener may not have so much open;
 * what takes less than before is never refused. With the handle's lock.
 */
int handle_charge(struct handle *handle, size_t more);
void handle_close(struct front_end *front, const struct fuse_file_info *fi);

/*
 * What a request is about, to be let go of by handle_put(). NULL: it is closed. In gVisor a file is closed
 * while a request of a caller that was killed is still worked at, or waits for a thread.
 */
struct handle *handle_get(const struct fuse_file_info *fi);
void handle_put(struct handle *handle);

/*
 * gone_files.c: v2's files go by writes to other files, which the kernel does not see. Has it ask anew for
 * the attributes of those that are not there in `top` and below, so that it finds out. Without the tree
 * lock.
 */
void gone_files_tell(const struct front_end *front, struct cgroup *top);

/* files.c: open files, each with its snapshot */
int op_open(const char *path, struct fuse_file_info *fi);
int op_release(const char *path, struct fuse_file_info *fi);
int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi);
int op_read(const char *path, char *buffer, size_t size, off_t offset,
	    struct fuse_file_info *fi);
int op_write(const char *path, const char *bytes, size_t size, off_t offset,
	    struct fuse_file_info *fi);
int op_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *waiter,
	    unsigned *events);
int op_flush(const char *path, struct fuse_file_info *fi);
ssize_t op_copy_file_range(const char *from, struct fuse_file_info *from_fi, off_t from_offset,
			   const char *to, struct fuse_file_info *to_fi, off_t to_offset,
			   size_t size, int flags);

/* directories.c */
int op_opendir(const char *path, struct fuse_file_info *fi);
int op_releasedir(const char *path, struct fuse_file_info *fi);
int op_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
	    struct fuse_file_info *fi, enum fuse_readdir_flags flags);
int op_mkdir(const char *path, mode_t mode);
int op_rmdir(const char *path);
int op_rename(const char *from, const char *to, unsigned flags);

/* attributes.c */
int op_access(const char *path, int mask);
int op_chmod(const char *path, mode_t mode, struct fuse_file_info *fi);
int op_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi);
int op_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi);
int op_setxattr(const char *path, const char *name, const char *value, size_t size,
	    int flags);
int op_removexattr(const char *path, const char *name);
int op_getxattr(const char *path, const char *name, char *value, size_t size);
int op_listxattr(const char *path, char *names, size_t size);
int op_truncate(const char *path, off_t size, struct fuse_file_info *fi);

#endif
