/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_FREEZER_STATE_H
#define CONTROLLERS_FREEZER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"

/* What v1's and v2's files of the freezer share. */

/*
 * Freezes or thaws the cgroup and all below, and stops or continues members. Reads /proc, without the tree
 * lock. 0, -ENODEV, -ENOMEM.
 */
int freezer_change(struct cgroup *cgroup, bool freeze);
/*
 * Looks who stands still; *frozen: all do, and it freezes. Reads /proc, without the tree lock. 0 or -ENOMEM.
 */
int freezer_look(struct cgroup *cgroup, bool *frozen);

/*
 * All under the tree lock: whether itself was asked to freeze, not an ancestor; how often it became frozen or
 * not; how long it has been freezing in all, in ns.
 */
bool freezer_is_asked(const struct cgroup *cgroup);
uint64_t freezer_turns(const struct cgroup *cgroup);
uint64_t freezer_frozen_ns(const struct cgroup *cgroup);

extern const struct cftype freezer_dfl_files[];

#endif
