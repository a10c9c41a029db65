/* SPDX-License-Identifier: MIT */
/* Cgroups: their making and end, and mkdir, rmdir and rename on them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "inode.h"

struct cgroup *cgroup_get(struct cgroup *cgroup)
{
	atomic_fetch_add(&cgroup->references, 1);
	return cgroup;
}

/* Of the daemon's, by owners.h. */
static size_t cost_of(const struct hierarchy *hierarchy)
{
	return OWNERS_CGROUP + (hierarchy->is_backed ? OWNERS_NATIVE : 0);
}

static void cgroup_free(struct cgroup *cgroup)
{
	struct tree *tree = cgroup_tree(cgroup);

	if (cgroup->is_charged)
		owners_release(tree, cgroup->uid, cost_of(cgroup->hierarchy));
	for (unsigned i = 0; cgroup->hierarchy->controllers[i]; i++)
		css_put(cgroup->css[i]);
	inode_free_all(tree, cgroup->inodes);
	free(cgroup->v2.told);
	free(cgroup->name);
	free(cgroup);
}

void cgroup_put(struct cgroup *cgroup)
{
	while (cgroup && atomic_fetch_sub(&cgroup->references, 1) == 1) {
		struct cgroup *parent = cgroup->parent;

		cgroup_free(cgroup);
		cgroup = parent;
	}
}

int cgroup_new(struct hierarchy *hierarchy, struct cgroup *parent, const char *name, uid_t uid, gid_t gid,
	       struct cgroup **made)
{
	unsigned count = 0, wanted;
	struct cgroup *cgroup;
	int error;

	while (hierarchy->controllers[count])
		count++;
	cgroup = calloc(1, sizeof(*cgroup) + count * sizeof(cgroup->css[0]));
	if (!cgroup)
		return -ENOMEM;
	cgroup->hierarchy = hierarchy;
	cgroup->parent = parent ? cgroup_get(parent) : NULL;
	cgroup->id = ++hierarchy->tree->last_id;
	cgroup->references = 1;
	cgroup->uid = uid;
	cgroup->gid = gid;
	cgroup->clone_children = parent && parent->clone_children;
	cgroup->notify_on_release = parent && parent->notify_on_release;
	clock_gettime(CLOCK_REALTIME, &cgroup->created);
	cgroup->name = strdup(name);
	error = cgroup->name ? owners_charge(hierarchy->tree, uid, cost_of(hierarchy)) : -ENOMEM;
	cgroup->is_charged = !error;
	if (hierarchy->kind->init)
		hierarchy->kind->init(cgroup);
	wanted = hierarchy_with_needed(hierarchy, hierarchy->kind->controllers_of(cgroup));
	for (unsigned i = 0; i < count && !error; i++) {
		if (wanted >> i & 1)
			error = css_create(cgroup, i, uid, gid);
	}
	if (!error)
		error = group_init(hierarchy->tree->accounting, &cgroup->group, hierarchy->index,
				   parent ? &parent->group : NULL);
	if (!error && parent) {
		error = cgroup_back(cgroup);
		if (error)
			group_retire(&cgroup->group);
	}
	if (error)
		cgroup_put(cgroup);
	else
		*made = cgroup;
	return error;
}

/* The cgroup comes into its parent's list or goes from it, with its controllers. */
static void cgroup_link(struct cgroup *cgroup, bool linked)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;

	for (unsigned i = 0; hierarchy->controllers[i]; i++)
		css_set_online(cgroup, i, linked);
	if (hierarchy->kind->linked)
		hierarchy->kind->linked(cgroup, linked);
}

/* Takes a cgroup without children out of the tree. */
static void cgroup_remove(struct cgroup *cgroup)
{
	struct cgroup *parent = cgroup->parent;

	cgroup->dead = true;
	cgroup_link(cgroup, false);
	group_retire(&cgroup->group);
	if (parent)
		HASH_DEL(parent->children, cgroup);
}

void cgroup_free_subtree(struct cgroup *cgroup)
{
	while (cgroup->children)
		cgroup_free_subtree(cgroup->children);
	cgroup_remove(cgroup);
	cgroup_put(cgroup);
}

struct cgroup **cgroup_hold_subtree(struct cgroup *top,
				    bool (*wanted)(const struct cgroup *cgroup, const struct cgroup *top),
				    size_t *count)
{
	struct tree *tree = cgroup_tree(top);
	struct cgroup *position, **list;
	size_t room = 0;

	*count = 0;
	tree_read_lock(tree);
	cgroup_for_each_descendant(position, top)
		room++;
	list = calloc(room, sizeof(struct cgroup *));
	cgroup_for_each_descendant(position, top) {
		if (list && (!wanted || wanted(position, top)))
			list[(*count)++] = cgroup_get(position);
	}
	tree_unlock(tree);
	return list;
}

void cgroup_put_all(struct cgroup **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cgroup_put(list[i]);
	free(list);
}

/*
 * Splits off the last name of `path` and finds the directory it is in.
 * `directory` keeps the path's copy that `name` points into; free() it.
 */
static int find_parent(struct tree *tree, const char *path, char **directory, const char **name,
		       struct node *parent)
{
	char *slash;

	*directory = strdup(path);
	if (!*directory)
		return -ENOMEM;
	slash = strrchr(*directory, '/');
	if (!slash)
		return -EINVAL;
	*slash = '\0';
	*name = slash + 1;
	return tree_lookup(tree, *directory, parent);
}

/* A directory with the set-group-ID bit hands on its group, and the bit (inode_init_owner). */
static void inherit_group(struct tree *tree, struct cgroup *parent, gid_t *gid, mode_t *mode)
{
	struct node node = {.cgroup = parent};
	struct stat st;

	inode_stat(tree, &node, &st);
	if (!(st.st_mode & S_ISGID))
		return;
	*gid = st.st_gid;
	*mode |= S_ISGID;
}

static int make_child(struct tree *tree, struct cgroup *parent, const char *name, mode_t mode,
		      const struct caller *caller)
{
	gid_t gid = caller->gid;
	struct cgroup *child;
	struct node node;
	int error;

	error = parent->hierarchy->kind->may_have_child(parent);
	if (error)
		return error;
	mode &= 07777;
	inherit_group(tree, parent, &gid, &mode);
	error = cgroup_new(parent->hierarchy, parent, name, caller->uid, gid, &child);
	if (error)
		return error;
	node = (struct node){.cgroup = child};
	error = mode == 0755 ? 0 : inode_chmod(tree, &node, mode);
	if (!error) {
		HASH_ADD_KEYPTR(hh, parent->children, child->name, strlen(child->name), child);
		error = HASH_HAS(hh, child) ? 0 : -ENOMEM;
	}
	if (error) {
		group_retire(&child->group);
		cgroup_put(child);
		return error;
	}
	cgroup_link(child, true);
	return 0;
}

int cgroup_mkdir(struct tree *tree, const char *path, mode_t mode, const struct caller *caller)
{
	char *directory = NULL;
	struct node parent, existing;
	const char *name;
	int error;

	tree_write_lock(tree);
	error = find_parent(tree, path, &directory, &name, &parent);
	if (!error && parent.file)
		error = -ENOTDIR;
	if (!error) {
		error = tree_lookup(tree, path, &existing);
		if (!error)
			error = -EEXIST;
		else if (error == -ENOENT)
			error = 0;
	}
	if (!error && !parent.cgroup)
		error = -EPERM; /* hierarchies are made at start */
	if (!error && strchr(name, '\n'))
		error = -EINVAL; /* would break the lines of /proc/PID/cgroup */
	if (!error)
		error = make_child(tree, parent.cgroup, name, mode, caller);
	tree_unlock(tree);
	free(directory);
	return error;
}

/* The cgroup to remove, held, if it may be removed as far as the tree knows. */
static int find_removable(struct tree *tree, const char *path, struct cgroup **cgroup)
{
	struct node node;
	int error;

	tree_read_lock(tree);
	error = tree_lookup(tree, path, &node);
	if (!error && node.file)
		error = -ENOTDIR;
	if (!error && (!node.cgroup || cgroup_is_root(node.cgroup)))
		error = -EPERM;
	if (!error && node.cgroup->children)
		error = -EBUSY;
	*cgroup = error ? NULL : cgroup_get(node.cgroup);
	tree_unlock(tree);
	return error;
}

int cgroup_rmdir(struct tree *tree, const char *path, uint64_t *number)
{
	struct cgroup *cgroup;
	int error = find_removable(tree, path, &cgroup);

	if (error)
		return error;
	if (group_is_busy(&cgroup->group)) { /* looks at processes: no lock */
		cgroup_put(cgroup);
		return -EBUSY;
	}
	tree_write_lock(tree);
	if (cgroup->dead)
		error = -ENOENT;
	else if (cgroup->children || group_has_members(&cgroup->group))
		error = -EBUSY; /* came meanwhile */
	else
		cgroup_remove(cgroup);
	tree_unlock(tree);
	if (!error) {
		*number = cgroup->id;
		cgroup_put(cgroup); /* the tree's hold */
	}
	cgroup_put(cgroup);
	return error;
}

static int check_rename(struct tree *tree, const struct node *source, const char *to,
			const struct node *new_parent, const char *name)
{
	struct node existing;

	if (source->file)
		return -ENOTDIR;
	if (!source->cgroup || cgroup_is_root(source->cgroup))
		return -EPERM;
	if (source->cgroup->group.native)
		return -EPERM; /* gVisor waits for its lock of all mounts to do that: see native.h */
	if (source->cgroup->parent != new_parent->cgroup)
		return -EIO; /* cgroup1_rename */
	if (!tree_lookup(tree, to, &existing))
		return -EEXIST;
	if (strchr(name, '\n'))
		return -EINVAL;
	return 0;
}

int cgroup_rename(struct tree *tree, const char *from, const char *to, unsigned flags)
{
	char *directory = NULL, *copy = NULL;
	struct node source, new_parent;
	const char *name;
	int error;

	if (!tree_same_hierarchy(tree, from, to))
		return -EXDEV;
	if (tree->unified && !tree->unified->kind->renames)
		return -EPERM;
	if (flags) /* kernfs_iop_rename */
		return -EINVAL;
	tree_write_lock(tree);
	error = tree_lookup(tree, from, &source);
	if (!error)
		error = find_parent(tree, to, &directory, &name, &new_parent);
	if (!error)
		error = check_rename(tree, &source, to, &new_parent, name);
	if (!error && !(copy = strdup(name)))
		error = -ENOMEM;
	if (!error) {
		HASH_PUT_LAST(hh, new_parent.cgroup->children, copy, strlen(copy), source.cgroup);
		free(source.cgroup->name);
		source.cgroup->name = copy;
	}
	tree_unlock(tree);
	free(directory);
	return error;
}
