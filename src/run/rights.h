/* SPDX-License-Identifier: MIT */
#ifndef RUN_RIGHTS_H
#define RUN_RIGHTS_H

#include <stdbool.h>

struct peer;

/* What a task may do to mounts. Source: ns_capable() of kernel/capability.c. */

/*
 * Whether it has CAP_SYS_ADMIN in the user namespace that owns its namespace of this kind ("mnt", "cgroup").
 */
bool rights_over(const struct peer *peer, const char *namespace);

/*
 * Whether the rights of a task (its directory of /proc) would let it enter its mount namespace: CAP_SYS_ADMIN
 * in the user namespace that owns that, where no ioctl_ns(2) tells which one it is. For a child of the
 * helper's (helper.h): it stays there. Source: mntns_install() of fs/namespace.c.
 */
bool rights_enter(int task);

/* Whether it has CAP_SYS_ADMIN in the supervisor's user namespace, which is the first for all below it. */
bool rights_of_admin(const struct peer *peer);

#endif
