/* SPDX-License-Identifier: MIT */
#ifndef DELEGATION_H
#define DELEGATION_H

#include <sys/types.h>

struct cgroup;
struct delegation;
struct machine;
struct tree;

/*
 * Whose cgroup namespace has which cgroup as its root: the boundary of what was delegated, where the unified
 * hierarchy has nsdelegate. All take the lock of it, and inside that the tree lock; they read /proc.
 */

/* NULL: no memory. delegation_free() lets all cgroups go, before the tree's end; it takes NULL. */
struct delegation *delegation_new(const struct machine *machine);
void delegation_free(struct delegation *delegation);

/*
 * The root of the cgroup namespace that the task is in, held; NULL: it is the daemon's own, or not to be
 * told. The tree is a unified one.
 */
struct cgroup *delegation_root(struct tree *tree, pid_t tid);

/* The task is about to make a namespace: where it is now will be the root. 0, -ESRCH, ... */
int delegation_expect(struct tree *tree, pid_t tid);

#endif
