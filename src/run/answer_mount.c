/* mount(2) of type cgroup: our hierarchies in place of the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "cgroup_namespace.h"
#include "peer.h"
#include "restricted.h"
#include "view.h"

/* --- which hierarchy: cgroup1_parse_param, check_cgroupfs_options, cgroup1_root_to_use --- */

/* Options that change nothing of what is mounted already. */
static const char *const tolerated[] = {"clone_children", "cpuset_v2_mode", "xattr", "favordynmods",
	"nofavordynmods", "ro", "rw", "sync", "async", "dirsync", "lazytime", "nolazytime", "mand",
	"nomand", ""};

struct request {
	const struct view_hierarchy *named; /* what "name=" means; NULL: there is none of that name */
	const struct view_hierarchy *controller; /* the last one */
	unsigned names;
	bool all, none, several, no_prefix;
};

static bool is_tolerated(const char *word)
{
	for (unsigned i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++) {
		if (!strcmp(word, tolerated[i]))
			return true;
	}
	return !strncmp(word, "release_agent=", 14);
}

static const struct view_hierarchy *find_hierarchy(const struct view *view, const char *word)
{
	for (unsigned i = 0; i < view->count; i++) {
		if (!strcmp(view->hierarchies[i].option, word))
			return &view->hierarchies[i];
	}
	return NULL;
}

static int take_word(const struct view *view, const char *word, struct request *request)
{
	const struct view_hierarchy *hierarchy = find_hierarchy(view, word);

	if (!strncmp(word, "name=", 5)) {
		request->named = hierarchy;
		request->names++;
	} else if (hierarchy) {
		request->several |= request->controller && request->controller != hierarchy;
		request->controller = hierarchy;
	} else if (!strcmp(word, "all")) {
		request->all = true;
	} else if (!strcmp(word, "none")) {
		request->none = true;
	} else if (!strcmp(word, "noprefix")) {
		request->no_prefix = true;
	} else if (!is_tolerated(word)) {
		return -EINVAL;
	}
	return 0;
}

static bool is_contradictory(const struct request *request)
{
	bool all = request->all || !(request->none || request->names || request->controller);
	bool cpuset = request->controller && !strcmp(request->controller->option, "cpuset");

	return request->names > 1 || (request->all && request->controller) ||
	       (request->none && (all || request->controller || !request->names)) ||
	       (request->no_prefix && (all || request->several || (request->controller && !cpuset)));
}

static int choose(const struct request *request, bool nested, const struct view_hierarchy **chosen)
{
	bool controllers = request->all || request->controller;

	if (is_contradictory(request))
		return -EINVAL;
	*chosen = request->names ? request->named : request->controller;
	if (request->named && controllers)
		return -EBUSY; /* it has none */
	if (request->named || (*chosen && !request->several))
		return 0;
	if (request->names && !controllers && !request->none)
		return -EINVAL;
	/* One more: there is no making it, in a namespace, or with controllers that are in use. */
	return nested || request->none ? -EPERM : -EBUSY;
}

int answers_choose_hierarchy(const struct view *view, const char *data, bool nested,
			     const struct view_hierarchy **chosen)
{
	struct request request = {0};
	char words[PATH_MAX], *rest = words, *word;
	int error = 0;

	snprintf(words, sizeof(words), "%s", data);
	while (!error && (word = strsep(&rest, ",")))
		error = take_word(view, word, &request);
	return error ? error : choose(&request, nested, chosen);
}

/* --- who may --- */

static bool has_sys_admin(const struct peer *peer)
{
	unsigned long long effective = 0;
	struct text status = {0};
	const char *line;

	if (!peer_proc_read(peer, "status", &status)) {
		text_add_bytes(&status, "", 1);
		line = status.error ? NULL : strstr(status.data, "\nCapEff:");
		if (line)
			sscanf(line, "\nCapEff: %llx", &effective);
	}
	text_free(&status);
	return effective >> CAP_SYS_ADMIN & 1;
}

static int open_namespace(const struct peer *peer, const char *kind)
{
	char name[32];

	snprintf(name, sizeof(name), "ns/%s", kind);
	return peer_proc_open(peer, name, O_RDONLY);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* ns_capable(): its capabilities hold in its own user namespace and in those below. */
static bool governs(const struct peer *peer, const char *kind)
{
	int own = open_namespace(peer, "user"), namespace = open_namespace(peer, kind);
	int user = ioctl(namespace, NS_GET_USERNS);
	bool found = false;

	while (user >= 0 && !found) {
		int parent = ioctl(user, NS_GET_PARENT);

		found = own >= 0 && inode_of(user) == inode_of(own);
		close(user);
		user = parent;
	}
	if (user >= 0)
		close(user);
	if (namespace >= 0)
		close(namespace);
	if (own >= 0)
		close(own);
	return found;
}

bool answers_may_mount(const struct peer *peer, const char *namespace)
{
	/* A Landlock domain permits no mounts. */
	return !is_restricted(peer) && has_sys_admin(peer) && governs(peer, namespace);
}

/* --- the mount --- */

/* path_mount() of fs/namespace.c. */
static uint64_t mount_attributes(unsigned long flags)
{
	uint64_t attributes = 0;

	attributes |= flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0;
	attributes |= flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0;
	attributes |= flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0;
	attributes |= flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0;
	attributes |= flags & MS_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0;
	if (flags & MS_STRICTATIME)
		attributes |= MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attributes |= MOUNT_ATTR_NOATIME;
	return attributes; /* MOUNT_ATTR_RELATIME is 0 */
}

/* Where the supervisor finds the cgroup `root` (seen from the top) of the hierarchy. */
static bool source_path(const struct view *view, const struct view_hierarchy *hierarchy,
			const char *root, char path[PATH_MAX])
{
	size_t hidden = view->mount ? 0 : strlen(view->prefix);

	if (strncmp(root, view->prefix, hidden))
		return false;
	return snprintf(path, PATH_MAX, "%s/%s%s", view->mount ? view->mount : view->at,
			hierarchy->name, root + hidden) < PATH_MAX;
}

/* A mount that is nowhere yet. */
static int open_mount(struct view *view, const char *path, unsigned long flags)
{
	struct mount_attr attributes = {
		.attr_set = mount_attributes(flags),
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR__ATIME,
		.propagation = MS_PRIVATE,
	};
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct statx about;
	int error = 0;

	if (fd < 0)
		return -errno;
	if (!view_has(view, fd, &about))
		error = -ENODEV; /* somebody has unmounted it, or mounted over it */
	else if (mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)))
		error = -errno;
	if (error)
		close(fd);
	return error ? error : fd;
}

struct attachment {
	int namespace, mount, target;
	int error;
};

/* A thread's: the namespace is its own to change, when its working directory is. */
static void *attach(void *argument)
{
	struct attachment *attachment = argument;

	if (unshare(CLONE_FS) || setns(attachment->namespace, CLONE_NEWNS) ||
	    move_mount(attachment->mount, "", attachment->target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		attachment->error = -errno;
	return NULL;
}

static int attach_in_namespace(const struct peer *peer, int mount, int target)
{
	struct attachment attachment = {open_namespace(peer, "mnt"), mount, target, 0};
	pthread_t thread;
	int error;

	if (attachment.namespace < 0)
		return attachment.namespace;
	error = pthread_create(&thread, NULL, attach, &attachment);
	if (!error)
		pthread_join(thread, NULL);
	close(attachment.namespace);
	return error ? -error : attachment.error;
}

static bool is_directory(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

int answers_bind(struct view *view, const struct peer *peer, const char *source, int target)
{
	struct statx about;
	int mount, error;

	if (!answers_may_mount(peer, "mnt"))
		return -EPERM;
	mount = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount < 0)
		return -errno;
	if (!view_has(view, mount, &about))
		error = -ENODEV;
	else if (S_ISDIR(about.stx_mode) != is_directory(target))
		error = -ENOTDIR;
	else
		error = attach_in_namespace(peer, mount, target);
	close(mount);
	return error;
}

int answers_mount(struct view *view, const struct peer *peer, const char *data, unsigned long flags, int target)
{
	const struct view_hierarchy *hierarchy;
	char root[PATH_MAX], path[PATH_MAX];
	struct text roots = {0};
	int error = cgroup_namespace_roots(view, peer, &roots), mount;

	if (!error)
		error = answers_choose_hierarchy(view, data, roots.len || view->prefix[0],
						 &hierarchy);
	if (!error)
		view_root(view, &roots, hierarchy->option, strlen(hierarchy->option), root);
	text_free(&roots);
	if (error)
		return error;
	if (!answers_may_mount(peer, "cgroup"))
		return -EPERM;
	if (!is_directory(target))
		return -ENOTDIR;
	if (!source_path(view, hierarchy, root, path))
		return -ENOENT;
	mount = open_mount(view, path, flags);
	if (mount < 0)
		return mount;
	error = attach_in_namespace(peer, mount, target);
	close(mount);
	return error;
}
