/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_RENEWAL_H
#define RUN_TABLE_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

struct table_file;

/* Who reads a table from its start, and waits for an answer: so the file is not closed meanwhile. */
struct table_reader {
	struct table_file *file;
	uint64_t unique;
	uint32_t size;
};

/*
 * Makes the file's text anew in a thread of its own, and then calls `answer` there; where it cannot be made
 * the text is what it was. False: too many are at that, and `answer` is not called.
 */
bool table_renew(const struct table_reader *reader, void (*answer)(const struct table_reader *reader));

#endif
