/* SPDX-License-Identifier: MIT */
/* Our mount, and what its daemon tells of cgroups. */
#include "view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "membership.h"
#include "peer.h"
#include "shortage.h"
#include "visit.h"

#define FUSE_ROOT_INO 1
#define ATTRIBUTE_MAX 65536 /* XATTR_SIZE_MAX */

/* One of the attributes of the top that stand for files of /proc (fuse_cgroupfs' attributes.c). */
static int ask(struct view *view, const char *name, struct text *out)
{
	char path[64], answer[ATTRIBUTE_MAX];
	ssize_t len;
	int error;

	pthread_rwlock_rdlock(&view->lock);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", view->top);
	len = getxattr(path, name, answer, sizeof(answer));
	error = len < 0 ? -errno : 0;
	pthread_rwlock_unlock(&view->lock);
	if (error)
		return error;
	text_clear(out);
	text_add_bytes(out, answer, (size_t)len);
	return out->error;
}

static bool learn_hierarchy(struct view *view, const struct membership *membership)
{
	static const char named[] = "name=";
	struct view_hierarchy *hierarchy = &view->hierarchies[view->count];
	const char *name;

	if (view->count == VIEW_MAX_HIERARCHIES || membership->word_len >= VIEW_NAME_MAX)
		return false;
	snprintf(hierarchy->option, VIEW_NAME_MAX, "%.*s", (int)membership->word_len,
		 membership->word);
	name = hierarchy->option;
	if (!strncmp(name, named, strlen(named)))
		name += strlen(named);
	view->unified = !*name;
	snprintf(hierarchy->name, VIEW_NAME_MAX, "%s", view->unified ? "." : name);
	view->count++;
	return true;
}

/* Its hierarchies are those that this process is in. */
static int learn_hierarchies(struct view *view)
{
	struct membership membership;
	struct text text = {0};
	const char *at, *line;
	size_t len;
	char name[64];
	int error;

	snprintf(name, sizeof(name), "system.cgroup.%d", getpid());
	error = ask(view, name, &text);
	view->count = 0;
	at = text.data;
	while (!error && (line = membership_next_line(&at, text.data + text.len, &len))) {
		if (!membership_split(line, len, &membership) ||
		    !learn_hierarchy(view, &membership))
			error = -EPROTO;
	}
	text_free(&text);
	return error == -EOPNOTSUPP || error == -ENODATA ? -ENOTSUP : error;
}

const char *view_type(const struct view *view)
{
	return view->unified ? "cgroup2" : "cgroup";
}

/* Tries it with a file that every cgroup has. */
static bool try_copy(const struct view *view)
{
	char path[VIEW_NAME_MAX + sizeof("/cgroup.controllers")];
	int file, ends[2];
	ssize_t copied;

	if (!view->count || pipe2(ends, O_CLOEXEC))
		return false;
	snprintf(path, sizeof(path), "%s/%s", view->hierarchies[0].name,
		 view->unified ? "cgroup.controllers" : "notify_on_release");
	file = openat(view->top, path, O_RDONLY | O_CLOEXEC);
	copied = sendfile(ends[1], file, NULL, 1);
	if (file >= 0)
		close(file);
	close(ends[0]);
	close(ends[1]);
	return copied > 0;
}

/* Whether what is at `path` can be what is shown, and its device. */
static int look_at(const char *path, dev_t *device)
{
	int top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;
	int error = 0;

	if (top < 0 || fstatfs(top, &fs) || fstat(top, &st))
		error = -errno;
	else if ((unsigned long)fs.f_type != FUSE_SUPER_MAGIC)
		error = -ENOTSUP;
	else
		*device = st.st_dev;
	if (top >= 0)
		close(top);
	return error;
}

static void forget(int top, int home)
{
	if (top >= 0)
		close(top);
	if (home >= 0)
		close(home);
}

/*
 * The mount's root in a namespace that has nothing else. An ordinary user that shows a tree without mounting
 * it (--redirect) can have none: his is the root where it is, and nobody mounts more of it.
 */
static int open_top(const char *path, int *home)
{
	int top = -1;

	*home = visit_shut_in(path, &top);
	if (*home >= 0)
		return top;
	if (*home != -EPERM)
		return *home;
	*home = -1;
	top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -errno : top;
}

int view_open(struct view *view, const char *path)
{
	dev_t device;
	int error = look_at(path, &device), top, home, top_before, home_before;

	if (error)
		return error;
	top = open_top(path, &home);
	if (top < 0)
		return top;
	pthread_rwlock_wrlock(&view->lock);
	top_before = view->top;
	home_before = view->home;
	view->top = top;
	view->home = home;
	view->device = device;
	pthread_rwlock_unlock(&view->lock);
	forget(top_before, home_before);
	if (view->count)
		return 0;
	error = learn_hierarchies(view);
	view->copies = !error && try_copy(view);
	return error;
}

int view_open_hierarchy(struct view *view, unsigned hierarchy)
{
	int fd;

	pthread_rwlock_rdlock(&view->lock);
	fd = openat(view->top, view->hierarchies[hierarchy].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	pthread_rwlock_unlock(&view->lock);
	return fd;
}

bool view_is_read_only(struct view *view, unsigned hierarchy)
{
	bool read_only;

	pthread_rwlock_rdlock(&view->lock);
	read_only = view->hierarchies[hierarchy].read_only;
	pthread_rwlock_unlock(&view->lock);
	return read_only;
}

void view_set_read_only(struct view *view, unsigned hierarchy, bool read_only)
{
	pthread_rwlock_wrlock(&view->lock);
	view->hierarchies[hierarchy].read_only = read_only;
	pthread_rwlock_unlock(&view->lock);
}

bool view_has(struct view *view, int file, struct statx *about)
{
	bool has;

	if (shortage_note_errno(statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
				      about)))
		return false;
	pthread_rwlock_rdlock(&view->lock);
	has = view->device == makedev(about->stx_dev_major, about->stx_dev_minor);
	pthread_rwlock_unlock(&view->lock);
	return has;
}

bool view_is_top(const struct view *view, const struct statx *about)
{
	return about->stx_ino == FUSE_ROOT_INO && !view->unified;
}

int view_cgroups(struct view *view, struct text *out)
{
	return ask(view, "system.cgroups", out);
}

/* By the number as the daemon knows it. */
static int ask_memberships(struct view *view, const char *number, struct text *out)
{
	char name[64];

	snprintf(name, sizeof(name), "system.cgroup.%s", number);
	return ask(view, name, out);
}

int view_memberships(struct view *view, const struct peer *peer, struct text *out)
{
	char number[PEER_NAME_MAX];
	int error;

	peer_name(peer, number);
	error = ask_memberships(view, number, out);
	return peer_is_there(peer) ? error : -ESRCH;
}

int view_options(struct view *view, struct text *out)
{
	return ask(view, "system.cgroup.options", out);
}

/* A daemon in another cgroup namespace than ours (--root) does not take it: then it knows no namespaces. */
static void tell(struct view *view, const char *name, const char *value)
{
	char path[64];

	pthread_rwlock_rdlock(&view->lock);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", view->top);
	setxattr(path, name, value, strlen(value), 0);
	pthread_rwlock_unlock(&view->lock);
}

void view_set_options(struct view *view, const char *words)
{
	tell(view, "system.cgroup.options", words);
}

void view_expect_namespace(struct view *view, const struct peer *peer)
{
	char number[PEER_NAME_MAX];

	peer_name(peer, number);
	tell(view, "system.cgroup.namespace", number);
}

bool view_is_outside(const struct view *view, const struct peer *peer)
{
	struct stat ours, theirs;
	int error;

	if (view->outside < 0 || fstat(view->outside, &ours))
		return false;
	error = peer_look(view->machine, peer, "ns/mnt", &theirs);
	/* Of whom a user may not know it, it is no descendant of the user's launcher. */
	return error == -EACCES || (!error && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

/* Reads the beginning of a file of the tree, as a string of at most `size` bytes with its NUL. */
static bool read_start(struct view *view, const char *path, char *start, size_t size)
{
	ssize_t len;
	int fd;

	pthread_rwlock_rdlock(&view->lock);
	fd = openat(view->top, path, O_RDONLY | O_CLOEXEC);
	pthread_rwlock_unlock(&view->lock);
	if (fd < 0)
		return false; /* the root has no such file */
	len = read(fd, start, size - 1);
	close(fd);
	start[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/* v1: freezer.state tells of what ancestors have stopped, too. */
static bool is_freezing(struct view *view, const struct membership *membership)
{
	char path[PATH_MAX], state[sizeof("THAWED")];

	snprintf(path, sizeof(path), "freezer%.*s/freezer.state", (int)membership->path_len,
		 membership->path);
	return read_start(view, path, state, sizeof(state)) && strcmp(state, "THAWED");
}

/* v2: whether the cgroup or one above it is to be frozen. */
static bool is_frozen_from_above(struct view *view, const struct membership *membership)
{
	char path[PATH_MAX], state[2];
	size_t len = membership->path_len;

	for (; len > 1; len = (const char *)memrchr(membership->path, '/', len) - membership->path) {
		snprintf(path, sizeof(path), ".%.*s/cgroup.freeze", (int)len, membership->path);
		if (read_start(view, path, state, sizeof(state)) && *state == '1')
			return true;
	}
	return false;
}

bool view_is_frozen(struct view *view, pid_t tid)
{
	const char *word = view->unified ? "" : "freezer";
	struct membership membership;
	struct text text = {0};
	char number[16];
	bool frozen = false;

	snprintf(number, sizeof(number), "%d", tid);
	if (!ask_memberships(view, number, &text) &&
	    membership_find(&text, word, strlen(word), &membership))
		frozen = view->unified ? is_frozen_from_above(view, &membership)
				       : is_freezing(view, &membership);
	text_free(&text);
	return frozen;
}
