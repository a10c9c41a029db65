/* SPDX-License-Identifier: MIT */
/* Figures and strings as bytes. */
#include "bytes.h"

#include <string.h>

void bytes_put_u64(struct text *out, uint64_t value)
{
	text_add_bytes(out, (const char *)&value, sizeof(value));
}

void bytes_put(struct text *out, const void *data, size_t len)
{
	bytes_put_u64(out, len);
	if (len)
		text_add_bytes(out, data, len);
}

void bytes_put_string(struct text *out, const char *string)
{
	bytes_put(out, string, strlen(string));
}

void bytes_put_text(struct text *out, const struct text *part)
{
	if (part->error)
		out->error = part->error;
	bytes_put(out, part->data, part->len);
}

uint64_t bytes_get_u64(struct bytes *in)
{
	uint64_t value;

	if (in->wrong || in->len < sizeof(value)) {
		in->wrong = true;
		return 0;
	}
	memcpy(&value, in->data, sizeof(value));
	in->data += sizeof(value);
	in->len -= sizeof(value);
	return value;
}

struct bytes bytes_get(struct bytes *in)
{
	uint64_t len = bytes_get_u64(in);
	struct bytes part = {.data = in->data};

	if (in->wrong || len > in->len) {
		in->wrong = true;
		part.wrong = true;
		return part;
	}
	part.len = len;
	in->data += len;
	in->len -= len;
	return part;
}

bool bytes_get_string(struct bytes *in, char *string, size_t size)
{
	struct bytes part = bytes_get(in);

	if (part.wrong || part.len >= size || memchr(part.data, '\0', part.len)) {
		in->wrong = true;
		*string = '\0';
		return false;
	}
	memcpy(string, part.data, part.len);
	string[part.len] = '\0';
	return true;
}

uint64_t bytes_hash(const void *data, size_t len)
{
	const unsigned char *byte = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}
