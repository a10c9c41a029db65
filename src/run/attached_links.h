/* SPDX-License-Identifier: MIT */
#ifndef RUN_ATTACHED_LINKS_H
#define RUN_ATTACHED_LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Links of BPF programs to cgroups. The task's descriptor is the reading end of a pipe whose other end is
 * ours: that tells when nobody has it any more, and nothing is ever written. The inode is the link's number.
 * All under the lock of attached.c.
 */

/* The task's end of a new one, close-on-exec. -ENOSPC: as many as are kept; another negative errno. */
int attached_links_make(uint32_t type, ino_t *number);
/* Whether such a number is a link's. *type is the type that it was made for. */
bool attached_links_find(ino_t number, uint32_t *type);
/* Its program is attached no more; 0 where it is attached to nothing. */
void attached_links_detach(ino_t number);
/* Ends those that nobody has open any more. */
void attached_links_drop_closed(void);

#endif
