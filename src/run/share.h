/* SPDX-License-Identifier: MIT */
#ifndef RUN_SHARE_H
#define RUN_SHARE_H

#include <stdbool.h>
#include <sys/types.h>

struct peer;
struct user;

/*
 * How many calls may be at their answers at once. Each has a thread, which may have to wait for as long as
 * the caller likes (for a filesystem of its own, say). So one user may have SHARE_ALL + SHARE_USER of them at
 * most, and has its part whatever others do.
 */
#define SHARE_ALL 64 /* without a look at whose they are */
#define SHARE_USER 960

struct share {
	struct user *user; /* NULL: it was not asked */
};

/*
 * A call of the task begins. False: its (real) user has too many, or it is gone; else it ends with
 * share_return(). Thread-safe.
 */
bool share_take(const struct peer *peer, struct share *share);
void share_return(const struct share *share);

/* The task's real user, whose share it has. False: the task is gone, or there is no memory. */
bool share_find_user(const struct peer *peer, uid_t *id);
/* The same for fair_victim(): FAIR_NOBODY where there is none. */
uid_t share_user(const struct peer *peer);

#endif
