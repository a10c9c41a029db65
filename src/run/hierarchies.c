/* SPDX-License-Identifier: MIT */
/* Hierarchies to be mounted. */
#include "hierarchies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cgroup_namespace.h"
#include "mount_options.h"
#include "mounts.h"
#include "rights.h"
#include "text.h"
#include "view.h"

/* 1: the task is in a cgroup namespace that is not the first; 0, or a negative errno. */
static int is_nested(struct view *view, const struct peer *peer)
{
	struct text roots = {0};
	int error = cgroup_namespace_roots(view, peer, &roots);
	bool nested = roots.len || view->prefix[0];

	text_free(&roots);
	return error ? error : nested;
}

int hierarchies_choose(struct view *view, const struct peer *peer, const struct mount_options *options)
{
	int nested = is_nested(view, peer);

	return nested < 0 ? nested : mount_options_choose(view, options, nested);
}

void hierarchies_apply(struct view *view, const struct peer *peer, const struct mount_options *options)
{
	char words[MOUNT_OPTIONS_V2_MAX];

	if (!view->unified || is_nested(view, peer))
		return;
	mount_options_of_v2(options, words);
	view_set_options(view, words);
}

int hierarchies_mount(struct view *view, const struct peer *peer, unsigned hierarchy,
		      uint64_t attributes)
{
	const struct view_hierarchy *chosen = &view->hierarchies[hierarchy];
	struct mount_attr change = {
		.attr_set = attributes | (view_is_read_only(view, hierarchy) ? MOUNT_ATTR_RDONLY : 0),
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW |
			    MOUNT_ATTR__ATIME,
		.propagation = MS_PRIVATE,
	};
	char path[PATH_MAX];
	struct text roots = {0}, root = {0};
	int error = cgroup_namespace_roots(view, peer, &roots);

	if (!error)
		error = view_root(view, &roots, chosen->option, strlen(chosen->option), &root);
	if (!error && snprintf(path, sizeof(path), "/%s%s", chosen->name, root.data) >= (int)sizeof(path))
		error = -ENAMETOOLONG;
	text_free(&roots);
	text_free(&root);
	return error ? error : mounts_clone(view, path, &change);
}

/* Whether there are cgroups in it: also those that limits hide. */
static bool is_populated(struct view *view, unsigned hierarchy)
{
	int fd = view_open_hierarchy(view, hierarchy);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = !directory;

	while (directory && !found && (entry = readdir(directory)))
		found = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
			strcmp(entry->d_name, "..");
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	return found;
}

/* Whether the filesystem is to be read-only or not, and the mount what `attributes` say. */
static int change(struct view *view, const struct peer *peer, unsigned hierarchy, bool read_only,
		  int mount, const struct mount_attr *attributes)
{
	struct mount_attr change = attributes ? *attributes : (struct mount_attr){0};
	int error = 0;

	change.attr_clr |= MOUNT_ATTR_RDONLY;
	if (read_only)
		change.attr_set |= MOUNT_ATTR_RDONLY;
	if (mount >= 0)
		error = mounts_change(peer, mount, &change);
	else if (read_only)
		error = -EBUSY; /* there is nothing to make read-only but all */
	if (!error)
		view_set_read_only(view, hierarchy, read_only);
	return error;
}

int hierarchies_remount(struct view *view, const struct peer *peer, unsigned hierarchy,
			const struct mount_options *options, int mount,
			const struct mount_attr *attributes)
{
	bool read_only = attributes && attributes->attr_set & MOUNT_ATTR_RDONLY;
	int error;

	if (!rights_of_admin(peer))
		return -EPERM;
	error = mount_options_change(view, options, hierarchy, is_populated(view, hierarchy));
	if (error)
		return error;
	if (options->access)
		read_only = options->read_only;
	if (options->access || attributes)
		error = change(view, peer, hierarchy, read_only, mount, attributes);
	if (!error)
		hierarchies_apply(view, peer, options);
	return error;
}
