/* SPDX-License-Identifier: MIT */
/* Where paths lead that begin with the tree's place. */
#include "redirect.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "peer.h"
#include "view.h"

/* Takes the next name off the path, slashes before it and names "." too. False: there is none. */
static bool take_name(const char **path, const char **name, size_t *len)
{
	do {
		*name = *path + strspn(*path, "/");
		*len = strcspn(*name, "/");
		*path = *name + *len;
	} while (*len == 1 && **name == '.');
	return *len;
}

/* Takes the place's names off the path. False: it begins with others. */
static bool take_place(const char **path, const char *at)
{
	const char *name, *wanted;
	size_t len, wanted_len;

	while (take_name(&at, &wanted, &wanted_len)) {
		if (!take_name(path, &name, &len) || len != wanted_len || memcmp(name, wanted, len))
			return false;
	}
	return **path == '/' || !**path;
}

/* As many steps up as the prefix has names, of which each has two bytes at least. */
static const char *out_of(const char *prefix)
{
	static const char steps[] = "/../../../../../../../../../../../../../../../.."
				    "/../../../../../../../../../../../../../../../..";
	const char *end = steps + sizeof(steps) - 1;

	for (; *prefix; prefix++)
		end -= *prefix == '/' ? 3 : 0;
	return end;
}

/*
 * What follows a name on the way from the top: the name of each of v1's hierarchies leads through the prefix,
 * and what leaves it leads out of that too. NULL: it leaves the tree.
 */
static const char *hidden_part(const struct view *view, const char *name, size_t len, unsigned *depth)
{
	if (!len || (len == 1 && *name == '.'))
		return "";
	if (len != 2 || memcmp(name, "..", 2))
		return (*depth)++ || view->unified ? "" : view->prefix;
	if (!*depth)
		return NULL;
	return --*depth || view->unified ? "" : out_of(view->prefix);
}

bool redirect_from_top(const struct view *view, const char *path, char *target)
{
	int used = snprintf(target, PATH_MAX, "%s%s", view->mount, view->unified ? view->prefix : "");
	const char *name, *hidden;
	unsigned depth = 0;
	size_t len;

	while (used < PATH_MAX && *path) {
		name = path + strspn(path, "/");
		len = strcspn(name, "/");
		path = name + len;
		hidden = hidden_part(view, name, len, &depth);
		if (!hidden)
			return false;
		used += snprintf(target + used, PATH_MAX - (size_t)used, "/%.*s%s", (int)len, name,
				 hidden);
	}
	return used < PATH_MAX;
}

bool redirect_path(const struct view *view, const char *path, char *target)
{
	return *path == '/' && take_place(&path, view->at) && redirect_from_top(view, path, target);
}

bool redirect_back(const struct view *view, const char *target, char *path)
{
	size_t len = strlen(view->mount), name, prefix = strlen(view->prefix);

	if (strncmp(target, view->mount, len) || (target[len] && target[len] != '/'))
		return false;
	target += len;
	name = *target && !view->unified ? 1 + strcspn(target + 1, "/") : 0;
	if (strncmp(target + name, view->prefix, prefix))
		prefix = 0;
	return snprintf(path, PATH_MAX, "%s%.*s%s", view->at, (int)name, target,
			target + name + prefix) < PATH_MAX;
}

static bool has_our_root(const struct peer *peer)
{
	struct stat ours, other;

	return !stat("/", &ours) && !peer_proc_stat(peer, "root", &other) &&
	       ours.st_dev == other.st_dev && ours.st_ino == other.st_ino;
}

bool redirect_path_of(const struct view *view, const struct peer *peer, const char *path, char *target)
{
	return redirect_path(view, path, target) && has_our_root(peer);
}
