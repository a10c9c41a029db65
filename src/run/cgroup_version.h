/* SPDX-License-Identifier: MIT */
#ifndef RUN_CGROUP_VERSION_H
#define RUN_CGROUP_VERSION_H

#include <stdbool.h>

struct run_options;

/*
 * Whether the command is shown cgroup v2: as the options say; else as the tree of --root is; else as the
 * machine has it, which is v2 when its kernel has all controllers there. Source: cgroups(7), /proc/cgroups.
 */
bool cgroup_version_is_v2(const struct run_options *options);

#endif
