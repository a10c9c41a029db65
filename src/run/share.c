/* SPDX-License-Identifier: MIT */
/* How many calls of whom are answered. */
#include "share.h"

#include <stdatomic.h>

#include "fair.h"
#include "lock.h"
#include "machine_task.h"
#include "peer.h"
#include "text.h"
#include "users.h"

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

uid_t share_user(const struct peer *peer)
{
	uid_t id;

	return share_find_user(peer, &id) ? id : FAIR_NOBODY;
}

/* NULL: it has too many. */
static struct user *count(uid_t id)
{
	struct user *user;

	guard(&users_lock);
	user = user_get(id);
	if (!user || user->calls == SHARE_USER)
		return NULL;
	user->calls++;
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
	guard(&users_lock);
	share->user->calls--;
	user_settle(share->user);
}
