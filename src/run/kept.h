/* SPDX-License-Identifier: MIT */
#ifndef RUN_KEPT_H
#define RUN_KEPT_H

#include <stdint.h>

/*
 * Mounts that tasks have by a descriptor and that are attached nowhere yet, as fsmount(2) and open_tree(2)
 * give them. Such a mount lives as long as the descriptor that it was made with, which no other task can be
 * given (it is O_PATH): the supervisor keeps that one, and gives one that is open for reading.
 * Of more than KEPT_MAX the oldest of the user who has most of them is let go, and cannot be attached any
 * more. Thread-safe.
 */

#define KEPT_MAX 256

struct peer;

/* Takes over the descriptor of the task's mount: one for it, or a negative errno. May wait for the daemon. */
int kept_add(const struct peer *peer, int mount);

/* A descriptor, to be closed, of the mount of this number (statx(2)'s), if it is kept; else -ENOENT. */
int kept_find(uint64_t id);

/* Lets go of what has been attached: it would stay busy. */
void kept_sweep(void);

#endif
