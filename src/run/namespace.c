/* SPDX-License-Identifier: MIT */
/* The mounts that the command sees. */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "advice.h"
#include "user_namespace.h"
#include "view.h"

#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME)

/* A limit that has been reached is the reason for whatever it is. */
static bool complain(const char *what, const char *advice)
{
	const char *limit = advice_on(errno);

	fprintf(stderr, "fuse_cgroup_run: %s: %s%s%s\n", what, strerror(errno),
		!*limit && *advice ? ": " : "", *limit ? limit : advice);
	return false;
}

/* Whether "/" is in a peer group: its line in mountinfo has the word shared:N. */
static bool is_root_shared(void)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, point[3];
	bool shared = false;
	size_t size = 0;

	while (table && getline(&line, &size, table) > 0) {
		if (sscanf(line, "%*u %*u %*s %*s %2s", point) == 1 && !strcmp(point, "/"))
			shared = strstr(line, " shared:");
	}
	free(line);
	if (table)
		fclose(table);
	return shared;
}

bool namespace_enter(void)
{
	bool shared = is_root_shared();

	if (unshare(CLONE_NEWNS) && !user_namespace_enter())
		return false;
	/* What is mounted outside shows inside, not the other way; inside it is shared as it was. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    (shared && mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL)))
		return complain("/", "its mounts cannot be made private");
	return true;
}

bool namespace_find(const char *at, char *real)
{
	struct stat st;

	if (realpath(at, real) && !stat(real, &st)) {
		if (S_ISDIR(st.st_mode))
			return true;
		errno = ENOTDIR;
	}
	return complain(at, "mount sysfs first, or choose another directory with --at");
}

bool namespace_is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return !strncmp(path, directory, len) && (path[len] == '/' || !path[len]);
}

/* The last mount on `at` or below it; false: there is none. */
static bool last_mount(const char *at, char *point)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, candidate[PATH_MAX];
	bool found = false;
	size_t size = 0;

	while (table && getline(&line, &size, table) > 0) {
		if (sscanf(line, "%*u %*u %*s %*s %4095s", candidate) != 1 ||
		    !namespace_is_below(candidate, at))
			continue;
		strcpy(point, candidate);
		found = true;
	}
	free(line);
	if (table)
		fclose(table);
	return found;
}

/* False: what a user namespace has locked stays below ours, and out of sight. */
static bool unmount_below(const char *at)
{
	char point[PATH_MAX];

	while (last_mount(at, point)) {
		if (umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW))
			return false;
	}
	return true;
}

static int clone_tree(const char *fuse, const char *cgroup)
{
	char path[PATH_MAX];
	int tree;

	snprintf(path, sizeof(path), "%s%s", fuse, cgroup);
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		complain(path, "the tree cannot be mounted");
	return tree;
}

/* With its options before it is attached: from then on whoever gets what is mounted here has a copy of it. */
static bool attach(int tree, bool read_only, const char *at)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			    (read_only ? MOUNT_ATTR_RDONLY : 0),
		.attr_clr = MOUNT_ATTR__ATIME, /* relatime */
	};
	unsigned long flags = MS_BIND | MS_REMOUNT | FLAGS | (read_only ? MS_RDONLY : 0);
	bool set = !mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes));

	/* Linux 5.12 has the call, gVisor not. */
	if ((!set && errno != ENOSYS) || move_mount(tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) ||
	    (!set && mount(NULL, at, NULL, flags, NULL)))
		return complain(at, "the tree cannot be mounted");
	return true;
}

static bool mount_hierarchy(const struct view *view, const char *fuse, const char *at,
			    const struct view_hierarchy *hierarchy)
{
	char from[PATH_MAX], to[PATH_MAX];
	bool attached;
	int tree;

	snprintf(from, sizeof(from), "/%s%s", hierarchy->name, view->prefix);
	snprintf(to, sizeof(to), "%s/%s", at, hierarchy->name);
	tree = clone_tree(fuse, from);
	if (tree < 0)
		return false;
	attached = attach(tree, hierarchy->read_only, to);
	close(tree);
	return attached;
}

static bool mount_hierarchies(const struct view *view, const char *fuse, const char *at)
{
	char path[PATH_MAX];

	for (unsigned i = 0; i < view->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", at, view->hierarchies[i].name);
		if (mkdir(path, 0755))
			return complain(path, "");
		if (!mount_hierarchy(view, fuse, at, &view->hierarchies[i]))
			return false;
	}
	return true;
}

/* v2: the place is the whole mount, or the command's own cgroup of it. */
static bool attach_unified(struct view *view, int tree, const char *at, bool covers)
{
	struct stat st;

	if (!attach(tree, view->hierarchies[0].read_only, at))
		return false;
	if (stat(at, &st))
		return complain(at, "the tree cannot be mounted");
	view->cover = covers ? st.st_dev : 0;
	return true;
}

/* v1: the tmpfs, and what goes into it from the FUSE mount `tree`, which is mounted in there meanwhile. */
static bool mount_from(struct view *view, int tree, const char *at)
{
	char fuse[PATH_MAX];
	bool covers, mounted;
	struct stat st;

	covers = !unmount_below(at);
	if (mount("tmpfs", at, "tmpfs", FLAGS, "mode=755") || stat(at, &st))
		return complain(at, "a tmpfs cannot be mounted");
	view->cover = covers ? st.st_dev : 0;
	snprintf(fuse, sizeof(fuse), "%s/.fuse", at);
	if (mkdir(fuse, 0700) || move_mount(tree, "", AT_FDCWD, fuse, MOVE_MOUNT_F_EMPTY_PATH))
		return complain(fuse, "the tree cannot be mounted");
	mounted = mount_hierarchies(view, fuse, at);
	umount2(fuse, MNT_DETACH);
	rmdir(fuse);
	return mounted;
}

bool namespace_mount(struct view *view, const char *fuse, const char *at)
{
	/* Before anything is unmounted: `fuse` may be at `at` itself, or below. */
	int tree = clone_tree(fuse, view->unified ? view->prefix : "");
	bool mounted;

	if (tree < 0)
		return false;
	mounted = view->unified ? attach_unified(view, tree, at, !unmount_below(at))
				: mount_from(view, tree, at);
	close(tree);
	return mounted;
}

/* Without asking the daemon of what may be there, which has died. */
static bool is_of(const char *path, dev_t device)
{
	struct statx about;

	return !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &about) &&
	       makedev(about.stx_dev_major, about.stx_dev_minor) == device;
}

static void mount_unified_again(struct view *view, const char *fuse, const char *at, dev_t before)
{
	int tree = is_of(at, before) ? clone_tree(fuse, view->prefix) : -1;

	if (tree < 0)
		return; /* it was taken away, or something is mounted on it */
	umount2(at, MNT_DETACH);
	attach_unified(view, tree, at, view->cover);
	close(tree);
}

void namespace_mount_again(struct view *view, const char *fuse, const char *at, dev_t before)
{
	char path[PATH_MAX];

	if (view->unified) {
		mount_unified_again(view, fuse, at, before);
		return;
	}
	for (unsigned i = 0; i < view->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", at, view->hierarchies[i].name);
		if (!is_of(path, before))
			continue; /* it was taken away, or something is mounted on it */
		umount2(path, MNT_DETACH);
		mount_hierarchy(view, fuse, at, &view->hierarchies[i]);
	}
}
