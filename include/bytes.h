/* SPDX-License-Identifier: MIT */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/*
 * Figures and strings as bytes, to be kept and read again by the same kind of
 * machine. What is read may be anything: a reader never goes past its end.
 */

/* Append to `out`: eight bytes, or a length and so many bytes. */
void bytes_put_u64(struct text *out, uint64_t value);
void bytes_put(struct text *out, const void *data, size_t len);
void bytes_put_string(struct text *out, const char *string);
/* Another text as bytes_put() has them: if there is not all of it (error), there is not all of `out`. */
void bytes_put_text(struct text *out, const struct text *part);

/* What is left to read. Points into memory of someone else. */
struct bytes {
	const char *data;
	size_t len;
	bool wrong; /* more was asked for than there is; everything reads as 0 from then on */
};

/* The next figure; 0 when it is not all there. */
uint64_t bytes_get_u64(struct bytes *in);
/* What bytes_put() wrote; empty when it is not all there. */
struct bytes bytes_get(struct bytes *in);
/* The same with a NUL at its end, at most size - 1 bytes; false: longer, or with a NUL in it. */
bool bytes_get_string(struct bytes *in, char *string, size_t size);

/* FNV-1a, 64 bits: tells whether bytes are as they were, by accident but not by intent. */
uint64_t bytes_hash(const void *data, size_t len);

#endif
