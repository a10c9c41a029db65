/* SPDX-License-Identifier: MIT */
/* Which version of cgroups the command is shown. */
#include "cgroup_version.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"

/* What only a cgroup of v2 has. */
#define MARK "cgroup.controllers"

static bool has_mark(const char *directory)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" MARK, directory);
	return !access(path, F_OK);
}

/* Whether the kernel's controllers are all with v2: /proc/cgroups has hierarchy 0 for each then. */
static bool machine_has_v2(void)
{
	FILE *table = fopen("/proc/cgroups", "re");
	unsigned controllers = 0, with_v1 = 0, hierarchy;
	char line[256];

	while (table && fgets(line, sizeof(line), table)) {
		if (sscanf(line, "%*s %u", &hierarchy) != 1)
			continue; /* the heading */
		controllers++;
		with_v1 += hierarchy != 0;
	}
	if (table)
		fclose(table);
	return controllers && !with_v1;
}

bool cgroup_version_is_v2(const struct run_options *options)
{
	if (options->version)
		return options->version == 2;
	return options->root ? has_mark(options->root) : machine_has_v2();
}
