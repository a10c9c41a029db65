/* SPDX-License-Identifier: MIT */
#ifndef SYMLINK_H
#define SYMLINK_H

#include <sys/types.h>

enum symlink {
	SYMLINK_NONE, /* something else, or nothing */
	SYMLINK_TRUSTED, /* root has made it, or our effective user */
	SYMLINK_OF_ANOTHER,
};

/*
 * Whether the path's last name, also with slashes behind it, is a symbolic link, and whose. In a directory
 * like /tmp anybody may have put one there, and have us write wherever he likes. `owner` is set if it is one.
 */
enum symlink symlink_find(const char *path, uid_t *owner);

#endif
