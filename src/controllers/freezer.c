/* SPDX-License-Identifier: MIT */
/* The freezer controller: the files of v1 (kernel/cgroup/legacy_freezer.c). */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "freezing.h"
#include "number.h"

static int state_act(const struct request *request, char *text)
{
	bool frozen;

	text = text_strip(text);
	frozen = !strcmp(text, "FROZEN");
	if (!frozen && strcmp(text, "THAWED"))
		return -EINVAL;
	return freezer_change(request->cgroup, frozen);
}

static int state_measure(const struct request *request, struct text *out)
{
	unsigned state;
	int error = freezer_look(request->cgroup, &state);

	if (error)
		return error;
	text_add(out, state & FROZEN ? "FROZEN\n" : state & FREEZING ? "FREEZING\n" : "THAWED\n");
	return 0;
}

static uint64_t freezing_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return !!(freezer_asked(cgroup) & (unsigned)file->type->private);
}

static const struct cftype files[] = {
	{.name = "state", .flags = CFTYPE_NOT_ON_ROOT, .measure = state_measure, .act = state_act},
	{.name = "self_freezing", .flags = CFTYPE_NOT_ON_ROOT, .private = FREEZING_SELF,
	 .read_u64 = freezing_read},
	{.name = "parent_freezing", .flags = CFTYPE_NOT_ON_ROOT, .private = FREEZING_PARENT,
	 .read_u64 = freezing_read},
	{0},
};

const struct controller freezer_controller = {
	.name = "freezer",
	.legacy_files = files,
	.dfl_files = freezer_dfl_files,
	.threaded = true,
	.unlisted_on_dfl = true,
	.css_size = sizeof(struct freezer),
	.css_init = freezer_init,
	.css_online = freezer_online,
	.css_offline = freezer_offline,
	.css_exit = freezer_exit,
	.save = freezer_save,
	.restore = freezer_restore,
	.attach = freezer_attach,
};
