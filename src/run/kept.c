/* SPDX-License-Identifier: MIT */
/* Mounts that are attached nowhere yet. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "array.h"
#include "fair.h"
#include "mounts.h"
#include "share.h"
#include "shortage.h"

struct kept {
	uint64_t id;
	uid_t user;
	int mount;
};

/* Protects what follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept kept[KEPT_MAX]; /* the oldest first */
static unsigned count;

static void link_of(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

/* A mount that is attached has a path to it. Source: prepend_path() of fs/d_path.c. */
static bool is_attached(int mount)
{
	char path[64], target[2];

	link_of(mount, path, sizeof(path));
	return readlink(path, target, sizeof(target)) > 1;
}

static void forget(unsigned i)
{
	close(kept[i].mount);
	array_remove(kept, i, --count, sizeof(kept[0]));
}

static void sweep(void)
{
	for (unsigned i = count; i-- > 0;) {
		if (is_attached(kept[i].mount))
			forget(i);
	}
}

int kept_add(const struct peer *peer, int mount)
{
	struct mount_identity identity;
	uid_t user;
	char path[64];
	int file;

	link_of(mount, path, sizeof(path));
	file = mounts_identify(mount, &identity) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0) {
		int error = errno ? -errno : -ENOSYS;

		close(mount);
		return error;
	}
	user = share_user(peer);
	pthread_mutex_lock(&lock);
	sweep();
	if (count == KEPT_MAX)
		forget(fair_victim(&kept[0].user, sizeof(kept[0]), count));
	kept[count++] = (struct kept){identity.id, user, mount};
	pthread_mutex_unlock(&lock);
	return file;
}

int kept_find(uint64_t id)
{
	int found = -ENOENT;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < count && found < 0; i++) {
		if (kept[i].id == id && !is_attached(kept[i].mount))
			found = shortage_note_errno(fcntl(kept[i].mount, F_DUPFD_CLOEXEC, 0));
	}
	pthread_mutex_unlock(&lock);
	return found;
}

void kept_sweep(void)
{
	pthread_mutex_lock(&lock);
	sweep();
	pthread_mutex_unlock(&lock);
}
