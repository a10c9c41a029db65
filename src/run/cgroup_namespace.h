/* SPDX-License-Identifier: MIT */
#ifndef RUN_CGROUP_NAMESPACE_H
#define RUN_CGROUP_NAMESPACE_H

#include "text.h"

struct peer;
struct view;

/*
 * Cgroup namespaces (cgroup_namespaces(7)) below the supervisor's own: from within, the cgroups that
 * the task was in which made it are the roots. Thread-safe; they wait for the daemon.
 */

/* The task is about to make a namespace: where it is now will be the roots. */
void cgroup_namespace_expect(struct view *view, const struct peer *peer);

/*
 * The roots of the namespace that the task is in, as view_memberships() tells of cgroups; empty in
 * the supervisor's own. The caller frees them. A namespace whose making was not seen (clone(2)) has the
 * roots that its first task seen has. 0 or a negative errno.
 */
int cgroup_namespace_roots(struct view *view, const struct peer *peer, struct text *roots);

#endif
