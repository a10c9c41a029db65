/* SPDX-License-Identifier: MIT */
#ifndef CNI_NODE_H
#define CNI_NODE_H

#include <stdbool.h>

#include "failure.h"

/*
 * The two ends of an attachment: the node, which is the network namespace that we are run in, and the
 * container's. A netlink socket stays in the namespace that it was made in, so that nothing else has to be
 * done in there.
 */
struct node {
	int namespace; /* the container's, or -1 */
	int inside; /* netlink in it, or -1 */
	int outside; /* netlink in the node's */
};

/*
 * Opens both; `path` NULL: the node's alone. What is at `path` must be a network namespace, and not our own.
 * `may_be_gone`: then that there is none is no failure, and node->inside is -1. 0, or -1 with `failure`.
 */
int node_open(struct node *node, const char *path, bool may_be_gone, struct failure *failure);
void node_close(struct node *node);

/*
 * Lets the node pass on packets of this family. 0, or a negative errno: containers reach no more
 * than the node.
 */
int node_forward(int family);

#endif
