/* SPDX-License-Identifier: MIT */
/* Allocations and opens that fail when a test wants it: ld's --wrap puts these before the real ones. */
#ifndef FAILING_H
#define FAILING_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

/* Volatile, since a compiler takes it that no allocation changes them. */
static _Thread_local volatile int which; /* ENOMEM or EMFILE: allocations or opens */
static _Thread_local volatile unsigned left; /* of those, until one fails; 0: none does */
static _Thread_local volatile bool has_failed;

static bool fails(int error)
{
	if (error != which || !left)
		return false;
	left = left - 1;
	if (left)
		return false;
	errno = error;
	has_failed = true;
	return true;
}

#define PASSED_ON(declaration, name, arguments, passed, error, failed)  \
	declaration __real_##name arguments;                            \
	declaration __wrap_##name arguments;                            \
	declaration __wrap_##name arguments                             \
	{                                                               \
		return fails(error) ? failed : __real_##name passed;    \
	}
#define ALLOCATION(declaration, name, arguments, passed) \
	PASSED_ON(declaration, name, arguments, passed, ENOMEM, NULL)
#define OPEN(name, arguments, passed) PASSED_ON(int, name, arguments, passed, EMFILE, -1)

ALLOCATION(void *, malloc, (size_t size), (size))
ALLOCATION(void *, calloc, (size_t count, size_t size), (count, size))
ALLOCATION(void *, realloc, (void *old, size_t size), (old, size))
ALLOCATION(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size))
ALLOCATION(char *, strdup, (const char *text), (text))
ALLOCATION(char *, strndup, (const char *text, size_t size), (text, size))
OPEN(open, (const char *path, int flags, mode_t mode), (path, flags, mode))
OPEN(openat, (int directory, const char *path, int flags, mode_t mode), (directory, path, flags, mode))
/* openat(2) of a program that is hardened, where the flags are no constant. */
OPEN(__openat_2, (int directory, const char *path, int flags), (directory, path, flags))

#endif
