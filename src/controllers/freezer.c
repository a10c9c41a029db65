/* The freezer controller: stopping and continuing all tasks of a cgroup and below (kernel/cgroup/legacy_freezer.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "number.h"

/* What freezes a cgroup: itself, an ancestor. Under the tree lock. */
enum freezing { FREEZING_SELF = 1 << 0, FREEZING_PARENT = 1 << 1 };

struct freezer {
	unsigned freezing; /* enum freezing */
};

static struct freezer *freezer_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &freezer_controller);
}

/* Below a frozen cgroup all are; the root never is. */
static void inherit(struct cgroup *cgroup)
{
	struct freezer *freezer = freezer_of(cgroup);

	if (freezer_of(cgroup->parent)->freezing)
		freezer->freezing |= FREEZING_PARENT;
	else
		freezer->freezing &= ~FREEZING_PARENT;
}

static int state_show(const struct request *request, struct text *out)
{
	text_add(out, freezer_of(request->cgroup)->freezing ? "FROZEN\n" : "THAWED\n");
	return 0;
}

static int state_store(const struct request *request, char *text)
{
	struct freezer *freezer = freezer_of(request->cgroup);
	struct cgroup *cgroup;

	text = text_strip(text);
	if (!strcmp(text, "FROZEN"))
		freezer->freezing |= FREEZING_SELF;
	else if (!strcmp(text, "THAWED"))
		freezer->freezing &= ~FREEZING_SELF;
	else
		return -EINVAL;
	cgroup_for_each_descendant(cgroup, request->cgroup) {
		if (cgroup != request->cgroup)
			inherit(cgroup);
	}
	return 0;
}

static uint64_t freezing_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return !!(freezer_of(cgroup)->freezing & (unsigned)file->type->private);
}

static void *freezer_alloc(struct cgroup *cgroup)
{
	(void)cgroup;
	return calloc(1, sizeof(struct freezer));
}

static void freezer_online(struct cgroup *cgroup)
{
	if (!cgroup_is_root(cgroup))
		inherit(cgroup);
}

static const struct cftype files[] = {
	{.name = "state", .flags = CFTYPE_NOT_ON_ROOT, .show = state_show, .store = state_store},
	{.name = "self_freezing", .flags = CFTYPE_NOT_ON_ROOT, .private = FREEZING_SELF,
	 .read_u64 = freezing_read},
	{.name = "parent_freezing", .flags = CFTYPE_NOT_ON_ROOT, .private = FREEZING_PARENT,
	 .read_u64 = freezing_read},
	{0},
};

const struct controller freezer_controller = {
	.name = "freezer",
	.legacy_files = files,
	.css_alloc = freezer_alloc,
	.css_online = freezer_online,
	.css_free = free,
};
