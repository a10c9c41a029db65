/* SPDX-License-Identifier: MIT */
#ifndef FREEZER_H
#define FREEZER_H

#include <stdbool.h>

/*
 * Whether FROZEN stops processes (as it does at first), or is remembered and
 * shown only: -o freeze=none. Before the tree is made.
 */
void freezer_set_acting(bool acting);

struct tree;

/*
 * Looks at the cgroups of v2 that are to freeze and do not stand yet, so that who waits for it is told: true
 * if there were any. Takes up to half a second; without the tree lock.
 */
bool freezer_look_again(struct tree *tree);

/* Before the tree is freed: who is stopped stays so, for the next daemon to let go. */
void freezer_keep_stopped(struct tree *tree);

#endif
