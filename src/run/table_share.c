/* SPDX-License-Identifier: MIT */
/* How much of the supervisor each user has by tables. */
#include "table_share.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <uthash.h>

#include "lock.h"

struct user {
	uid_t id;
	size_t bytes;
	unsigned watched;
	UT_hash_handle hh;
};

/* Protects what follows. */
static pthread_mutex_t lock = LOCK_INITIALIZER;
static struct user *users; /* that have something */
static unsigned watched;

/* Made when first needed; NULL: no memory. */
static struct user *get(uid_t id)
{
	struct user *user;

	assert_locked(&lock);
	HASH_FIND(hh, users, &id, sizeof(id), user);
	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->id = id;
	HASH_ADD(hh, users, id, sizeof(user->id), user);
	return user;
}

static void drop_if_empty(struct user *user)
{
	assert_locked(&lock);
	if (user->bytes || user->watched)
		return;
	HASH_DEL(users, user);
	free(user);
}

/* They can end the supervisor, too. */
static bool is_bounded(uid_t id)
{
	return id && id != getuid();
}

int table_share_grow(struct table_share *share, size_t bytes)
{
	struct user *user;
	int error = 0;

	pthread_mutex_lock(&lock);
	user = get(share->user);
	if (!user || (is_bounded(share->user) && bytes > TABLE_SHARE_BYTES - user->bytes)) {
		error = -ENOMEM;
	} else {
		user->bytes += bytes;
		share->bytes += bytes;
	}
	if (user)
		drop_if_empty(user);
	pthread_mutex_unlock(&lock);
	return error;
}

void table_share_shrink(struct table_share *share, size_t bytes)
{
	struct user *user;

	if (share->bytes <= bytes)
		return;
	pthread_mutex_lock(&lock);
	user = get(share->user); /* it is there: it has these */
	if (user) {
		user->bytes -= share->bytes - bytes;
		share->bytes = bytes;
		drop_if_empty(user);
	}
	pthread_mutex_unlock(&lock);
}

bool table_share_watch(struct table_share *share)
{
	struct user *user;

	pthread_mutex_lock(&lock);
	user = get(share->user);
	share->watched = user && user->watched < TABLE_SHARE_WATCHED && watched < TABLE_WATCHED_MAX;
	if (share->watched) {
		user->watched++;
		watched++;
	}
	if (user)
		drop_if_empty(user);
	pthread_mutex_unlock(&lock);
	return share->watched;
}

static void stop_watching(struct table_share *share)
{
	struct user *user;

	if (!share->watched)
		return;
	pthread_mutex_lock(&lock);
	user = get(share->user);
	share->watched = false;
	watched--;
	if (user) {
		user->watched--;
		drop_if_empty(user);
	}
	pthread_mutex_unlock(&lock);
}

void table_share_return(struct table_share *share)
{
	stop_watching(share);
	table_share_shrink(share, 0);
}
