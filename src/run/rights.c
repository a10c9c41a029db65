/* SPDX-License-Identifier: MIT */
/* Who may mount. */
#include "rights.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer.h"
#include "restricted.h"

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
		int parent = ioctl(user, NS_GET_PARENT);

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
	int fd, user;

	snprintf(name, sizeof(name), "ns/%s", namespace);
	fd = peer_proc_open(peer, name, O_RDONLY);
	if (fd < 0)
		return false;
	user = ioctl(fd, NS_GET_USERNS);
	close(fd);
	return has_sys_admin(peer) && governs(peer, user);
}

bool rights_of_admin(const struct peer *peer)
{
	return has_sys_admin(peer) && governs(peer, open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
}
