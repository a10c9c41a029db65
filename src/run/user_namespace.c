/* SPDX-License-Identifier: MIT */
/* The right to mount, for who has not got it. */
#include "user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "fuse_device.h"
#include "text.h"
#include "write_file.h"

static const struct kind {
	const char *map, *others; /* the process' own file, and the format of another's path */
} users = {"/proc/self/uid_map", "/proc/%d/uid_map"}, groups = {"/proc/self/gid_map", "/proc/%d/gid_map"};

/* False with errno. */
static bool tell_kernel(const char *path, const char *text)
{
	int error = write_file(AT_FDCWD, path, text);

	if (error)
		errno = -error;
	return !error;
}

/*
 * Maps whoever is known here to the same number there. A map of all there can be is the first namespace's
 * mark, by which runtimes decide whether devices can be made (crun, runc and containerd read the map): here
 * none can. So the last one, whom nobody uses, is left out.
 */
static bool map_all(const struct kind *kind, pid_t pid)
{
	FILE *known = fopen(kind->map, "re");
	struct text map = {0};
	unsigned first, count;
	char path[64];
	bool written;

	while (known && fscanf(known, "%u %*u %u", &first, &count) == 2)
		text_printf(&map, "%u %u %u\n", first, first, count == UINT32_MAX ? count - 1 : count);
	if (known)
		fclose(known);
	snprintf(path, sizeof(path), kind->others, pid);
	text_add_bytes(&map, "", 1);
	written = !map.error && map.len > 1 && tell_kernel(path, map.data);
	text_free(&map);
	return written;
}

static bool map_one(const struct kind *kind, unsigned id)
{
	char map[64];

	snprintf(map, sizeof(map), "%u %u 1", id, id);
	return tell_kernel(kind->map, map);
}

/* What is missing of the two maps, of which `written` are there: users' is the first. */
static bool map_itself(int written, uid_t uid, gid_t gid)
{
	if (written == 2)
		return true;
	if (!tell_kernel("/proc/self/setgroups", "deny") && errno != ENOENT)
		return false;
	return (written || map_one(&users, uid)) && map_one(&groups, gid);
}

/*
 * Only who stays outside may map all: a child, which waits until its parent is inside. It ends
 * with the number of maps that it has written. Its channel's end, or -1.
 */
static int prepare_to_map(pid_t *child)
{
	pid_t parent = getpid();
	int ends[2];

	if (!channel_open(ends))
		return -1;
	*child = fork();
	if (!*child) {
		close(ends[0]);
		if (channel_receive(ends[1]).word != CHANNEL_GO || !map_all(&users, parent))
			_exit(0);
		_exit(map_all(&groups, parent) ? 2 : 1);
	}
	close(ends[1]);
	if (*child > 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

static bool complain(const char *what, const char *advice)
{
	fprintf(stderr, "fuse_cgroup_run: %s: %s: %s\n", what, strerror(errno), advice);
	return false;
}

bool user_namespace_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int end, error, status = 0;
	char problem[256];
	bool is_inside;
	pid_t child;

	/* Inside nobody can make the device. What is wrong with it the daemon says. */
	fuse_device_check(problem, sizeof(problem));
	end = prepare_to_map(&child);
	is_inside = end >= 0 && !unshare(CLONE_NEWUSER | CLONE_NEWNS);
	error = errno;

	if (end >= 0) {
		channel_send(end, is_inside ? CHANNEL_GO : CHANNEL_FAILED, -1);
		close(end);
		waitpid(child, &status, 0);
	}
	errno = error;
	if (!is_inside)
		return complain("a mount namespace of its own cannot be had",
				"run as root, or where user namespaces are permitted");
	if (map_itself(WEXITSTATUS(status), uid, gid))
		return true;
	return complain("this user cannot be mapped into a user namespace",
			uid ? "run as root"
			    : "root needs CAP_SETFCAP for that, any other user nothing");
}
