/* SPDX-License-Identifier: MIT */
#ifndef CHECK_TREE_H
#define CHECK_TREE_H

/* Mounts a tree in a directory of its own for a moment, and goes through what clients do. */
void check_tree(void);

#endif
