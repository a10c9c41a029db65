/* SPDX-License-Identifier: MIT */
#include "users.h"

#include <stdlib.h>

#include "lock.h"

pthread_mutex_t users_lock = LOCK_INITIALIZER;
static struct user *users; /* that have something */

struct user *user_get(uid_t id)
{
	struct user *user;

	assert_locked(&users_lock);
	HASH_FIND(hh, users, &id, sizeof(id), user);
	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->id = id;
	HASH_ADD(hh, users, id, sizeof(user->id), user);
	return HASH_KEPT(hh, user);
}

void user_settle(struct user *user)
{
	assert_locked(&users_lock);
	if (user->calls || user->bytes || user->watched)
		return;
	HASH_DEL(users, user);
	free(user);
}
