/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPUSET_PARTITION_H
#define CONTROLLERS_CPUSET_PARTITION_H

#include "cpuset_state.h"

/*
 * v2's effective masks and partitions, by the functions and names of kernel/cgroup/cpuset.c (6.18). All run
 * under the tree lock, exclusive, and go by the members that are known: cgroup_settle_members() comes before.
 * No scheduling domain is made: what is effective is shown, and nobody's affinity changes.
 */

/* A new cpuset has what its parent has. */
void partition_online(struct cgroup *cgroup);
/* It is gone: what it had exclusively goes back. */
void partition_offline(struct cgroup *cgroup);

/*
 * Writes of cpuset.cpus, cpuset.cpus.exclusive and cpuset.mems: the list becomes `map`. 0, -EINVAL,
 * -ENOSPC, -EBUSY.
 */
int partition_set_cpus(struct cgroup *cgroup, const struct bitmap *map);
int partition_set_exclusive(struct cgroup *cgroup, const struct bitmap *map);
int partition_set_mems(struct cgroup *cgroup, const struct bitmap *map);
/*
 * A write of cpuset.cpus.partition, by a caller that is `privileged`. Never fails: an invalid one says why.
 */
void partition_set_state(struct cgroup *cgroup, int state, bool privileged);

/* Takes the machine's masks, which the root has in cpus and mems now, down the tree. */
void partition_follow(struct cgroup *root);

/* Why a partition is invalid; NULL: nothing is said. */
const char *partition_error_text(enum partition_error error);

#endif
