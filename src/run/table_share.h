/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_SHARE_H
#define RUN_TABLE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What users have of the supervisor by the tables that they have open, and that are made for them: memory for
 * the texts, and descriptors of files whose changes are told. Each user's part has a bound, so that nobody
 * takes all: the kernel makes its tables a page at a time, and ours are whole.
 */
#define TABLE_SHARE_BYTES (64u << 20) /* of one user; not of root, nor of whose the supervisor is */
#define TABLE_TEXT_MAX (64u << 20) /* of one table, whoever asks: whose mounts are told may be another */
#define TABLE_SHARE_WATCHED 256 /* of one user */
#define TABLE_WATCHED_MAX 4096 /* of all */

/* What one table costs its user. */
struct table_share {
	uid_t user;
	size_t bytes;
	bool watched;
};

/* 0, or -ENOMEM: that is too much. It ends with table_share_return(). All of these are thread-safe. */
int table_share_grow(struct table_share *share, size_t bytes);
/* From now on it has so many, which are no more than before. */
void table_share_shrink(struct table_share *share, size_t bytes);
/* From now on it is that of a finished table of so many bytes. 0 or -ENOMEM. */
int table_share_settle(struct table_share *share, size_t len);
/* Whether changes of one more file may be told. */
bool table_share_watch(struct table_share *share);
/* It ends. */
void table_share_return(struct table_share *share);

#endif
