/* SPDX-License-Identifier: MIT */
#ifndef RUN_USERS_H
#define RUN_USERS_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

#include "hash.h"

/* What users have of the supervisor: share.h, table_share.h. All of it is under the lock. */
extern pthread_mutex_t users_lock;

struct user {
	uid_t id;
	unsigned calls; /* that were looked at */
	size_t bytes; /* of tables */
	unsigned watched; /* of them */
	UT_hash_handle hh;
};

/* Made when first needed; NULL: no memory. */
struct user *user_get(uid_t id);
/* Forgets one that has nothing. */
void user_settle(struct user *user);

#endif
