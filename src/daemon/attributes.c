/* SPDX-License-Identifier: MIT */
/* Attributes and extended attributes. */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "delegation.h"
#include "inode.h"
#include "number.h"
#include "operations.h"
#include "pid_namespace.h"
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
	return CHANGE_INODE(path, fi, inode_chown(tree, &node, ids_user(uid), ids_group(gid)));
}

int op_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi)
{
	return CHANGE_INODE(path, fi, inode_utimens(tree, &node, times));
}


/*
 * What no file can say, as unlisted attributes of the top directory: "system.cgroup.PID" is PID's
 * /proc/PID/cgroup in this tree, "system.cgroups" its /proc/cgroups, "system.cgroup.options" what mount
 * tables show of each hierarchy. fuse_cgroup_run(1) asks for them. Of v2 it also sets what was mounted with
 * ("system.cgroup.options"), and tells that a task is about to make a cgroup namespace
 * ("system.cgroup.namespace", the task's number).
 */
#define TASK_ATTRIBUTE "system.cgroup."
#define CONTROLLERS_ATTRIBUTE "system.cgroups"
#define OPTIONS_ATTRIBUTE "system.cgroup.options"
#define NAMESPACE_ATTRIBUTE "system.cgroup.namespace"
#define SETTING_MAX 256

static int show_proc_file(const char *name, struct text *out)
{
	const struct caller caller = current_caller();
	pid_t number;

	if (!strcmp(name, CONTROLLERS_ATTRIBUTE))
		return tree_show_controllers(front_end()->tree, controllers, out);
	if (!strcmp(name, OPTIONS_ATTRIBUTE))
		return tree_show_options(front_end()->tree, out);
	if (strncmp(name, TASK_ATTRIBUTE, strlen(TASK_ATTRIBUTE)))
		return -EOPNOTSUPP;
	if (number_parse_int(name + strlen(TASK_ATTRIBUTE), 10, &number) || number <= 0)
		return -EINVAL;
	return tree_show_task(front_end()->tree, &caller, number, out);
}

static int get_proc_file(const char *name, char *value, size_t size)
{
	struct text text = {0};
	int result = show_proc_file(name, &text);

	if (!result && size && size < text.len)
		result = -ERANGE;
	if (!result) {
		memcpy(value, text.data, size ? text.len : 0);
		result = (int)text.len;
	}
	text_free(&text);
	return result;
}

/* The kernel takes options from its first namespace alone, and who serves the tree is its machine's root. */
static bool may_set(struct tree *tree, const struct caller *caller)
{
	struct cgroup *nested = delegation_root(tree, caller->tid);
	bool may = caller->tid && !nested && (!caller->uid || caller->uid == tree->uid);

	cgroup_put(nested);
	return may;
}

static int expect_namespace(struct tree *tree, const struct caller *caller, const char *value)
{
	struct pid_namespace space = pid_namespace_of(tree->machine, caller->tid);
	pid_t number;

	if (number_parse_int(value, 10, &number) || number <= 0)
		return -EINVAL;
	if (space.error)
		return space.error;
	return delegation_expect(tree,
				 space.level ? pid_namespace_find(tree->machine, &space, number) : number);
}

static int set_proc_file(const char *name, const char *value, size_t size)
{
	struct tree *tree = front_end()->tree;
	const struct caller caller = current_caller();
	char setting[SETTING_MAX];
	bool options = !strcmp(name, OPTIONS_ATTRIBUTE);

	if (!tree->unified || (!options && strcmp(name, NAMESPACE_ATTRIBUTE)))
		return -EOPNOTSUPP;
	if (!may_set(tree, &caller))
		return -EPERM;
	if (size >= sizeof(setting))
		return -EINVAL;
	memcpy(setting, value, size);
	setting[size] = '\0';
	return options ? tree_set_options(tree, setting) : expect_namespace(tree, &caller, setting);
}

int op_setxattr(const char *path, const char *name, const char *value, size_t size,
		int flags)
{
	if (!strcmp(path, "/") && !strncmp(name, TASK_ATTRIBUTE, strlen(TASK_ATTRIBUTE)))
		return set_proc_file(name, value, size);
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

	if (!strcmp(path, "/") && !strncmp(name, "system.", strlen("system.")))
		return get_proc_file(name, value, size);
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
