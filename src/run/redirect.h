/* SPDX-License-Identifier: MIT */
#ifndef RUN_REDIRECT_H
#define RUN_REDIRECT_H

#include <limits.h>
#include <stdbool.h>

struct answer;
struct call;
struct calls_context;
struct peer;
struct view;

/*
 * --redirect: paths that begin with the tree's place lead to a FUSE mount
 * elsewhere. The call is made by the supervisor, with the rights of the task
 * (identity.h), and its results given to the task.
 */

/* A number of a system call that is caught for this; 0 ends the list. */
int redirect_number(unsigned index);
/* Its name. */
const char *redirect_name(int number);

/*
 * Makes the call when one of its paths leads to the tree: true, and *answer is filled. `path` (of
 * PATH_MAX bytes) becomes the first one, for --trace.
 */
bool redirect_answer(const struct calls_context *context, const struct call *call, char *path,
		     struct answer *answer);

/*
 * Answers readlink(2) of /proc/self/fd/N or cwd (`path`, of any process) when that is in our tree. False: it
 * is not, or it is another call.
 */
bool redirect_link(const struct calls_context *context, const struct call *call, const char *path,
		   struct answer *answer);

/*
 * Where in the FUSE mount `path` leads (to `target` of PATH_MAX bytes): "/sys/fs/cgroup/cpu/a" to
 * "DIR/cpu/PREFIX/a". False: it does not begin with the tree's place, or leaves it by "..".
 */
bool redirect_path(const struct view *view, const char *path, char *target);

/* The same of a relative path from the top of the tree. False: it leaves it. */
bool redirect_from_top(const struct view *view, const char *path, char *target);

/* The way back: what programs find at `target`, in `path` of PATH_MAX bytes. False: nothing. */
bool redirect_back(const struct view *view, const char *target, char *path);

/*
 * Where the task's `path` leads: it is the place's only where the task's root is ours, not in a chroot
 * or a container.
 */
bool redirect_path_of(const struct view *view, const struct peer *peer, const char *path, char *target);

#endif
