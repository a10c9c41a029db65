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

/* Before the tree is freed: who is stopped stays so, for the next daemon to let go. */
void freezer_keep_stopped(struct tree *tree);

#endif
