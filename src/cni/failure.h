/* SPDX-License-Identifier: MIT */
#ifndef CNI_FAILURE_H
#define CNI_FAILURE_H

/*
 * Why a command fails, as it is told to the runtime: an error of CNI (SPEC.md, "Error"). The first reason is
 * kept: what fails while it is cleaned up says less.
 */
enum failure_code {
	FAILURE_NONE,
	FAILURE_VERSION = 1, /* a version of CNI that we do not speak */
	FAILURE_FIELD = 2, /* a field that we cannot do; the message has its key and value */
	FAILURE_CONTAINER = 3, /* there is no such network namespace: nothing is to be cleaned up */
	FAILURE_ENVIRONMENT = 4, /* CNI_...: the message has its name */
	FAILURE_IO = 5,
	FAILURE_DECODE = 6, /* no JSON */
	FAILURE_CONFIG = 7, /* JSON, but not a configuration */
	FAILURE_UNAVAILABLE = 50, /* STATUS: ADD would fail */
	FAILURE_ADDRESS = 100, /* no address is free, or not the one that is wanted */
	FAILURE_NETWORK = 101, /* the kernel does not make the link, the address or the route */
	FAILURE_CHECK = 102, /* CHECK: it is not as ADD left it */
};

struct failure {
	enum failure_code code; /* FAILURE_NONE: none yet */
	char message[160];
	char details[160]; /* may be empty */
};

/* Notes the reason, unless there is one, and returns -1. `details` may be NULL. */
int failure_set(struct failure *failure, enum failure_code code, const char *details, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
