/* SPDX-License-Identifier: MIT */
#ifndef CNI_ATTACHMENT_H
#define CNI_ATTACHMENT_H

#include "config.h"
#include "environment.h"
#include "link.h"
#include "node.h"

/* An address that the attachment has, and its range. */
struct given {
	struct address address;
	const struct range *range; /* of the configuration */
};

/* What one container has of one network by one interface. */
struct attachment {
	const struct config *config;
	const struct environment *environment;
	struct node node;
	enum mode mode; /* as it came to be: MODE_PTP, MODE_LO or MODE_LOOPBACK */
	unsigned nr_given;
	struct given given[SETS_MAX];
	char host_name[IF_NAMESIZE]; /* the veth's end on the node */
	struct link host, container; /* what there is of them */
};

/*
 * The name of the veth's end on the node: always the same one for an attachment, so that it is found again
 * when the container's namespace is gone.
 */
void attachment_host_name(const char *network, const char *container, const char *interface,
			  char name[IF_NAMESIZE]);

/* The address as the container's link has it: in its subnet with a veth, alone on lo. */
struct prefix attachment_prefix(const struct attachment *attachment, const struct given *given);

/* The gateway of a route: its own, or that of the first address of its family, or (family 0) none. */
struct address attachment_gateway(const struct attachment *attachment, const struct route *route);

/*
 * Makes the links, addresses and routes in attachment->config's mode; what was made is taken away where not
 * all can be. 0, or -1 with `failure`.
 */
int attachment_make(struct attachment *attachment, struct failure *failure);

#endif
