/* SPDX-License-Identifier: MIT */
/* How many calls of whom are answered. */
#include "share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "lock.h"
#include "machine_task.h"
#include "peer.h"
#include "text.h"

struct share_user {
	uid_t id;
	unsigned calls; /* that were looked at */
	UT_hash_handle hh;
};

static struct share_user *users; /* that have calls; under the lock */
static pthread_mutex_t lock = LOCK_INITIALIZER;
static _Atomic unsigned calls;

bool share_find_user(const struct peer *peer, uid_t *id)
{
	struct machine_task_status status;
	struct text text = {0};
	bool found = !peer_proc_read(peer, "status", &text) &&
		     !machine_parse_task_status(text.data, text.len, &status);

	if (found)
		*id = status.uid[0];
	text_free(&text);
	return found;
}

static struct share_user *get_user(uid_t id)
{
	struct share_user *user;

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

/* NULL: it has too many. */
static struct share_user *count(uid_t id)
{
	struct share_user *user;

	pthread_mutex_lock(&lock);
	user = get_user(id);
	if (user && user->calls == SHARE_USER)
		user = NULL;
	else if (user)
		user->calls++;
	pthread_mutex_unlock(&lock);
	return user;
}

bool share_take(const struct peer *peer, struct share *share)
{
	uid_t id;

	share->user = NULL;
	if (calls++ < SHARE_ALL)
		return true;
	if (share_find_user(peer, &id))
		share->user = count(id);
	if (!share->user)
		calls--;
	return share->user;
}

void share_return(const struct share *share)
{
	calls--;
	if (!share->user)
		return;
	pthread_mutex_lock(&lock);
	if (!--share->user->calls) {
		HASH_DEL(users, share->user);
		free(share->user);
	}
	pthread_mutex_unlock(&lock);
}
