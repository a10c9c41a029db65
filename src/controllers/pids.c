/* SPDX-License-Identifier: MIT */
/* The pids controller: how many tasks there are, and may be (kernel/cgroup/pids.c). */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "number.h"

#define PIDS_MAX (4194304 + 1) /* PID_MAX_LIMIT + 1: no limit */

struct pids {
	int64_t limit; /* under the tree lock */
};

static struct pids *pids_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &pids_controller);
}

static int max_show(const struct request *request, struct text *out)
{
	int64_t limit = pids_of(request->cgroup)->limit;

	if (limit >= PIDS_MAX)
		text_add(out, "max");
	else
		text_add_s64(out, limit);
	text_add(out, "\n");
	return 0;
}

static int max_store(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	int64_t limit = PIDS_MAX;
	int error;

	text = text_strip(text);
	if (strcmp(text, "max")) {
		error = number_parse_s64(text, 0, &limit);
		if (error)
			return error;
		if (limit < 0 || limit >= PIDS_MAX)
			return -EINVAL;
	}
	pids_of(cgroup)->limit = limit;
	group_pids_limit(&cgroup->group, limit >= PIDS_MAX ? UINT64_MAX : (uint64_t)limit);
	group_native_set(&cgroup->group, NATIVE_PIDS_MAX, limit >= PIDS_MAX ? -1 : limit);
	return 0;
}

static int current_measure(const struct request *request, struct text *out)
{
	text_add_u64(out, group_pids(&request->cgroup->group));
	text_add(out, "\n");
	return 0;
}

static int peak_measure(const struct request *request, struct text *out)
{
	group_pids(&request->cgroup->group); /* up to this moment */
	text_add_u64(out, group_pids_peak(&request->cgroup->group));
	text_add(out, "\n");
	return 0;
}

/* A fork that the kernel would have refused is counted; nobody can refuse it from here. */
static int events_measure(const struct request *request, struct text *out)
{
	group_pids(&request->cgroup->group);
	text_add_pair(out, "max", group_pids_over(&request->cgroup->group));
	return 0;
}

/* v2 counts where the limit is, and in all above that. */
static int dfl_events_measure(const struct request *request, struct text *out)
{
	uint64_t total;

	group_pids(&request->cgroup->group);
	group_pids_hits(&request->cgroup->group, &total);
	text_add_pair(out, "max", total);
	return 0;
}

static int dfl_events_local_measure(const struct request *request, struct text *out)
{
	group_pids(&request->cgroup->group);
	text_add_pair(out, "max", group_pids_hits(&request->cgroup->group, NULL));
	return 0;
}

static uint64_t dfl_events_event(struct cgroup *cgroup, const struct cgroup_file *file)
{
	uint64_t total;

	(void)file;
	group_pids_hits(&cgroup->group, &total);
	return total;
}

static uint64_t dfl_events_local_event(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return group_pids_hits(&cgroup->group, NULL);
}

static int pids_init(struct cgroup *cgroup, void *state)
{
	struct pids *pids = state;

	pids->limit = PIDS_MAX;
	if (cgroup_is_root(cgroup))
		accounting_track_pids(cgroup_tree(cgroup)->accounting, cgroup->hierarchy->index);
	return 0;
}

static void pids_online(struct cgroup *cgroup)
{
	group_pids_restart(&cgroup->group);
}

/* Disabled on v2: its limit holds no more. */
static void pids_offline(struct cgroup *cgroup)
{
	group_pids_limit(&cgroup->group, UINT64_MAX);
}

static const struct cftype files[] = {
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = max_show, .store = max_store},
	{.name = "current", .flags = CFTYPE_NOT_ON_ROOT, .measure = current_measure},
	{.name = "peak", .flags = CFTYPE_NOT_ON_ROOT, .measure = peak_measure},
	{.name = "events", .flags = CFTYPE_NOT_ON_ROOT, .measure = events_measure},
	{0},
};

static const struct cftype dfl_files[] = {
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = max_show, .store = max_store},
	{.name = "current", .flags = CFTYPE_NOT_ON_ROOT, .measure = current_measure},
	{.name = "peak", .flags = CFTYPE_NOT_ON_ROOT, .measure = peak_measure},
	{.name = "events", .flags = CFTYPE_NOT_ON_ROOT, .measure = dfl_events_measure,
	 .event = dfl_events_event},
	{.name = "events.local", .flags = CFTYPE_NOT_ON_ROOT, .measure = dfl_events_local_measure,
	 .event = dfl_events_local_event},
	{0},
};

const struct controller pids_controller = {
	.name = "pids",
	.legacy_files = files,
	.dfl_files = dfl_files,
	.threaded = true,
	.css_online = pids_online,
	.css_offline = pids_offline,
	.css_size = sizeof(struct pids),
	.css_init = pids_init,
};
