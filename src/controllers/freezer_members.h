/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_FREEZER_MEMBERS_H
#define CONTROLLERS_FREEZER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup.h"
#include "stopper.h"

/* Cgroups of one hierarchy that are held, to be looked at without the tree lock. */
struct held {
	struct cgroup *cgroup;
	unsigned changes; /* of its freezer, when it was held */
	bool stands; /* members_stop(): no member of its own was seen to run */
};

struct held_list {
	struct held *held;
	size_t count;
};

/*
 * Stops who is in the cgroups, and sets `stands` of each: one generation after
 * another, so that whoever may be told of a stop stands before it. Waits for
 * that, for half a second at most. A NULL stopper stops nobody. Reads /proc,
 * without the tree lock. 0 or a negative errno.
 */
int members_stop(struct stopper *stopper, struct held_list *list);

/*
 * Lets those go on whom the stopper stopped: stopper_settle(). Reads /proc, without the tree lock. 0 or a
 * negative errno.
 */
int members_continue(struct stopper *stopper, const struct held_list *list);

#endif
