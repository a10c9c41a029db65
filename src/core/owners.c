/* SPDX-License-Identifier: MIT */
/* How much of the daemon's memory, and of its state file, each user has. */
#include "owners.h"

#include <errno.h>
#include <stdlib.h>

#include "cgroup.h"
#include "lock.h"

enum part {
	PART_KEPT, PART_OPEN, PARTS
};

/* Of each user, and what is said of more (owners.h). */
static const struct {
	size_t bytes;
	int error;
} bounds[PARTS] = {
	[PART_KEPT] = {32u << 20, -ENOSPC},
	[PART_OPEN] = {64u << 20, -ENOMEM},
};

struct owner {
	uid_t uid;
	size_t bytes[PARTS];
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
	return HASH_KEPT(hh, owner);
}

/* Forgets one that has nothing. Under the lock. */
static void settle(struct owners *owners, struct owner *owner)
{
	assert_locked(&owners->lock);
	if (owner->bytes[PART_KEPT] || owner->bytes[PART_OPEN])
		return;
	HASH_DEL(owners->table, owner);
	free(owner);
}

/* `before` bytes of the part become `bytes`; fewer is never refused. */
static int change(struct tree *tree, uid_t uid, enum part part, size_t before, size_t bytes)
{
	struct owners *owners = &tree->owners;
	struct owner *owner;
	size_t rest;
	int error = 0;

	if (!owners_has_bound(tree, uid))
		return 0;
	guard(&owners->lock);
	owner = get(owners, uid);
	if (!owner)
		return -ENOMEM;
	rest = owner->bytes[part] > before ? owner->bytes[part] - before : 0;
	if (bytes > before && rest + bytes > bounds[part].bytes && !(part == PART_KEPT && owners->takes_all))
		error = bounds[part].error;
	else
		owner->bytes[part] = rest + bytes;
	settle(owners, owner);
	return error;
}

int owners_charge(struct tree *tree, uid_t uid, size_t bytes)
{
	return change(tree, uid, PART_KEPT, 0, bytes);
}

void owners_release(struct tree *tree, uid_t uid, size_t bytes)
{
	change(tree, uid, PART_KEPT, bytes, 0);
}

int owners_open(struct tree *tree, uid_t uid, size_t before, size_t bytes)
{
	return change(tree, uid, PART_OPEN, before, bytes);
}
