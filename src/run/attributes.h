/* SPDX-License-Identifier: MIT */
#ifndef RUN_ATTRIBUTES_H
#define RUN_ATTRIBUTES_H

#include <stdint.h>

struct mount_attr;

/* The attributes of mount_setattr(2), but those of access times, of mount(2)'s flags. */
uint64_t attributes_of_flags(unsigned long flags);
/* The same as statvfs(3) shows them. */
unsigned long attributes_shown(uint64_t attributes);

/* mount_setattr(2) of a mount's root, and what does the same where there is none (gVisor). */

/* Of an attached mount, by a thread in its namespace with a working directory of its own. 0, or -errno. */
int attributes_set(int mount, const struct mount_attr *attributes);

/*
 * Of a detached one, by a thread with a mount namespace of its own that nobody needs any more: it may become
 * another's copy. *mount may become another descriptor. 0, or -errno: *mount is still to be closed.
 */
int attributes_set_detached(int *mount, const struct mount_attr *attributes);

#endif
