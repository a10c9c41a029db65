/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_LIST_H
#define RUN_TABLE_LIST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "table_share.h"
#include "text.h"

struct table_source;

/*
 * The files of table_files.h. Functions are thread-safe; what they return is freed by one thread alone (see
 * there).
 */
struct table_file {
	struct table_file *next; /* of its bucket */
	uint64_t number; /* names its node. Who has it open can find that out: so it is no address of ours */
	pthread_mutex_t lock; /* of the text and of its share */
	struct text text;
	struct stat about;
	struct table_source *source; /* what it can be made of anew, and tells of news; or NULL */
	struct table_share share; /* what it costs its user */
	atomic_bool stale; /* there was news since it was made */
	atomic_bool known; /* the kernel has asked for it, and will tell when it forgets it */
	/* The rest is the serving thread's. */
	bool changed; /* news that nobody was told of */
	uint64_t poll_handle; /* who waits for news */
};

/*
 * `source` is used up; it is NULL in the file where its user, or all, have too many. So is `share`. NULL: no
 * memory.
 */
struct table_file *table_list_add(const struct text *text, const struct stat *about,
				  struct table_source *source, struct table_share *share);

/* NULL: there is none. */
struct table_file *table_list_find(uint64_t number);

void table_list_free(struct table_file *file);

#endif
