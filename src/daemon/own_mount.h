/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_OWN_MOUNT_H
#define DAEMON_OWN_MOUNT_H

#include <sys/types.h>

struct machine;

/*
 * Our own mount, seen from outside. What is on its path now may be another's: so nothing is opened that is
 * not of our device. Sources: openat2(2), proc_pid_mountinfo(5).
 */

/* The device of what is mounted at `point`; 0: it cannot be told. */
dev_t own_mount_device(const char *point);

/*
 * Opens the file at `path`, which begins with a slash and starts at the tree's top, for writing: by the mount
 * at `point`, or, where that is out of sight, by another mount of the device. A descriptor or a negative
 * errno. Needs that no lock is held which a request needs.
 */
int own_mount_open(const struct machine *machine, const char *point, dev_t device, const char *path);

#endif
