/* Attributes and extended attributes. */
#include <errno.h>

#include "inode.h"
#include "operations.h"
#include "state.h"

int op_access(const char *path, int mask)
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

/* A node changes by one of inode.h's setters, under the tree lock. */
#define CHANGE_INODE(path, fi, call)                                 \
	({                                                           \
		struct tree *tree = front_end()->tree;               \
		struct state *state = front_end()->state;            \
		struct node node;                                    \
		int result;                                          \
								     \
		state_begin(state);                                  \
		tree_write_lock(tree);                               \
		result = find_node(tree, (path), (fi), &node);       \
		if (!result)                                         \
			result = (call);                             \
		tree_unlock(tree);                                   \
		if (!result)                                         \
			state_keep_attributes(state, node.cgroup);   \
		state_end(state);                                    \
		result;                                              \
	})

int op_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_chmod(tree, &node, mode));
}

int op_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_chown(tree, &node, uid, gid));
}

int op_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_utimens(tree, &node, times));
}

int op_setxattr(const char *path, const char *name, const char *value, size_t size,
		       int flags)
{
	return CHANGE_INODE(path, NULL,
			    inode_setxattr(tree, &node, name, value, size, flags));
}

int op_removexattr(const char *path, const char *name)
{
	return CHANGE_INODE(path, NULL, inode_removexattr(tree, &node, name));
}

int op_getxattr(const char *path, const char *name, char *value, size_t size)
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

int op_listxattr(const char *path, char *names, size_t size)
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
int op_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	if (size > INT32_MAX)
		return -EFBIG;
	return CHANGE_INODE(path, fi, 0);
}
