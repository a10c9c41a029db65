/* SPDX-License-Identifier: MIT */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

/*
 * What the files of --check share: a line of its report. `format` says in plain words what was looked at
 * and, where that is not well, what to do.
 */
enum verdict {
	CHECK_OK,
	CHECK_LACKS, /* it goes without, with less */
	CHECK_FAILED, /* the daemon cannot serve so */
};

/* Prints the line, and counts what has failed. */
void check_report(enum verdict verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many lines said that something failed. */
unsigned check_failures(void);

/* A line's verdict by whether it is so. */
static inline enum verdict check_verdict(bool works)
{
	return works ? CHECK_OK : CHECK_FAILED;
}

/* check_tree.c: mounts a tree in a directory of its own for a moment, and goes through what clients do. */
void check_tree(void);

#endif
