/* SPDX-License-Identifier: MIT */
/*
 * dmem: memory of devices (kernel/cgroup/dmem.c of Linux 6.18). Which regions there are, drivers tell the
 * kernel, and the kernel nobody but in dmem.capacity of a real hierarchy: there are none here, and all lists
 * are empty.
 */
#include <errno.h>

#include "controller.h"
#include "number.h"

static int nothing_show(const struct request *request, struct text *out)
{
	(void)request;
	(void)out;
	return 0;
}

/* dmemcg_limit_write: empty lines are passed over, and no name is that of a region. */
static int limit_store(const struct request *request, char *text)
{
	(void)request;
	return *text_skip_spaces(text) ? -EINVAL : 0;
}

#define LIMIT_FILE(file) \
	{.name = file, .flags = CFTYPE_NOT_ON_ROOT, .show = nothing_show, .store = limit_store}

static const struct cftype files[] = {
	{.name = "capacity", .flags = CFTYPE_ONLY_ON_ROOT, .show = nothing_show},
	{.name = "current", .show = nothing_show},
	LIMIT_FILE("min"),
	LIMIT_FILE("low"),
	LIMIT_FILE("max"),
	{0},
};

const struct controller dmem_controller = {
	.name = "dmem",
	.dfl_files = files,
	.optional = true,
};
