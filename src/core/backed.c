/* SPDX-License-Identifier: MIT */
/* The kernel's own cgroups below ours. */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "core.h"
#include "native.h"

static int back_hierarchy(struct hierarchy *hierarchy, const char *directory, struct text *names)
{
	const struct controller *controller = hierarchy->controllers[0];
	struct tree *tree = hierarchy->tree;
	struct native_dir *root = NULL;
	int error = -ENODEV;

	if (!controller->named)
		error = native_back(tree->native, directory, controller->name, &root);
	if (!error) {
		hierarchy->is_backed = true;
		if (native_place(root))
			accounting_back(tree->accounting, hierarchy->index, controller->name,
					native_place(root));
		text_add(names, names->len ? ", " : "");
		text_add(names, controller->name);
	}
	return group_back(&hierarchy->root->group, root, "/") ? -ENOMEM : error;
}

int tree_back(struct tree *tree, struct native *native, const char *directory, struct text *names)
{
	int error = 0;

	tree->native = native;
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		int failed = back_hierarchy(&tree->hierarchies[i], directory, names);

		if (failed && failed != -ENODEV && failed != -ENOENT && failed != -EINVAL)
			error = failed;
	}
	if (names->len)
		return 0;
	return error ? error : -ENODEV;
}

int cgroup_back(struct cgroup *cgroup)
{
	struct native_dir *parent = cgroup->parent->group.native, *dir = NULL;
	struct text path = {0};
	int error;

	if (!cgroup_tree(cgroup)->native)
		return 0;
	error = parent ? native_make(parent, cgroup->name, &dir) : 0;
	if (error)
		return error;
	cgroup_add_path(cgroup, &path);
	text_add_bytes(&path, "", 1);
	error = path.error ? path.error : group_back(&cgroup->group, dir, path.data);
	text_free(&path);
	if (error && dir)
		native_remove(dir);
	return error;
}

int cgroup_native_attach(const struct move *move)
{
	const struct native_dir *dir = move->cgroup->group.native;
	const struct task_id *named = move->named;

	return dir ? native_attach(dir, move->process ? named->tgid : named->tid, move->process) : 0;
}
