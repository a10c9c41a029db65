/* SPDX-License-Identifier: MIT */
/*
 * net_cls: a class for the packets of a cgroup's tasks. net/core/netclassid_cgroup.c. Stored, packets are not
 * marked.
 */

#include "controller.h"

struct net_cls {
	uint32_t classid;
};

static struct net_cls *net_cls_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &net_cls_controller);
}

static uint64_t classid_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return net_cls_of(cgroup)->classid;
}

/* The upper half of the number is dropped without a word, as the kernel does. */
static int classid_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	(void)file;
	net_cls_of(cgroup)->classid = (uint32_t)value;
	return 0;
}

static int net_cls_init(struct cgroup *cgroup, void *state)
{
	struct net_cls *net_cls = state;

	if (cgroup->parent)
		net_cls->classid = net_cls_of(cgroup->parent)->classid;
	return 0;
}

static const struct cftype net_cls_files[] = {
	{ .name = "classid", .read_u64 = classid_read, .write_u64 = classid_write },
	{ .name = NULL },
};

const struct controller net_cls_controller = {
	.name = "net_cls",
	.legacy_files = net_cls_files,
	.css_size = sizeof(struct net_cls),
	.css_init = net_cls_init,
};
