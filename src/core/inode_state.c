/* SPDX-License-Identifier: MIT */
/* Changed attributes of directories and files as bytes, and back. */
#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include <utlist.h>

#include "bytes.h"
#include "inode.h"
#include "inode_changed.h"

static void put_time(struct text *out, const struct timespec *time)
{
	bytes_put_u64(out, (uint64_t)time->tv_sec);
	bytes_put_u64(out, (uint64_t)time->tv_nsec);
}

static struct timespec get_time(struct bytes *in)
{
	struct timespec time = {.tv_sec = (time_t)bytes_get_u64(in)};

	time.tv_nsec = (long)bytes_get_u64(in);
	return time;
}

static void put_inode(struct text *out, const struct inode *inode)
{
	const struct xattr *xattr;
	unsigned count;

	bytes_put_string(out, inode->file ? inode->file->name : "");
	bytes_put_u64(out, inode->mode);
	bytes_put_u64(out, inode->uid);
	bytes_put_u64(out, inode->gid);
	put_time(out, &inode->accessed);
	put_time(out, &inode->modified);
	put_time(out, &inode->changed);
	LL_COUNT(inode->xattrs, xattr, count);
	bytes_put_u64(out, count);
	LL_FOREACH(inode->xattrs, xattr) {
		bytes_put_string(out, xattr->name);
		bytes_put(out, xattr->value, xattr->size);
	}
}

void inode_save(struct tree *tree, struct cgroup *cgroup, struct text *out)
{
	const struct inode *list = cgroup ? cgroup->inodes : tree->inodes, *inode;
	unsigned count;

	LL_COUNT(list, inode, count);
	bytes_put_u64(out, count);
	LL_FOREACH(list, inode)
		put_inode(out, inode);
}

/* The file of that name; false: there is none any more. "" is the directory. */
static bool find_named(const struct cgroup *cgroup, const char *name, struct node *node)
{
	struct cgroup_file *file = NULL;

	*node = (struct node){.cgroup = (struct cgroup *)cgroup};
	if (!*name)
		return true;
	if (cgroup)
		HASH_FIND(hh, cgroup->hierarchy->file_table, name, strlen(name), file);
	node->file = file;
	return file;
}

static int get_xattrs(struct tree *tree, const struct node *node, bool known, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);
	char name[XATTR_NAME_MAX + 1];
	int error = 0;

	while (count-- && !error && bytes_get_string(in, name, sizeof(name))) {
		struct bytes value = bytes_get(in);

		if (known && !value.wrong)
			error = inode_setxattr(tree, node, name, value.data, value.len, 0);
	}
	return in->wrong ? -EINVAL : error;
}

static int get_inode(struct tree *tree, struct cgroup *cgroup, struct bytes *in)
{
	char name[XATTR_NAME_MAX + 1];
	struct inode *inode, ignored;
	struct node node;
	int error;
	bool known;

	bytes_get_string(in, name, sizeof(name));
	known = find_named(cgroup, name, &node) && !in->wrong;
	error = known ? inode_make(tree, &node, &inode) : 0;
	if (error)
		return error;
	if (!known)
		inode = &ignored;
	inode->mode = bytes_get_u64(in) & 07777;
	inode->uid = (uid_t)bytes_get_u64(in);
	inode->gid = (gid_t)bytes_get_u64(in);
	inode->accessed = get_time(in);
	inode->modified = get_time(in);
	inode->changed = get_time(in);
	return get_xattrs(tree, &node, known, in);
}

int inode_restore(struct tree *tree, struct cgroup *cgroup, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);
	int error = 0;

	while (count-- && !error && !in->wrong)
		error = get_inode(tree, cgroup, in);
	return in->wrong ? -EINVAL : error;
}
