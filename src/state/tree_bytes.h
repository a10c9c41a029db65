/* SPDX-License-Identifier: MIT */
#ifndef STATE_TREE_BYTES_H
#define STATE_TREE_BYTES_H

#include "cgroup.h"
#include "kept.h"

/* A cgroup's place and attributes (NULL: the top directory's). Under the tree lock. */
void tree_put_place(struct tree *tree, struct cgroup *cgroup, struct text *out);
/* What its controllers keep. Under the tree lock. */
void tree_put_values(struct cgroup *cgroup, struct text *out);

/*
 * Makes the tree what was kept: the cgroups with their attributes, values and
 * usage; and the processes when `same_boot`. Before anybody uses the tree.
 * NULL, or why not: allocated; *keep: what was kept is all right nevertheless.
 */
char *tree_restore(struct tree *tree, const struct kept *kept, bool same_boot, bool *keep);

#endif
