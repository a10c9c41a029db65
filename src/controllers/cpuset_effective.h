/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPUSET_EFFECTIVE_H
#define CONTROLLERS_CPUSET_EFFECTIVE_H

#include <stdbool.h>

#include "cpuset_exclusive.h"

/*
 * What cpuset_partition.c makes its writes of, by the functions and names of kernel/cgroup/cpuset.c (6.18).
 * All run under the tree lock, exclusive.
 */

enum partition_command { COMMAND_ENABLE, COMMAND_DISABLE, COMMAND_UPDATE, COMMAND_INVALIDATE };

/*
 * update_parent_effective_cpumask(). `wanted` is the state for COMMAND_ENABLE, `cpus` the new list for
 * COMMAND_UPDATE or NULL.
 */
enum partition_error cpuset_update_parent(struct cgroup *cgroup, enum partition_command command, int wanted,
					  const struct bitmap *cpus);
/* update_cpumasks_hier(); `force`: also where nothing seems to change. */
void cpuset_update_down(struct cgroup *top, bool force);
/* Partitions that take their CPUs from the top. `privileged`: the writer is. */
enum partition_error cpuset_remote_enable(struct cgroup *cgroup, int state, bool privileged);
void cpuset_remote_disable(struct cgroup *cgroup);
/*
 * remote_cpus_update(): its CPUs become `xcpus`, and its list `exclusive` unless that is NULL; or it becomes
 * invalid.
 */
void cpuset_remote_update(struct cgroup *cgroup, const struct bitmap *exclusive, const struct bitmap *xcpus,
			  bool privileged);
/* Whether the CPUs of a partition of this state are isolated, noted at the top. */
void cpuset_isolate(struct cpuset *top, int state, const struct bitmap *cpus);

#endif
