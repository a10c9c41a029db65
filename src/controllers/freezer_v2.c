/* SPDX-License-Identifier: MIT */
/* cgroup.freeze and cgroup.events of v2, which every cgroup has (kernel/cgroup/freezer.c, cgroup.c). */
#include <errno.h>

#include "cgroup.h"
#include "controller.h"
#include "freezing.h"
#include "number.h"

static int freeze_show(const struct request *request, struct text *out)
{
	text_add(out, freezer_asked(request->cgroup) & FREEZING_SELF ? "1\n" : "0\n");
	return 0;
}

static int freeze_act(const struct request *request, char *text)
{
	int freeze, error = number_parse_int(text_strip(text), 0, &freeze);

	if (error)
		return error;
	if (freeze < 0 || freeze > 1)
		return -ERANGE;
	return freezer_change(request->cgroup, freeze);
}

static int events_measure(const struct request *request, struct text *out)
{
	struct cgroup *cgroup = request->cgroup;
	unsigned state;
	int error;

	cgroup_settle_members(cgroup);
	error = freezer_look(cgroup, &state);
	if (error)
		return error;
	text_add_pair(out, "populated", group_is_populated(&cgroup->group));
	text_add_pair(out, "frozen", !!(state & FROZEN));
	return 0;
}

static uint64_t events_event(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return group_populated_turns(&cgroup->group) + freezer_turns(cgroup);
}

static int stat_local_show(const struct request *request, struct text *out)
{
	text_add_pair(out, "frozen_usec", freezer_frozen_ns(request->cgroup) / 1000);
	return 0;
}

const struct cftype freezer_dfl_files[] = {
	{.name = "cgroup.events", .flags = CFTYPE_NO_PREFIX | CFTYPE_NOT_ON_ROOT,
	 .measure = events_measure, .event = events_event},
	{.name = "cgroup.freeze", .flags = CFTYPE_NO_PREFIX | CFTYPE_NOT_ON_ROOT,
	 .show = freeze_show, .act = freeze_act},
	{.name = "cgroup.stat.local", .flags = CFTYPE_NO_PREFIX | CFTYPE_NOT_ON_ROOT,
	 .show = stat_local_show},
	{0},
};
