/* SPDX-License-Identifier: MIT */
/* How much of the daemon's memory, and of its state file, each user has. */
#include "owners.h"

#include <errno.h>
#include <stdlib.h>

#include "cgroup.h"
#include "lock.h"

#define OWNER_BYTES (32u << 20) /* owners.h */
#define OPEN_BYTES (64u << 20) /* the same */

struct owner {
	uid_t uid;
	size_t bytes;
	size_t open; /* bytes of what is open, beside those */
	UT_hash_handle hh;
};

void owners_init(struct owners *owners)
{
	*owners = (struct owners){0};
	lock_init(&owners->lock);
}

void owners_free(struct owners *owners)
{
	struct owner *owner, *next;

	HASH_ITER(hh, owners->table, owner, next) {
		HASH_DEL(owners->table, owner);
		free(owner);
	}
	pthread_mutex_destroy(&owners->lock);
}

/* Root, and who serves the tree: they can end the daemon, too. */
bool owners_has_bound(const struct tree *tree, uid_t uid)
{
	return uid && uid != tree->uid;
}

/* Made when first needed; NULL: no memory. Under the lock. */
static struct owner *get(struct owners *owners, uid_t uid)
{
	struct owner *owner;

	assert_locked(&owners->lock);
	HASH_FIND(hh, owners->table, &uid, sizeof(uid), owner);
	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->uid = uid;
	HASH_ADD(hh, owners->table, uid, sizeof(uid), owner);
	return owner;
}

/* Forgets one that has nothing. Under the lock. */
static void settle(struct owners *owners, struct owner *owner)
{
	assert_locked(&owners->lock);
	if (owner->bytes || owner->open)
		return;
	HASH_DEL(owners->table, owner);
	free(owner);
}

int owners_charge(struct tree *tree, uid_t uid, size_t bytes)
{
	struct owners *owners = &tree->owners;
	struct owner *owner;
	int error = 0;

	if (!owners_has_bound(tree, uid))
		return 0;
	pthread_mutex_lock(&owners->lock);
	owner = get(owners, uid);
	if (!owner)
		error = -ENOMEM;
	else if (!owners->takes_all && owner->bytes + bytes > OWNER_BYTES)
		error = -ENOSPC;
	else
		owner->bytes += bytes;
	if (owner)
		settle(owners, owner);
	pthread_mutex_unlock(&owners->lock);
	return error;
}

int owners_open(struct tree *tree, uid_t uid, size_t before, size_t bytes)
{
	struct owners *owners = &tree->owners;
	struct owner *owner;
	int error = 0;

	if (!owners_has_bound(tree, uid))
		return 0;
	pthread_mutex_lock(&owners->lock);
	owner = get(owners, uid);
	if (!owner || (bytes > before && owner->open + bytes - before > OPEN_BYTES))
		error = -ENOMEM;
	else
		owner->open += bytes - before;
	if (owner)
		settle(owners, owner);
	pthread_mutex_unlock(&owners->lock);
	return error;
}

void owners_release(struct tree *tree, uid_t uid, size_t bytes)
{
	struct owners *owners = &tree->owners;
	struct owner *owner;

	if (!owners_has_bound(tree, uid))
		return;
	pthread_mutex_lock(&owners->lock);
	HASH_FIND(hh, owners->table, &uid, sizeof(uid), owner);
	if (owner) {
		owner->bytes -= owner->bytes > bytes ? bytes : owner->bytes;
		settle(owners, owner);
	}
	pthread_mutex_unlock(&owners->lock);
}
