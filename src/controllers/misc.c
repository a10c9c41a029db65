/* SPDX-License-Identifier: MIT */
/*
 * misc: scalar resources that a kernel's drivers offer (kernel/cgroup/misc.c). Which these are the machine
 * tells nowhere but in misc.capacity of a real hierarchy: there are none here, and all lists are empty.
 */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "number.h"

static int nothing_show(const struct request *request, struct text *out)
{
	(void)request;
	(void)out;
	return 0;
}

/* misc_cg_max_write: no name is that of a resource. */
static int max_store(const struct request *request, char *text)
{
	(void)request;
	(void)text;
	return -EINVAL;
}

static const struct cftype dfl_files[] = {
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = nothing_show, .store = max_store},
	{.name = "current", .show = nothing_show},
	{.name = "peak", .show = nothing_show},
	{.name = "capacity", .flags = CFTYPE_ONLY_ON_ROOT, .show = nothing_show},
	{.name = "events", .flags = CFTYPE_NOT_ON_ROOT, .show = nothing_show},
	{.name = "events.local", .flags = CFTYPE_NOT_ON_ROOT, .show = nothing_show},
	{0},
};

const struct controller misc_controller = {
	.name = "misc",
	.dfl_files = dfl_files,
};
