/* SPDX-License-Identifier: MIT */
/* The tree: its lock, what a path names, and what names a cgroup. */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "core.h"
#include "lock.h"
#include "tree.h"

struct tree *cgroup_tree(const struct cgroup *cgroup)
{
	return cgroup->hierarchy->tree;
}

void tree_read_lock(struct tree *tree)
{
	pthread_rwlock_rdlock(&tree->lock);
}

void tree_write_lock(struct tree *tree)
{
	pthread_rwlock_wrlock(&tree->lock);
}

void tree_unlock(struct tree *tree)
{
	pthread_rwlock_unlock(&tree->lock);
}

mode_t cftype_mode(const struct cftype *type)
{
	mode_t mode = 0;

	if (type->read_u64 || type->read_s64 || type->show || type->measure)
		mode |= 0444;
	if (type->write_u64 || type->write_s64 || type->store || type->act)
		mode |= 0200;
	return mode;
}

bool cgroup_has_file(const struct cgroup *cgroup, const struct cgroup_file *file)
{
	bool as_root = cgroup_is_root(cgroup) && !cgroup_tree(cgroup)->container_view;
	unsigned absent = as_root ? CFTYPE_NOT_ON_ROOT : CFTYPE_ONLY_ON_ROOT;

	if (cgroup->v2.no_pressure)
		absent |= CFTYPE_PRESSURE;
	if (file->type->flags & CFTYPE_OPTIONAL && !file->is_wanted)
		return false;
	return !(file->type->flags & absent) &&
	       (!file->controller || cgroup_shows_css(cgroup, file->controller));
}

static struct hierarchy *find_hierarchy(struct tree *tree, const char *name, size_t len)
{
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		const char *candidate = tree->hierarchies[i].name;

		if (strlen(candidate) == len && !memcmp(candidate, name, len))
			return &tree->hierarchies[i];
	}
	return NULL;
}

/* One step down from `node`, which a name of `len` bytes is looked up in. */
static int lookup_step(struct tree *tree, struct node *node, const char *name, size_t len)
{
	struct cgroup_file *file = NULL;
	struct cgroup *child = NULL;

	if (node->file)
		return -ENOTDIR;
	if (!node->cgroup) {
		struct hierarchy *hierarchy = find_hierarchy(tree, name, len);

		if (!hierarchy)
			return -ENOENT;
		node->cgroup = hierarchy->root;
		return 0;
	}
	HASH_FIND(hh, node->cgroup->hierarchy->file_table, name, len, file);
	if (file && cgroup_has_file(node->cgroup, file)) {
		const struct css *css = cgroup_file_css(node->cgroup, file);

		node->file = file;
		node->serial = css ? css->serial : 0;
		return 0;
	}
	HASH_FIND(hh, node->cgroup->children, name, len, child);
	if (!child)
		return -ENOENT;
	node->cgroup = child;
	return 0;
}

bool tree_same_hierarchy(const struct tree *tree, const char *path, const char *other)
{
	size_t len;

	if (tree->unified)
		return true;
	path += strspn(path, "/");
	other += strspn(other, "/");
	len = strcspn(path, "/");
	return len == strcspn(other, "/") && !memcmp(path, other, len);
}

void cgroup_add_path(const struct cgroup *cgroup, struct text *out)
{
	if (cgroup->parent && cgroup->parent->parent)
		cgroup_add_path(cgroup->parent, out);
	text_add(out, "/");
	text_add(out, cgroup->name);
}

int tree_lookup(struct tree *tree, const char *path, struct node *node)
{
	assert_rwlocked(&tree->lock);
	*node = (struct node){.cgroup = tree->unified ? tree->unified->root : NULL};
	for (;;) {
		size_t len;
		int error;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len)
			return 0;
		error = lookup_step(tree, node, path, len);
		if (error)
			return error;
		path += len;
	}
}

struct cgroup *cgroup_next_descendant(struct cgroup *position, const struct cgroup *root)
{
	if (!position)
		return (struct cgroup *)root;
	if (position->children)
		return position->children;
	while (position != root) {
		if (position->hh.next)
			return position->hh.next;
		position = position->parent;
	}
	return NULL;
}
