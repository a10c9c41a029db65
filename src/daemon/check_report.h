/* SPDX-License-Identifier: MIT */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdbool.h>

/*
 * A line of what --check reports. `format` says in plain words what was looked at
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

#endif
