/* SPDX-License-Identifier: MIT */
#ifndef RUN_RESTRICTED_H
#define RUN_RESTRICTED_H

#include <stdbool.h>

struct peer;

/*
 * Tasks below a Landlock domain (landlock(7)). Nothing tells of a domain, nor what it permits, and nobody
 * else can act within it: so what it might forbid is left to the kernel. Its making is seen, and the process
 * marked: RLIMIT_LOCKS, which has meant nothing since Linux 2.4.25, becomes 1. Like the domain the
 * mark is inherited, and cannot be raised again without CAP_SYS_RESOURCE.
 */

/*
 * Marks the task of this directory of /proc. For a child of the helper's (helper.h): another user's limits
 * are for the user itself, which no thread of the supervisor becomes (the user could send it signals then),
 * or for CAP_SYS_RESOURCE, which root has not in containers.
 */
bool restricted_mark(int task);

/* The task is about to enforce the ruleset that its descriptor is of: marks its process, if it is one. */
void restricted_expect(const struct peer *peer, int ruleset);

/* Whether it is marked, or cannot be asked. */
bool is_restricted(const struct peer *peer);

#endif
