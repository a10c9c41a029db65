/* SPDX-License-Identifier: MIT */
/* Asking a devices cgroup what it may do, by its files only. */
#ifndef DEVICES_PROBE_H
#define DEVICES_PROBE_H

#include "small_tree.h"

/*
 * A child "probe" that denies all by default: whether it can be allowed
 * something tells whether its parent may do it. `cgroup` is a path.
 */
static inline void devices_probe_in(struct small_tree *small, const char *cgroup)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/probe", cgroup);
	if (small_mkdir(small, path))
		abort();
	strcat(path, "/devices.deny");
	if (small_write(small, path, "a"))
		abort();
}

static inline void devices_probe_out(struct small_tree *small, const char *cgroup)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/probe", cgroup);
	if (small_rmdir(small, path))
		abort();
}

static inline bool devices_may(struct small_tree *small, const char *cgroup, const char *rule)
{
	char path[128];
	int error;

	snprintf(path, sizeof(path), "%s/probe/devices.allow", cgroup);
	error = small_write(small, path, rule);
	if (error && error != -EPERM)
		abort();
	return !error;
}

#define DEVICES_PROBES (2 * 3 * 3 * 3)

/*
 * The first of some rules, numbers 0 to 2, that the child may and its parent
 * may not do, in `rule`; false when there is none.
 */
static inline bool devices_exceeds(struct small_tree *small, const char *parent, const char *child,
				   char rule[32])
{
	bool exceeds = false;

	devices_probe_in(small, parent);
	devices_probe_in(small, child);
	for (unsigned i = 0; i < DEVICES_PROBES && !exceeds; i++) {
		snprintf(rule, 32, "%c %u:%u %c", "bc"[i % 2], i / 2 % 3, i / 6 % 3, "rwm"[i / 18]);
		exceeds = devices_may(small, child, rule) && !devices_may(small, parent, rule);
	}
	devices_probe_out(small, child);
	devices_probe_out(small, parent);
	return exceeds;
}

#endif
