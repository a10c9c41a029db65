/* SPDX-License-Identifier: MIT */
/* Mounts of our tree. */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attributes.h"
#include "mount_line.h"
#include "namespace.h"
#include "peer.h"
#include "text.h"
#include "view.h"
#include "visit.h"

/* What a thread in the other namespace is to do. */
struct errand {
	const char *path;
	const struct mount_attr *attributes;
	int mount, target;
	unsigned flags;
	const struct place *place;
};

static int clone_mount(void *argument)
{
	const struct errand *errand = argument;
	int mount = open_tree(errand->mount, errand->path + strspn(errand->path, "/"),
			      AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int error;

	if (mount < 0)
		return -errno;
	error = attributes_set_detached(&mount, errand->attributes);
	if (error)
		close(mount);
	return error ? error : mount;
}

/* -1: of the whole tree. A clone's clone can be made by whoever has made the clone, there. */
static int clone_at_home(struct view *view, int mount, const char *path,
			 const struct mount_attr *attributes)
{
	struct errand errand = {.mount = mount, .path = path, .attributes = attributes};
	int result;

	pthread_rwlock_rdlock(&view->lock);
	if (mount < 0)
		errand.mount = view->top;
	result = visit(view->home, clone_mount, &errand);
	pthread_rwlock_unlock(&view->lock);
	return result;
}

int mounts_clone(struct view *view, const char *path, const struct mount_attr *attributes)
{
	return clone_at_home(view, -1, path, attributes);
}

int mounts_clone_again(struct view *view, int mount, const struct mount_attr *attributes)
{
	return clone_at_home(view, mount, "", attributes);
}

/* In the task's namespace, as long as it is the task that asked. */
static int do_there(const struct peer *peer, int (*work)(void *argument), void *argument)
{
	int namespace = peer_proc_open(peer, "ns/mnt", O_RDONLY), result;

	if (namespace < 0)
		return namespace;
	result = peer_is_there(peer) ? visit(namespace, work, argument) : -ESRCH;
	close(namespace);
	return result;
}

static int attach(void *argument)
{
	const struct errand *errand = argument;

	return move_mount(errand->mount, "", errand->target, "",
			  errand->flags | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
		       ? -errno
		       : 0;
}

int mounts_attach(const struct peer *peer, int mount, int target, unsigned flags)
{
	return do_there(peer, attach,
			&(struct errand){.mount = mount, .target = target, .flags = flags});
}

static int change(void *argument)
{
	const struct errand *errand = argument;

	return attributes_set(errand->mount, errand->attributes);
}

int mounts_change(const struct peer *peer, int mount, const struct mount_attr *attributes)
{
	return do_there(peer, change,
			&(struct errand){.mount = mount, .attributes = attributes});
}

/* From the directory it is in: a descriptor of its own would keep it busy. */
static int unmount(void *argument)
{
	const struct errand *errand = argument;
	const struct place *place = errand->place;
	bool has_name = place->parent >= 0;

	if (fchdir(has_name ? place->parent : place->fd) ||
	    umount2(has_name ? place->name : ".", (int)errand->flags | UMOUNT_NOFOLLOW))
		return -errno;
	return 0;
}

int mounts_unmount(const struct peer *peer, const struct place *place, int flags)
{
	return do_there(peer, unmount, &(struct errand){.place = place, .flags = (unsigned)flags});
}

/* A directory in its mount, where statx(2) does not tell: gVisor. */
static bool has_no_parent(int file, const struct statx *about)
{
	struct statx parent;

	return !statx(file, "..", AT_STATX_DONT_SYNC, STATX_MNT_ID | STATX_INO, &parent) &&
	       (parent.stx_mnt_id != about->stx_mnt_id || parent.stx_ino == about->stx_ino);
}

bool mounts_identify(int file, struct mount_identity *identity)
{
	struct statx about;

	if (statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID | STATX_INO, &about) ||
	    !(about.stx_mask & STATX_MNT_ID))
		return false;
	identity->id = about.stx_mnt_id;
	identity->is_root = about.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT
				    ? about.stx_attributes & STATX_ATTR_MOUNT_ROOT
				    : has_no_parent(file, &about);
	return true;
}

/* The first mount of the task's mountinfo that is looked for. False: there is none. */
static bool find_mount(const struct peer *peer, bool (*is_it)(const struct mount *mount, void *wanted),
		       void *wanted)
{
	struct text table = {0};
	struct slice rest, line;
	struct mount mount;
	bool found = false;

	if (!peer_proc_read(peer, "mountinfo", &table)) {
		rest = slice_of_text(&table);
		while (!found && mount_take_line(&rest, &line))
			found = mount_parse(line, &mount) && is_it(&mount, wanted);
	}
	text_free(&table);
	return found;
}

static void copy_path(struct slice word, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s", SLICE(word));
	text_unescape(path);
}

struct numbered {
	uint64_t id;
	char *root, *point; /* of PATH_MAX bytes each, for the answer */
};

static bool has_id(const struct mount *mount, void *wanted)
{
	const struct numbered *numbered = wanted;

	if (strtoull(mount->id.data, NULL, 10) != numbered->id)
		return false;
	copy_path(mount->root, numbered->root);
	copy_path(mount->point, numbered->point);
	return true;
}

bool mounts_find(const struct peer *peer, uint64_t id, char root[PATH_MAX], char point[PATH_MAX])
{
	return find_mount(peer, has_id, &(struct numbered){id, root, point});
}

static bool is_kernels_below(const struct mount *mount, void *wanted)
{
	char point[PATH_MAX];

	if (!slice_is(mount->type, "cgroup") && !slice_is(mount->type, "cgroup2"))
		return false;
	copy_path(mount->point, point);
	return namespace_is_below(point, wanted);
}

bool mounts_has_kernels(const struct peer *peer, const char *point)
{
	return find_mount(peer, is_kernels_below, (void *)point);
}

static int hierarchy_of_root(const struct view *view, const char *root)
{
	if (view->unified)
		return 0;
	for (unsigned i = 0; i < view->count; i++) {
		size_t len = strlen(view->hierarchies[i].name);

		if (*root == '/' && !strncmp(root + 1, view->hierarchies[i].name, len) &&
		    (root[len + 1] == '/' || !root[len + 1]))
			return (int)i;
	}
	return -1;
}

int mounts_hierarchy(struct view *view, const struct peer *peer, int file)
{
	char root[PATH_MAX], point[PATH_MAX];
	struct mount_identity identity;

	if (!mounts_identify(file, &identity) || !mounts_find(peer, identity.id, root, point))
		return -1;
	return hierarchy_of_root(view, root);
}
