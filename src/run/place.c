/* SPDX-License-Identifier: MIT */
/* What a path names, for another task. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "identity.h"
#include "peer.h"
#include "shortage.h"

#define MAX_LINKS 40 /* MAXSYMLINKS of linux/namei.h */
#define WITHIN (RESOLVE_BENEATH | RESOLVE_IN_ROOT) /* of the directory where it starts */

/* A walk on its way. */
struct walk {
	const struct peer *peer;
	int root; /* the task's, or where it starts: what it does not leave */
	uint64_t resolve; /* openat2(2)'s restrictions */
	int at; /* the directory that `rest` is looked up in */
	char rest[2 * PATH_MAX]; /* what is still to be walked */
	unsigned links; /* followed so far */
};

int place_start(const struct peer *peer, int dirfd)
{
	return dirfd == AT_FDCWD ? peer_proc_open(peer, "cwd", O_PATH) : peer_file(peer, dirfd);
}

static bool is_same(int a, int b)
{
	struct stat one, other;

	return !fstat(a, &one) && !fstat(b, &other) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* A descriptor of the same file, or a negative errno. */
static int duplicate(int fd)
{
	return shortage_note_errno(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/* O_PATH of the name, or a negative errno. */
static int open_at(int directory, const char *name, int flags)
{
	return shortage_note_errno(openat(directory, name, O_PATH | O_CLOEXEC | flags));
}

static int open_at_restricted(int directory, const char *path, const struct open_how *how)
{
	return shortage_note_errno((int)syscall(__NR_openat2, directory, path, how, sizeof(*how)));
}

/* Goes on in `directory`, which is the walk's from now on. */
static void go_to(struct walk *walk, int directory)
{
	close(walk->at);
	walk->at = directory;
}

/* Takes the first name off the rest. False: there is none. */
static bool take_name(struct walk *walk, char *name)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");

	if (!len || len > NAME_MAX) {
		*name = '\0';
		return false;
	}
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	return true;
}

static bool is_last(const struct walk *walk)
{
	return !walk->rest[strspn(walk->rest, "/")];
}

/* It would tell of us. What it says to the task is found with the supervisor's rights. */
static int read_self_link(const struct walk *walk, const char *name, char *target, size_t size)
{
	bool found;
	int error;

	identity_return();
	found = proc_self(walk->peer, walk->at, name, target, size);
	error = identity_take_of(walk->peer);
	return error ? error : found ? 0 : -ENOENT;
}

static int read_link(const struct walk *walk, const char *name, char *target, size_t size)
{
	ssize_t len;

	if ((!strcmp(name, "self") || !strcmp(name, "thread-self")) && is_proc_root(walk->at))
		return read_self_link(walk, name, target, size);
	len = readlinkat(walk->at, name, target, size - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	return 0;
}

/*
 * Whether the task may follow the link: not a last one that another has put into a directory like /tmp.
 * The kernel says so before it says that it was to follow none. Source: pick_link() of fs/namei.c,
 * fs.protected_symlinks in proc_sys_fs(5).
 */
static bool may_follow(const struct walk *walk, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	int fd;

	if (!is_last(walk))
		return true;
	fd = open_at_restricted(walk->at, name, &how);
	if (fd >= 0)
		close(fd); /* somebody has put another thing there: its name was looked up before */
	return fd != -EACCES;
}

/* Puts the link's text before the rest. */
static int follow_text(struct walk *walk, const char *name)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	int root, error = may_follow(walk, name) ? read_link(walk, name, target, sizeof(target)) : -EACCES;

	if (error)
		return error;
	if (target[0] == '/' && walk->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	root = target[0] == '/' ? duplicate(walk->root) : AT_FDCWD;
	if (root >= 0)
		go_to(walk, root);
	else if (root != AT_FDCWD)
		return root;
	/* the rest is empty or begins with a slash */
	if (snprintf(rest, sizeof(rest), "%s%s", target, walk->rest) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(walk->rest, rest);
	return 0;
}

/* Links in /proc/PID (fd/N, root, cwd, exe) lead to the thing itself: their text is only a name. */
static bool is_magic(const struct walk *walk)
{
	return is_proc(walk->at) && !is_proc_root(walk->at);
}

static int step_up(struct walk *walk)
{
	int up;

	if (is_same(walk->at, walk->root))
		return walk->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	up = open_at(walk->at, "..", O_DIRECTORY);
	if (up < 0)
		return up;
	go_to(walk, up);
	return 0;
}

static bool is_link(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISLNK(st.st_mode);
}

bool place_is_directory(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

#define ST_NOSYMFOLLOW 0x2000 /* linux/statfs.h of the kernel, Linux 5.10 */

/* Whether links of its mount lead nowhere (mount(8), nosymfollow). */
static bool is_unfollowed(int link)
{
	struct statfs fs;

	return !fstatfs(link, &fs) && fs.f_flags & ST_NOSYMFOLLOW;
}

/* Source: nd_jump_link() of fs/namei.c. */
static int open_magic(const struct walk *walk, const char *name)
{
	if (walk->resolve & (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS))
		return -ELOOP;
	if (walk->resolve & WITHIN)
		return -EXDEV;
	return open_at(walk->at, name, 0);
}

/* What the name is, links followed but for such that put their text before the rest. */
static int open_step(struct walk *walk, const char *name, bool *magic, bool *again)
{
	int next = open_at(walk->at, name, O_NOFOLLOW);
	bool unfollowed;

	*magic = *again = false;
	if (next < 0)
		return next;
	if (!is_link(next))
		return next;
	unfollowed = is_unfollowed(next);
	close(next);
	if (unfollowed)
		return -ELOOP;
	if (is_magic(walk)) {
		*magic = true;
		return open_magic(walk, name);
	}
	*again = true;
	return follow_text(walk, name);
}

/*
 * Whether the name is not there: where processes are hidden, who may not search a directory is told the same.
 */
static bool is_missing(const struct walk *walk, int error)
{
	int here = error == -ENOENT ? open_at(walk->at, ".", 0) : -1;

	if (here >= 0)
		close(here);
	return here >= 0;
}

/* The walk has come to its end at `next`, or at a name that there is not. */
static int arrive(struct walk *walk, const char *name, int next, bool magic, struct place *place)
{
	place->fd = next;
	strcpy(place->name, name);
	place->parent = magic ? -1 : duplicate(walk->at);
	return magic || place->parent >= 0 ? 0 : place->parent;
}

static int walk_to_end(struct walk *walk, struct place *place)
{
	char name[NAME_MAX + 1];
	bool magic, again;
	int next;

	while (take_name(walk, name)) {
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			next = step_up(walk);
			if (next < 0)
				return next;
			continue;
		}
		next = open_step(walk, name, &magic, &again);
		if (next < 0 && is_last(walk) && is_missing(walk, next))
			return arrive(walk, name, -1, false, place);
		if (next < 0)
			return next;
		if (again)
			continue;
		if (walk->rest[0] && !place_is_directory(next)) { /* a slash, at least */
			close(next);
			return -ENOTDIR;
		}
		if (is_last(walk))
			return arrive(walk, name, next, magic, place);
		go_to(walk, next);
	}
	if (walk->rest[strspn(walk->rest, "/")])
		return -ENAMETOOLONG;
	place->fd = duplicate(walk->at);
	return place->fd < 0 ? place->fd : 0;
}

static int open_root(const struct walk *walk, int dirfd)
{
	if (walk->resolve & WITHIN)
		return place_start(walk->peer, dirfd);
	return peer_proc_open(walk->peer, "root", O_PATH);
}

/* Where the path starts. */
static int open_start(const struct walk *walk, int dirfd)
{
	if (walk->rest[0] == '/' || walk->resolve & WITHIN)
		return duplicate(walk->root);
	return place_start(walk->peer, dirfd);
}

int place_find(const struct peer *peer, int dirfd, const char *path, struct place *place)
{
	return place_find_restricted(peer, dirfd, path, 0, place);
}

int place_find_restricted(const struct peer *peer, int dirfd, const char *path, uint64_t resolve,
			  struct place *place)
{
	struct walk walk = {.peer = peer, .resolve = resolve};
	int error;

	*place = (struct place){.fd = -1, .parent = -1};
	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(walk.rest, path);
	walk.root = open_root(&walk, dirfd);
	if (walk.root < 0)
		return walk.root;
	walk.at = open_start(&walk, dirfd);
	error = walk.at < 0 ? walk.at : identity_take_of(peer);
	if (!error)
		error = walk_to_end(&walk, place);
	identity_return();
	if (walk.at >= 0)
		close(walk.at);
	close(walk.root);
	if (error)
		place_close(place);
	return error;
}

bool place_is_permitted(const struct peer *peer, int dirfd, const char *path, uint64_t flags,
			uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW),
		.resolve = resolve,
	};
	int start, fd, error;

	if (!how.resolve && !(flags & O_NOFOLLOW))
		return true;
	start = place_start(peer, dirfd);
	if (identity_take_of(peer)) {
		fd = -1;
		error = EINVAL;
	} else {
		fd = open_at_restricted(start, path, &how);
		error = fd < 0 ? -fd : 0;
	}
	identity_return();
	if (fd >= 0 && flags & O_NOFOLLOW && is_link(fd))
		error = ELOOP;
	if (fd >= 0)
		close(fd);
	if (start >= 0)
		close(start);
	/* That our own /proc/self has no such file says nothing of the task's. */
	return error != ELOOP && error != EXDEV && error != EINVAL;
}

int place_open_quickly(const struct peer *peer, const char *path, const char *at)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root, fd;

	if (*path != '/')
		return -EAGAIN;
	/* /sys has nothing cached for such a walk, and neither it nor our daemon waits for a program. */
	how.resolve |= strncmp(path, at, strlen(at)) ? RESOLVE_CACHED : RESOLVE_NO_SYMLINKS;
	root = peer_proc_open(peer, "root", O_PATH);
	fd = identity_take_of(peer) ? -1 : open_at_restricted(root, path, &how);
	identity_return();
	if (fd < 0)
		fd = -EAGAIN;
	if (root >= 0)
		close(root);
	return fd;
}

int place_open(const struct peer *peer, int dirfd, const char *path)
{
	struct place place;
	int error, fd;

	error = place_find(peer, dirfd, path, &place);
	if (error)
		return error;
	fd = place.fd >= 0 ? place.fd : -ENOENT;
	place.fd = -1;
	place_close(&place);
	return fd;
}

void place_close(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	if (place->parent >= 0)
		close(place->parent);
	place->fd = place->parent = -1;
}
