/* SPDX-License-Identifier: MIT */
#ifndef MEMBERSHIP_H
#define MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/*
 * A line in the form of /proc/PID/cgroup, "13:name=systemd:/a": its word and its path. They point into the
 * text.
 */
struct membership {
	const char *word, *path;
	size_t word_len, path_len;
};

/* The next line at *at, of *len bytes without its newline; NULL ends it. */
const char *membership_next_line(const char **at, const char *end, size_t *len);

/* False: it is no such line. */
bool membership_split(const char *line, size_t len, struct membership *membership);

/* The line with this word. False: there is none. */
bool membership_find(const struct text *memberships, const char *word, size_t word_len,
		     struct membership *membership);

#endif
