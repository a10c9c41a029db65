/* SPDX-License-Identifier: MIT */
/* Attributes of directories and files (fs/kernfs/inode.c). */
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include <utlist.h>

#include "controller.h"
#include "inode.h"
#include "inode_changed.h"
#include "tree.h"

#define BLOCK_SIZE 4096 /* PAGE_SIZE */
#define USER_XATTR_COUNT 128 /* KERNFS_MAX_USER_XATTRS */
#define USER_XATTR_BYTES (128 << 10) /* KERNFS_USER_XATTR_SIZE_LIMIT */
#define FILE_NUMBERS 512 /* inode numbers that a directory keeps for its files */

static struct inode **inode_list(struct tree *tree, const struct node *node)
{
	return node->cgroup ? &node->cgroup->inodes : &tree->inodes;
}

static struct inode *inode_find(struct tree *tree, const struct node *node)
{
	struct inode *inode;

	LL_FOREACH(*inode_list(tree, node), inode) {
		if (inode->file == node->file)
			return inode;
	}
	return NULL;
}

/*
 * A root is 0555 as the kernel's, where who serves it is above that; an ordinary user must be able to write.
 */
static mode_t default_mode(const struct tree *tree, const struct node *node)
{
	if (node->file)
		return cftype_mode(node->file->type);
	if (!node->cgroup || cgroup_is_root(node->cgroup))
		return tree->uid ? 0755 : 0555;
	return 0755;
}

/* Who made a node owns it; a controller's files are of who enabled it. */
static void default_owner(const struct tree *tree, const struct node *node, struct inode *inode)
{
	const struct css *css =
		tree->unified && node->file ? cgroup_file_css(node->cgroup, node->file) : NULL;

	inode->uid = css ? css->uid : node->cgroup ? node->cgroup->uid : tree->uid;
	inode->gid = css ? css->gid : node->cgroup ? node->cgroup->gid : tree->gid;
}

/* The inode as it is before anything changed it. */
static struct inode inode_default(const struct tree *tree, const struct node *node)
{
	struct timespec created = node->cgroup ? node->cgroup->created : tree->created;
	struct inode inode = {
		.file = node->file,
		.mode = default_mode(tree, node),
		.accessed = created,
		.modified = created,
		.changed = created,
	};

	default_owner(tree, node, &inode);
	return inode;
}

int inode_make(struct tree *tree, const struct node *node, struct inode **made)
{
	const uid_t payer = node->cgroup ? node->cgroup->uid : tree->uid;
	struct inode *inode = inode_find(tree, node);
	int error = 0;

	*made = inode;
	if (inode)
		return 0;
	inode = malloc(sizeof(*inode));
	error = inode ? owners_charge(tree, payer, OWNERS_INODE) : -ENOMEM;
	if (error) {
		free(inode);
		return error;
	}
	*inode = inode_default(tree, node);
	inode->payer = payer;
	LL_PREPEND(*inode_list(tree, node), inode);
	*made = inode;
	return 0;
}

static nlink_t directory_links(const struct tree *tree, const struct node *node)
{
	if (!node->cgroup)
		return 2 + tree->hierarchy_count;
	return 2 + HASH_COUNT(node->cgroup->children);
}

ino_t inode_number(const struct node *node)
{
	if (!node->cgroup)
		return 1;
	return node->cgroup->id * FILE_NUMBERS + (node->file ? node->file->index + 1 : 0);
}

uint64_t inode_cgroup_number(ino_t number)
{
	return number / FILE_NUMBERS;
}

void inode_stat(struct tree *tree, const struct node *node, struct stat *st)
{
	const struct inode *changed = inode_find(tree, node);
	struct inode inode = changed ? *changed : inode_default(tree, node);

	*st = (struct stat){
		.st_ino = inode_number(node),
		.st_mode = inode.mode | (node->file ? S_IFREG : S_IFDIR),
		.st_nlink = node->file ? 1 : directory_links(tree, node),
		.st_uid = inode.uid,
		.st_gid = inode.gid,
		.st_blksize = BLOCK_SIZE,
		.st_atim = inode.accessed,
		.st_mtim = inode.modified,
		.st_ctim = inode.changed,
	};
}

int inode_chmod(struct tree *tree, const struct node *node, mode_t mode)
{
	struct inode *inode;
	int error = inode_make(tree, node, &inode);

	if (error)
		return error;
	inode->mode = mode & 07777;
	clock_gettime(CLOCK_REALTIME, &inode->changed);
	return 0;
}

int inode_chown(struct tree *tree, const struct node *node, uid_t uid, gid_t gid)
{
	struct inode *inode;
	int error = inode_make(tree, node, &inode);

	if (error)
		return error;
	if (uid != (uid_t)-1)
		inode->uid = uid;
	if (gid != (gid_t)-1)
		inode->gid = gid;
	clock_gettime(CLOCK_REALTIME, &inode->changed);
	return 0;
}

static void set_time(struct timespec *time, const struct timespec *value,
		     const struct timespec *now)
{
	if (value->tv_nsec == UTIME_NOW)
		*time = *now;
	else if (value->tv_nsec != UTIME_OMIT)
		*time = *value;
}

int inode_utimens(struct tree *tree, const struct node *node, const struct timespec times[2])
{
	struct timespec now;
	struct inode *inode;
	int error = inode_make(tree, node, &inode);

	if (error)
		return error;
	clock_gettime(CLOCK_REALTIME, &now);
	set_time(&inode->accessed, &times[0], &now);
	set_time(&inode->modified, &times[1], &now);
	inode->changed = now;
	return 0;
}

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* 0 for a name that kernfs keeps (kernfs_xattr_handlers), or why not. */
static int check_xattr_name(const char *name)
{
	static const char *const prefixes[] = {"user.", "trusted.", "security."};

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (has_prefix(name, prefixes[i]))
			return name[strlen(prefixes[i])] ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

static struct xattr *xattr_find(const struct inode *inode, const char *name)
{
	struct xattr *xattr;

	if (!inode)
		return NULL;
	LL_FOREACH(inode->xattrs, xattr) {
		if (!strcmp(xattr->name, name))
			return xattr;
	}
	return NULL;
}

/* kernfs_vfs_user_xattr_add: a new value is counted beside the one that it replaces. */
static int check_user_bounds(const struct inode *inode, size_t size)
{
	size_t count = 1, bytes = size;
	const struct xattr *xattr;

	LL_FOREACH(inode->xattrs, xattr) {
		if (!has_prefix(xattr->name, "user."))
			continue;
		count++;
		bytes += xattr->size;
	}
	return count > USER_XATTR_COUNT || bytes > USER_XATTR_BYTES ? -ENOSPC : 0;
}

static size_t xattr_bytes(const char *name, size_t size)
{
	return OWNERS_XATTR + strlen(name) + size;
}

static void xattr_free(struct tree *tree, struct xattr *xattr)
{
	if (!xattr)
		return;
	owners_release(tree, xattr->payer, xattr_bytes(xattr->name, xattr->size));
	free(xattr->name);
	free(xattr);
}

static struct xattr *xattr_new(const char *name, const void *value, size_t size)
{
	struct xattr *xattr = calloc(1, sizeof(*xattr) + size);

	if (!xattr)
		return NULL;
	xattr->name = strdup(name);
	if (!xattr->name) {
		free(xattr);
		return NULL;
	}
	xattr->size = size;
	memcpy(xattr->value, value, size);
	return xattr;
}

int inode_setxattr(struct tree *tree, const struct node *node, const char *name,
		   const void *value, size_t size, int flags)
{
	struct xattr *old, *xattr;
	struct inode *inode;
	int error = check_xattr_name(name);

	if (error)
		return error;
	error = inode_make(tree, node, &inode);
	if (!error && has_prefix(name, "user."))
		error = check_user_bounds(inode, size);
	if (error)
		return error;
	old = xattr_find(inode, name);
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	error = owners_charge(tree, inode->uid, xattr_bytes(name, size));
	if (error)
		return error;
	xattr = xattr_new(name, value, size);
	if (!xattr) {
		owners_release(tree, inode->uid, xattr_bytes(name, size));
		return -ENOMEM;
	}
	xattr->payer = inode->uid;
	if (old)
		LL_REPLACE_ELEM(inode->xattrs, old, xattr);
	else
		LL_APPEND(inode->xattrs, xattr);
	xattr_free(tree, old);
	return 0;
}

ssize_t inode_getxattr(struct tree *tree, const struct node *node, const char *name, void *value,
		       size_t size)
{
	const struct xattr *xattr;
	int error = check_xattr_name(name);

	if (error)
		return error;
	xattr = xattr_find(inode_find(tree, node), name);
	if (!xattr)
		return -ENODATA;
	if (!size)
		return (ssize_t)xattr->size;
	if (size < xattr->size)
		return -ERANGE;
	memcpy(value, xattr->value, xattr->size);
	return (ssize_t)xattr->size;
}

ssize_t inode_listxattr(struct tree *tree, const struct node *node, char *names, size_t size)
{
	const struct inode *inode = inode_find(tree, node);
	const struct xattr *xattr;
	size_t used = 0;

	if (!inode)
		return 0;
	LL_FOREACH(inode->xattrs, xattr) {
		size_t len = strlen(xattr->name) + 1;

		if (size && used + len > size)
			return -ERANGE;
		if (size)
			memcpy(names + used, xattr->name, len);
		used += len;
	}
	return (ssize_t)used;
}

int inode_removexattr(struct tree *tree, const struct node *node, const char *name)
{
	struct inode *inode = inode_find(tree, node);
	struct xattr *xattr = xattr_find(inode, name);
	int error = check_xattr_name(name);

	if (error)
		return error;
	if (!xattr)
		return -ENODATA;
	LL_DELETE(inode->xattrs, xattr);
	xattr_free(tree, xattr);
	return 0;
}

static void inode_free(struct tree *tree, struct inode *inode)
{
	struct xattr *xattr, *next;

	LL_FOREACH_SAFE(inode->xattrs, xattr, next)
		xattr_free(tree, xattr);
	owners_release(tree, inode->payer, OWNERS_INODE);
	free(inode);
}

void inode_forget_files(struct cgroup *cgroup, const struct controller *controller)
{
	struct inode *inode, *next;

	LL_FOREACH_SAFE(cgroup->inodes, inode, next) {
		if (!inode->file || inode->file->controller != controller)
			continue;
		LL_DELETE(cgroup->inodes, inode);
		inode_free(cgroup_tree(cgroup), inode);
	}
}

void inode_free_all(struct tree *tree, struct inode *inodes)
{
	struct inode *inode, *next;

	LL_FOREACH_SAFE(inodes, inode, next)
		inode_free(tree, inode);
}
