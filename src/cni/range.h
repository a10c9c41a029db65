/* SPDX-License-Identifier: MIT */
#ifndef CNI_RANGE_H
#define CNI_RANGE_H

#include <jansson.h>

#include "address.h"
#include "failure.h"

/*
 * Addresses that may be given away, in host-local's words: an attachment has one address of each set, from
 * any of the set's ranges, which are all of one family.
 */
struct range {
	struct prefix subnet;
	struct address start, end; /* both belong to it */
	struct address gateway; /* is never given away */
};

#define RANGES_MAX 16

struct range_set {
	unsigned nr; /* at least one */
	struct range ranges[RANGES_MAX];
};

/*
 * Reads one range: {"subnet": ..., "rangeStart": ..., "rangeEnd": ..., "gateway": ...}. What is missing is as
 * host-local's README says: all of the subnet, and its first address for the gateway. 0 or -1 with `failure`.
 */
int range_read(const json_t *json, struct range *range, struct failure *failure);

/* Reads an array of ranges. 0 or -1. */
int range_set_read(const json_t *json, struct range_set *set, struct failure *failure);

/* Whether an address could be in both. */
bool range_overlaps(const struct range *a, const struct range *b);
bool range_set_overlaps(const struct range_set *a, const struct range_set *b);

/* The range that has this address, or NULL. */
const struct range *range_set_find(const struct range_set *set, const struct address *address);

/* The address after this one, through all ranges and from the last one's end to the first one's start. */
struct address range_set_next(const struct range_set *set, const struct address *address);

#endif
