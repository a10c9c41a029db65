/* SPDX-License-Identifier: MIT */
/* Lines of memberships. */
#include "membership.h"

#include <string.h>

const char *membership_next_line(const char **at, const char *end, size_t *len)
{
	const char *line = *at, *newline;

	if (line >= end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	*len = (size_t)((newline ? newline : end) - line);
	*at = newline ? newline + 1 : end;
	return line;
}

bool membership_split(const char *line, size_t len, struct membership *membership)
{
	const char *first = memchr(line, ':', len);
	const char *second = first ? memchr(first + 1, ':', len - (size_t)(first + 1 - line)) : NULL;

	if (!second)
		return false;
	membership->word = first + 1;
	membership->word_len = (size_t)(second - first - 1);
	membership->path = second + 1;
	membership->path_len = len - (size_t)(second + 1 - line);
	return true;
}

bool membership_find(const struct text *memberships, const char *word, size_t word_len,
		     struct membership *membership)
{
	const char *at = memberships->data, *line;
	size_t len;

	while ((line = membership_next_line(&at, memberships->data + memberships->len, &len))) {
		if (membership_split(line, len, membership) && membership->word_len == word_len &&
		    !memcmp(membership->word, word, word_len))
			return true;
	}
	return false;
}
