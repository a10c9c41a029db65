/* SPDX-License-Identifier: MIT */
/* Where unit tests and fuzzers keep files. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEMPORARY_MAX 64 /* bytes of a name, with its end */

/*
 * Fills `path` (of TEMPORARY_MAX bytes) for mkdtemp(3) or mkstemp(3): that name in TMPDIR, if this is set and
 * short enough, else `usual`, as "/tmp/fcg-unit". Returns path.
 */
static inline char *temporary(char *path, const char *usual)
{
	const char *directory = getenv("TMPDIR"), *name = strrchr(usual, '/');

	if (directory && *directory && strlen(directory) + strlen(name) + sizeof("-XXXXXX") <= TEMPORARY_MAX)
		snprintf(path, TEMPORARY_MAX, "%s%s-XXXXXX", directory, name);
	else
		snprintf(path, TEMPORARY_MAX, "%s-XXXXXX", usual);
	return path;
}

#endif
