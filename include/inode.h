/* SPDX-License-Identifier: MIT */
#ifndef INODE_H
#define INODE_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "tree.h"

struct bytes;

/*
 * Attributes of directories and files, as kernfs keeps them (fs/kernfs/inode.c):
 * defaults cost nothing, what was changed is remembered and lasts as long as
 * the cgroup. All functions need the tree lock: shared for the getters,
 * exclusive for the setters.
 */

/* st_ino: unique in the mount, constant as long as the node is there, never 0. */
ino_t inode_number(const struct node *node);
/* The cgroup's number (its id) that the node with this st_ino is or belongs to; 0: the top directory. */
uint64_t inode_cgroup_number(ino_t number);

/* Fills what stat(2) shows, size 0 for files. */
void inode_stat(struct tree *tree, const struct node *node, struct stat *st);

/* 0, -ENOMEM or -ENOSPC (owners.h). uid or gid of -1 stay as they are (chown(2)). */
int inode_chmod(struct tree *tree, const struct node *node, mode_t mode);
int inode_chown(struct tree *tree, const struct node *node, uid_t uid, gid_t gid);
/* times[0] access, times[1] modification, with UTIME_NOW and UTIME_OMIT as utimensat(2). */
int inode_utimens(struct tree *tree, const struct node *node, const struct timespec times[2]);

/*
 * kernfs_vfs_xattr_*: user., trusted. and security. names. `flags` is XATTR_CREATE,
 * XATTR_REPLACE or 0. Sizes as in getxattr(2) and listxattr(2): with size 0 the
 * needed size is returned. -ENODATA, -EEXIST, -ERANGE, -EOPNOTSUPP, -ENOSPC, -ENOMEM.
 */
int inode_setxattr(struct tree *tree, const struct node *node, const char *name,
		   const void *value, size_t size, int flags);
ssize_t inode_getxattr(struct tree *tree, const struct node *node, const char *name, void *value,
		       size_t size);
ssize_t inode_listxattr(struct tree *tree, const struct node *node, char *names, size_t size);
int inode_removexattr(struct tree *tree, const struct node *node, const char *name);

/*
 * What was changed in a cgroup and its files (NULL: in the top directory) as bytes,
 * and back again; a file that is not there any more is passed over. -EINVAL: no such bytes; -ENOMEM.
 */
void inode_save(struct tree *tree, struct cgroup *cgroup, struct text *out);
int inode_restore(struct tree *tree, struct cgroup *cgroup, struct bytes *in);

/*
 * The controller's files are gone from the cgroup: their attributes start anew should they come again.
 * Exclusive.
 */
void inode_forget_files(struct cgroup *cgroup, const struct controller *controller);

/* Frees a list of changed attributes. */
void inode_free_all(struct tree *tree, struct inode *inodes);

#endif
