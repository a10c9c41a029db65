/* SPDX-License-Identifier: MIT */
#ifndef CNI_ENVIRONMENT_H
#define CNI_ENVIRONMENT_H

#include <stdbool.h>

#include "address.h"
#include "failure.h"

/*
 * What the runtime tells about one call in its environment (SPEC.md, "Parameters"). Strings are the
 * environment's.
 */
struct environment {
	const char *container; /* CNI_CONTAINERID */
	const char *interface; /* CNI_IFNAME */
	const char *namespace; /* CNI_NETNS: a path; NULL: none is told, or the empty one */
	struct address wanted; /* IP of CNI_ARGS; family 0: none */
};

enum need {
	NEED_CONTAINER = 1, /* CNI_CONTAINERID and CNI_IFNAME must be there */
	NEED_NAMESPACE = 2, /* CNI_NETNS too */
};

/* Reads it, and looks at what is there with the specification's grammar. 0, or -1 with `failure`. */
int environment_read(struct environment *environment, unsigned needs, struct failure *failure);

/* Alphanumeric, then also '_', '.' and '-': names of containers and of networks. */
bool name_is_valid(const char *name);

/* What a link may be called: dev_valid_name() of net/core/dev.c. */
bool interface_name_is_valid(const char *name);

#endif
