/* SPDX-License-Identifier: MIT */
/* How much of the supervisor each user has by tables. */
#include "table_share.h"

#include <errno.h>
#include <unistd.h>

#include "lock.h"
#include "users.h"

static unsigned watched; /* of all users; under their lock */

/* They can end the supervisor, too. */
static bool is_bounded(uid_t id)
{
	return id && id != getuid();
}

int table_share_grow(struct table_share *share, size_t bytes)
{
	struct user *user;
	int error = 0;

	guard(&users_lock);
	user = user_get(share->user);
	if (!user)
		return -ENOMEM;
	if (is_bounded(share->user) && bytes > TABLE_SHARE_BYTES - user->bytes) {
		error = -ENOMEM;
	} else {
		user->bytes += bytes;
		share->bytes += bytes;
	}
	user_settle(user);
	return error;
}

void table_share_shrink(struct table_share *share, size_t bytes)
{
	struct user *user;

	if (share->bytes <= bytes)
		return;
	guard(&users_lock);
	user = user_get(share->user); /* it is there: it has these */
	if (!user)
		return;
	user->bytes -= share->bytes - bytes;
	share->bytes = bytes;
	user_settle(user);
}

#define FILE_BYTES 512 /* of an open table, beside its text */

int table_share_settle(struct table_share *share, size_t len)
{
	size_t bytes = FILE_BYTES + 2 * len;

	if (share->bytes < bytes)
		return table_share_grow(share, bytes - share->bytes);
	table_share_shrink(share, bytes);
	return 0;
}

bool table_share_watch(struct table_share *share)
{
	struct user *user;

	guard(&users_lock);
	user = user_get(share->user);
	if (!user)
		return false;
	share->watched = user->watched < TABLE_SHARE_WATCHED && watched < TABLE_WATCHED_MAX;
	user->watched += share->watched;
	watched += share->watched;
	user_settle(user);
	return share->watched;
}

static void stop_watching(struct table_share *share)
{
	struct user *user;

	if (!share->watched)
		return;
	guard(&users_lock);
	user = user_get(share->user);
	share->watched = false;
	watched--;
	if (!user)
		return;
	user->watched--;
	user_settle(user);
}

void table_share_return(struct table_share *share)
{
	stop_watching(share);
	table_share_shrink(share, 0);
}
