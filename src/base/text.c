/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_clear(struct text *text)
{
	text->len = 0;
	text->error = 0;
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

/* Room for `more` bytes past the end, or NULL when memory is short. */
static char *text_reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity ? text->capacity : 64;
	char *data;

	if (text->error)
		return NULL;
	if (text->capacity - text->len >= more)
		return text->data + text->len;
	while (capacity - text->len < more)
		capacity *= 2;
	data = realloc(text->data, capacity);
	if (!data) {
		text->error = -ENOMEM;
		return NULL;
	}
	text->data = data;
	text->capacity = capacity;
	return data + text->len;
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
	char *end = len ? text_reserve(text, len) : NULL;

	if (!end || !len)
		return;
	memcpy(end, bytes, len);
	text->len += len;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_u64(struct text *text, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

void text_add_s64(struct text *text, int64_t value)
{
	if (value < 0)
		text_add_bytes(text, "-", 1);
	text_add_u64(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void text_add_pair(struct text *text, const char *name, uint64_t value)
{
	text_add(text, name);
	text_add_bytes(text, " ", 1);
	text_add_u64(text, value);
	text_add_bytes(text, "\n", 1);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	char *end;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	end = len < 0 ? NULL : text_reserve(text, (size_t)len + 1);
	if (!end)
		return;
	va_start(args, format);
	vsnprintf(end, (size_t)len + 1, format, args);
	va_end(args);
	text->len += (size_t)len;
}

void text_unescape(char *word)
{
	char *to = word;

	for (; *word; word++) {
		char octal[4] = "";

		if (*word == '\\' && strspn(word + 1, "01234567") >= 3) {
			memcpy(octal, word + 1, 3);
			word += 3;
		}
		*to++ = *octal ? (char)strtoul(octal, NULL, 8) : *word;
	}
	*to = '\0';
}

void text_make_printable(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isprint((unsigned char)bytes[i]))
			bytes[i] = '?';
	}
}
