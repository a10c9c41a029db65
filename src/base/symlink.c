/* SPDX-License-Identifier: MIT */
#include "symlink.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum symlink symlink_find(const char *path, uid_t *owner)
{
	char name[PATH_MAX];
	struct stat stat;

	snprintf(name, sizeof(name), "%s", path);
	for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
		name[len - 1] = '\0'; /* with it lstat(2) follows the link */
	if (lstat(name, &stat) || !S_ISLNK(stat.st_mode))
		return SYMLINK_NONE;
	*owner = stat.st_uid;
	return !stat.st_uid || stat.st_uid == geteuid() ? SYMLINK_TRUSTED : SYMLINK_OF_ANOTHER;
}
