/* SPDX-License-Identifier: MIT */
/* Who may mount. */
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"
#include "peer.h"
#include "restricted.h"
#include "shortage.h"

static bool has_sys_admin(const struct peer *peer)
{
	uint64_t effective;

	/* A Landlock domain permits no mounts. */
	return !is_restricted(peer) && !peer_capabilities(peer, &effective) &&
	       effective >> CAP_SYS_ADMIN & 1;
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/*
 * The task's capabilities hold in its own user namespace and in those below: is this one, to be closed, one?
 */
static bool governs(const struct peer *peer, int user)
{
	int own = peer_proc_open(peer, "ns/user", O_RDONLY);
	bool found = false;

	while (user >= 0 && !found) {
		int parent = shortage_note_errno(ioctl(user, NS_GET_PARENT));

		found = own >= 0 && inode_of(user) == inode_of(own);
		close(user);
		user = parent;
	}
	if (user >= 0)
		close(user);
	if (own >= 0)
		close(own);
	return found;
}

bool rights_over(const struct peer *peer, const char *namespace)
{
	char name[32];
	bool tells_not; /* gVisor */
	int fd, user;

	snprintf(name, sizeof(name), "ns/%s", namespace);
	fd = peer_proc_open(peer, name, O_RDONLY);
	if (fd == -ENOENT)
		return rights_of_admin(peer); /* there is but the first of this kind */
	if (fd < 0)
		return false;
	user = shortage_note_errno(ioctl(fd, NS_GET_USERNS));
	tells_not = user == -ENOTTY;
	close(fd);
	if (!has_sys_admin(peer))
		return false;
	return tells_not ? helper_ask(peer, CHANNEL_ENTER) == CHANNEL_ENTERED : governs(peer, user);
}

bool rights_enter(int task)
{
	int user = openat(task, "ns/user", O_RDONLY | O_CLOEXEC);
	int mnt = openat(task, "ns/mnt", O_RDONLY | O_CLOEXEC);
	int own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	if (user < 0 || mnt < 0 || own < 0)
		return false;
	/* Nobody can enter the user namespace that it is in. */
	if (inode_of(user) != inode_of(own) && setns(user, CLONE_NEWUSER))
		return false;
	return !setns(mnt, CLONE_NEWNS);
}

bool rights_of_admin(const struct peer *peer)
{
	return has_sys_admin(peer) &&
	       governs(peer, shortage_note_errno(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC)));
}
