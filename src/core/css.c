/* SPDX-License-Identifier: MIT */
/* Controllers' states in cgroups: their making and end. */
#include <errno.h>
#include <stdlib.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"

/* cgroup_calc_subtree_ss_mask(), for one step: nothing that is depended on depends itself. */
unsigned hierarchy_with_needed(const struct hierarchy *hierarchy, unsigned mask)
{
	unsigned wanted = mask;

	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		for (unsigned j = 0; hierarchy->controllers[j] && mask >> i & 1; j++) {
			if (hierarchy->controllers[i]->depends_on == hierarchy->controllers[j])
				wanted |= 1u << j;
		}
	}
	return wanted;
}

static struct css *find_css(const struct cgroup *cgroup, const struct controller *controller)
{
	const struct controller *const *list = cgroup->hierarchy->controllers;

	for (unsigned i = 0; list[i]; i++) {
		if (list[i] == controller)
			return atomic_load_explicit(&cgroup->css[i], memory_order_acquire);
	}
	return NULL;
}

void *cgroup_css(const struct cgroup *cgroup, const struct controller *controller)
{
	struct css *css = find_css(cgroup, controller);

	return css ? css->state : NULL;
}

bool cgroup_has_css(const struct cgroup *cgroup, const struct controller *controller)
{
	const struct css *css = find_css(cgroup, controller);

	return css && css->online;
}

bool cgroup_shows_css(const struct cgroup *cgroup, const struct controller *controller)
{
	const struct css *css = find_css(cgroup, controller);

	return css && css->visible;
}

struct cgroup *cgroup_effective(struct cgroup *cgroup, const struct controller *controller)
{
	while (cgroup->parent && !cgroup_has_css(cgroup, controller))
		cgroup = cgroup->parent;
	return cgroup;
}

struct css *cgroup_file_css(const struct cgroup *cgroup, const struct cgroup_file *file)
{
	return file->controller ? find_css(cgroup, file->controller) : NULL;
}

struct css *css_get(struct css *css)
{
	if (css)
		atomic_fetch_add(&css->references, 1);
	return css;
}

void css_put(struct css *css)
{
	while (css && atomic_fetch_sub(&css->references, 1) == 1) {
		struct css *next = css->next;

		if (css->controller->css_exit)
			css->controller->css_exit(css->state);
		free(css);
		css = next;
	}
}

/* Puts it in the place of the one before, which ends with its last holder. */
static void put_in_place(struct cgroup *cgroup, unsigned position, struct css *css)
{
	struct css *before = cgroup->css[position];

	if (before)
		before->next = css_get(css);
	cgroup->css[position] = css;
	css_put(before);
}

int css_create(struct cgroup *cgroup, unsigned position, uid_t uid, gid_t gid)
{
	const struct controller *controller = cgroup->hierarchy->controllers[position];
	struct css *css = calloc(1, sizeof(*css) + controller->css_size);
	int error = 0;

	if (!css)
		return -ENOMEM;
	css->references = 1;
	css->uid = uid;
	css->gid = gid;
	css->controller = controller;
	css->serial = ++cgroup->hierarchy->tree->last_serial;
	if (controller->css_init)
		error = controller->css_init(cgroup, css->state);
	if (error)
		css_put(css);
	else
		put_in_place(cgroup, position, css);
	return error;
}

void css_set_online(struct cgroup *cgroup, unsigned position, bool online)
{
	struct css *css = cgroup->css[position];
	void (*hook)(struct cgroup *cgroup);

	if (!css || css->online == online)
		return;
	hook = online ? css->controller->css_online : css->controller->css_offline;
	css->online = online;
	css->visible = online && cgroup->hierarchy->kind->controllers_of(cgroup) >> position & 1;
	if (hook)
		hook(cgroup);
}

void css_show(struct cgroup *cgroup, unsigned position, uid_t uid, gid_t gid)
{
	struct css *css = cgroup->css[position];

	css->visible = true;
	css->serial = ++cgroup->hierarchy->tree->last_serial;
	css->uid = uid;
	css->gid = gid;
}

void css_hide(struct css *css)
{
	css->visible = false;
	if (css->controller->css_reset)
		css->controller->css_reset(css->state);
}
