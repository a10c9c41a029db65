/* SPDX-License-Identifier: MIT */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include <sys/types.h>

struct limits;
struct view;

/*
 * A cgroup of the command's own, in each hierarchy of the view, with the
 * limits that it is shown; the view's prefix becomes its path.
 */

/* Makes the cgroups. 0, or -1, and said what is wrong on standard error. */
int limits_make(struct view *view, const struct limits *limits);

/* Removes them again, as far as nobody is left in them. */
void limits_remove(struct view *view);

/* Moves process `pid` in. 0 or a negative errno. */
int limits_take(const struct view *view, pid_t pid);

#endif
