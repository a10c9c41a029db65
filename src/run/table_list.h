/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_LIST_H
#define RUN_TABLE_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "table_share.h"
#include "text.h"

/*
 * The files of table_files.h. Functions are thread-safe; what they return is freed by one thread alone (see
 * there).
 */
struct table_file {
	struct table_file *next; /* of its bucket */
	uint64_t number; /* names its node. Who has it open can find that out: so it is no address of ours */
	struct text text;
	struct stat about;
	int kernels; /* the kernel's own file, or -1 */
	struct table_share share; /* what it costs its user */
	atomic_bool known; /* the kernel has asked for it, and will tell when it forgets it */
	/* The rest is the serving thread's. */
	bool changed; /* news that nobody was told of */
	uint64_t poll_handle; /* who waits for news */
};

/*
 * `kernels` is used up; it is -1 in the file where its user, or all, have too many. So is `share`. NULL: no
 * memory.
 */
struct table_file *table_list_add(const struct text *text, const struct stat *about, int kernels,
				  struct table_share *share);

/* NULL: there is none. */
struct table_file *table_list_find(uint64_t number);

void table_list_free(struct table_file *file);

#endif
