/* SPDX-License-Identifier: MIT */
#ifndef RUN_LIMIT_SETTINGS_H
#define RUN_LIMIT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct limits;

/* A row a file, in the order in which they are written: runc's choice of files. */
struct limit_setting {
	const char *hierarchy; /* its directory; NULL ends the table */
	const char *file;
	/* What is written, in `value` (a NUL at its end). False: no such limit was given. */
	bool (*print)(const struct limits *limits, char *value, size_t size);
};

extern const struct limit_setting limit_settings_v1[], limit_settings_v2[];

#endif
