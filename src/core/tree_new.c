/* SPDX-License-Identifier: MIT */
/* A tree's beginning and end: its hierarchies, and their tables of files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "delegation.h"
#include "inode.h"

/* The full name of a row: "cpu.shares", "hugetlb.2MB.failcnt", "tasks". */
static char *file_name(const struct hierarchy *hierarchy, const struct controller *controller,
		       const char *instance, const struct cftype *type)
{
	const char *prefix = controller ? controller->prefix : "cgroup";
	char *name;
	int len;

	if (controller && !prefix)
		prefix = hierarchy->kind->name_of(controller);
	if (type->flags & CFTYPE_NO_PREFIX)
		len = asprintf(&name, "%s", type->name);
	else if (instance && !*prefix)
		len = asprintf(&name, "%s.%s", instance, type->name);
	else if (instance)
		len = asprintf(&name, "%s.%s.%s", prefix, instance, type->name);
	else
		len = asprintf(&name, "%s.%s", prefix, type->name);
	return len < 0 ? NULL : name;
}

static int hierarchy_add_file(struct hierarchy *hierarchy, const struct controller *controller,
			      const char *instance, unsigned number, const struct cftype *type)
{
	unsigned count = hierarchy->file_count;
	struct cgroup_file *files = reallocarray(hierarchy->files, count + 1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	hierarchy->files = files;
	files[count] = (struct cgroup_file){
		.name = file_name(hierarchy, controller, instance, type),
		.type = type,
		.controller = controller,
		.index = count,
		.instance = number,
		.event = hierarchy->event_count,
	};
	if (!files[count].name)
		return -ENOMEM;
	hierarchy->file_count++;
	hierarchy->event_count += type->event != NULL;
	return 0;
}

static int hierarchy_add_table(struct hierarchy *hierarchy, const struct controller *controller,
			       const char *instance, unsigned number, const struct cftype *type)
{
	int error = 0;

	for (; type && type->name && !error; type++)
		error = hierarchy_add_file(hierarchy, controller, instance, number, type);
	return error;
}

static int hierarchy_add_controller(struct hierarchy *hierarchy,
				    const struct controller *controller)
{
	const struct cftype *files = hierarchy->kind->files_of(controller);
	const char *const *instance;
	unsigned number = 0;
	int error = 0;

	if (!controller->instances)
		return hierarchy_add_table(hierarchy, controller, NULL, 0, files);
	instance = controller->instances(hierarchy->tree);
	for (; instance && *instance && !error; instance++)
		error = hierarchy_add_table(hierarchy, controller, *instance, number++, files);
	return error;
}

/* `list` of `count` controllers is copied. */
static int hierarchy_init(struct hierarchy *hierarchy, const struct controller *const *list,
			  unsigned count)
{
	const struct controller **own = calloc(count + 1, sizeof(*own));
	struct tree *tree = hierarchy->tree;
	struct cgroup_file *file;
	int error;

	hierarchy->controllers = own;
	if (!own)
		return -ENOMEM;
	memcpy(own, list, count * sizeof(*own));
	error = hierarchy_add_table(hierarchy, NULL, NULL, 0, hierarchy->kind->base_files);
	for (unsigned i = 0; i < count && !error; i++)
		error = hierarchy_add_controller(hierarchy, list[i]);
	if (error)
		return error;
	for (unsigned i = 0; i < hierarchy->file_count; i++) {
		file = &hierarchy->files[i];
		HASH_ADD_KEYPTR(hh, hierarchy->file_table, file->name, strlen(file->name), file);
		if (!HASH_HAS(hh, file))
			return -ENOMEM;
	}
	error = cgroup_new(hierarchy, NULL, "", tree->uid, tree->gid, &hierarchy->root);
	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		struct css *css = atomic_load(&hierarchy->root->css[i]);

		css->online = css->visible = true; /* nobody lists a root: no hook */
	}
	return 0;
}

static void hierarchy_free(struct hierarchy *hierarchy)
{
	if (hierarchy->root)
		cgroup_free_subtree(hierarchy->root);
	HASH_CLEAR(hh, hierarchy->file_table);
	for (unsigned i = 0; i < hierarchy->file_count; i++)
		free((char *)hierarchy->files[i].name);
	free(hierarchy->files);
	free((void *)hierarchy->controllers);
	free(hierarchy->release_agent);
}

static unsigned count_controllers(const struct controller *const *list)
{
	unsigned count = 0;

	while (list[count])
		count++;
	return count;
}

/* A tree with room for `count` hierarchies. */
static struct tree *tree_alloc(unsigned count, struct machine *machine, struct accounting *accounting)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	pthread_rwlock_init(&tree->lock, NULL);
	owners_init(&tree->owners);
	clock_gettime(CLOCK_REALTIME, &tree->created);
	tree->machine = machine;
	tree->accounting = accounting;
	tree->uid = geteuid();
	tree->gid = getegid();
	tree->hierarchies = calloc(count ? count : 1, sizeof(*tree->hierarchies));
	if (tree->hierarchies)
		return tree;
	tree_free(tree);
	errno = ENOMEM;
	return NULL;
}

static int tree_add_hierarchy(struct tree *tree, const struct hierarchy_kind *kind, const char *name,
			      const struct controller *const *list, unsigned count)
{
	struct hierarchy *hierarchy = &tree->hierarchies[tree->hierarchy_count];

	hierarchy->tree = tree;
	hierarchy->kind = kind;
	hierarchy->name = name;
	hierarchy->index = tree->hierarchy_count++;
	return hierarchy_init(hierarchy, list, count);
}

static struct tree *tree_or_error(struct tree *tree, int error)
{
	if (!error)
		return tree;
	tree_free(tree);
	errno = -error;
	return NULL;
}

struct tree *tree_new(const struct controller *const *list, struct machine *machine,
		      struct accounting *accounting)
{
	unsigned count = count_controllers(list);
	struct tree *tree = tree_alloc(count, machine, accounting);
	int error = 0;

	for (unsigned i = 0; tree && i < count && !error; i++)
		error = tree_add_hierarchy(tree, &hierarchy_v1, list[i]->name, &list[i], 1);
	return tree_or_error(tree, error);
}

struct tree *tree_new_unified(const struct controller *const *list, struct machine *machine,
			      struct accounting *accounting)
{
	struct tree *tree = tree_alloc(1, machine, accounting);
	int error;

	if (!tree)
		return NULL;
	tree->unified = &tree->hierarchies[0];
	tree->delegation = delegation_new(machine);
	error = tree->delegation ? 0 : -ENOMEM;
	if (!error)
		error = tree_add_hierarchy(tree, &hierarchy_v2, "", list, count_controllers(list));
	return tree_or_error(tree, error);
}

void tree_stop(struct tree *tree)
{
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &tree->hierarchies[i];

		for (unsigned j = 0; hierarchy->controllers[j]; j++) {
			if (hierarchy->controllers[j]->stop)
				hierarchy->controllers[j]->stop(hierarchy->root);
		}
	}
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	delegation_free(tree->delegation);
	for (unsigned i = 0; i < tree->hierarchy_count; i++)
		hierarchy_free(&tree->hierarchies[i]);
	inode_free_all(tree, tree->inodes);
	owners_free(&tree->owners);
	free(tree->hierarchies);
	pthread_rwlock_destroy(&tree->lock);
	free(tree);
}

bool tree_want_file(struct tree *tree, const char *name)
{
	struct cgroup_file *file = NULL;

	for (unsigned i = 0; i < tree->hierarchy_count && !file; i++)
		HASH_FIND_STR(tree->hierarchies[i].file_table, name, file);
	if (!file || !(file->type->flags & CFTYPE_OPTIONAL))
		return false;
	file->is_wanted = true;
	return true;
}
