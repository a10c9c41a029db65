/* SPDX-License-Identifier: MIT */
#ifndef INODE_CHANGED_H
#define INODE_CHANGED_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "cgroup.h"

/* What inode.c and inode_state.c share: attributes that somebody has changed. Under the tree lock. */

struct xattr {
	struct xattr *next;
	char *name;
	uid_t payer; /* owners.h: who owned the inode then */
	size_t size;
	char value[];
};

/* What was changed of one node. */
struct inode {
	struct inode *next;
	const struct cgroup_file *file; /* NULL: the directory itself */
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
	struct timespec accessed, modified, changed;
	uid_t payer; /* owners.h: who made the cgroup */
	struct xattr *xattrs;
};

/*
 * The node's, made as it is by default where nothing was changed. 0 and *made; -ENOMEM or -ENOSPC. Under the
 * tree lock, exclusive.
 */
int inode_make(struct tree *tree, const struct node *node, struct inode **made);

#endif
