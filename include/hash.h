/* SPDX-License-Identifier: MIT */
#ifndef HASH_H
#define HASH_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Tables by key: uthash(3), which ends the process when memory is short unless told otherwise. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/*
 * Whether the element, whose handle is `hh`, is in its table now that it was added: where there was no memory
 * for it, it is not, and the table is as it was. Ask after each HASH_ADD.
 */
#define HASH_HAS(hh, element) ((element)->hh.tbl != NULL)
/* The same of one from malloc(3): the element, or NULL when it is not there, and then it is freed. */
#define HASH_KEPT(hh, element) (HASH_HAS(hh, element) ? (element) : (free(element), NULL))

/*
 * Puts an element of the table behind all others, under the key that it has by now at `keyptr`, of `len`
 * bytes. It needs no memory: the table is never empty meanwhile, and does not grow.
 */
#define HASH_PUT_LAST(hh, head, keyptr, len, element)                       \
	do {                                                                \
		__typeof__(*(head)) keeper_;                                \
		UT_hash_table *table_ = (head)->hh.tbl;                     \
		unsigned noexpand_ = table_->noexpand;                      \
                                                                            \
		table_->noexpand = 1;                                       \
		memset(&keeper_, 0, sizeof(keeper_));                       \
		HASH_ADD_KEYPTR(hh, head, "", 0, &keeper_);                 \
		HASH_DELETE(hh, head, element);                             \
		HASH_ADD_KEYPTR(hh, head, keyptr, len, element);            \
		HASH_DELETE(hh, head, &keeper_);                            \
		table_->noexpand = noexpand_;                               \
	} while (0)

#endif
