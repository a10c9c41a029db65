/* SPDX-License-Identifier: MIT */
/* cmocka, and the files of tests/unit/fixtures. The tests run in the top directory. */
#ifndef FIXTURE_H
#define FIXTURE_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define FIXTURES "tests/unit/fixtures"

/* A whole file with a NUL after it; free() it. Ends the test program where there is none. */
static inline char *fixture_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	size_t size = 1 << 20, n;
	char *text = malloc(size);

	if (!file || !text) {
		perror(path);
		exit(1);
	}
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
	if (len)
		*len = n;
	return text;
}

#endif
