/* SPDX-License-Identifier: MIT */
#ifndef OWNERS_H
#define OWNERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree;

/*
 * What users may make grow, in bytes of the daemon's memory: each user, but root and who serves the
 * tree, may have 32 MiB of cgroups, changed attributes and extended attributes (docs/values.md). In
 * the kernel these count as memory of who made them; ours is one process for all. What is open has a bound of
 * its own, 64 MiB, so that who has all the cgroups that he may have can still look at them and remove them.
 */
struct owners {
	pthread_mutex_t lock; /* of what follows; inside every other one */
	struct owner *table; /* uthash by uid */
	bool takes_all; /* while a tree is restored, which was within bounds: nobody is refused */
};

/* What one of them counts, with what hangs on it: from struct sizes, and measured (a bare cgroup takes some 1
 * KiB, its controllers and usage up to as much again). */
#define OWNERS_CGROUP 2048
/* What the kernel has below one (native.h), by its open files: some 1500 of a user, of the daemon's 65536. */
#define OWNERS_NATIVE (190u << 10)
#define OWNERS_INODE 128
#define OWNERS_XATTR 64 /* and its name and value */
#define OWNERS_HANDLE 512 /* an open file or directory, with libfuse's part, and what was read of it */
#define OWNERS_ENTRY 224 /* of a directory that was listed, as libfuse keeps it, and its name */

void owners_init(struct owners *owners);
void owners_free(struct owners *owners);

/* 0; -ENOSPC: that would be more than the user may have; -ENOMEM. Takes the lock. */
int owners_charge(struct tree *tree, uid_t uid, size_t bytes);
/* What was charged to the user goes. Takes the lock. */
void owners_release(struct tree *tree, uid_t uid, size_t bytes);

/* Whether the user has a bound at all. */
bool owners_has_bound(const struct tree *tree, uid_t uid);

/*
 * What the user has open: `before` bytes of it become `bytes`. 0; -ENOMEM: that would be more than the user
 * may have, or there is no memory; fewer is never refused. Takes the lock.
 */
int owners_open(struct tree *tree, uid_t uid, size_t before, size_t bytes);

#endif
