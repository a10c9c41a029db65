/* SPDX-License-Identifier: MIT */
#include "range.h"

#include <stddef.h>

static const char *string_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

/* The address of this key, or `otherwise` where there is none. */
static int read_address(const json_t *json, const char *key, const struct address *otherwise,
			struct address *address, struct failure *failure)
{
	const json_t *value = json_object_get(json, key);

	*address = *otherwise;
	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value) && address_parse(json_string_value(value), address) &&
	    address->family == otherwise->family)
		return 0;
	return failure_set(failure, FAILURE_CONFIG, NULL, "%s is no address of the subnet's family", key);
}

int range_read(const json_t *json, struct range *range, struct failure *failure)
{
	const char *subnet = string_of(json, "subnet");
	struct address first, last, second;
	char text[PREFIX_TEXT_MAX];

	if (!subnet || !prefix_parse(subnet, &range->subnet))
		return failure_set(failure, FAILURE_CONFIG, NULL,
				   "a range has no subnet such as 10.88.0.0/16");
	prefix_print(&range->subnet, text);
	if (range->subnet.length + 2 > address_bits(&range->subnet.address))
		return failure_set(failure, FAILURE_CONFIG, NULL, "network %s is too small to allocate from",
				   text);
	first = prefix_first(&range->subnet);
	last = prefix_last(&range->subnet);
	second = address_next(first);
	if (address_compare(&first, &range->subnet.address))
		return failure_set(failure, FAILURE_CONFIG, NULL, "network %s has host bits set", text);
	if (last.family == AF_INET) /* the last one is the broadcast address */
		last.bytes[3]--;
	if (read_address(json, "gateway", &second, &range->gateway, failure) ||
	    read_address(json, "rangeStart", &second, &range->start, failure) ||
	    read_address(json, "rangeEnd", &last, &range->end, failure))
		return -1;
	if (!prefix_contains(&range->subnet, &range->start) ||
	    !prefix_contains(&range->subnet, &range->end) || address_compare(&range->start, &range->end) > 0)
		return failure_set(failure, FAILURE_CONFIG, NULL,
				   "rangeStart and rangeEnd must be in %s, in this order", text);
	return 0;
}

bool range_overlaps(const struct range *a, const struct range *b)
{
	return a->start.family == b->start.family && address_compare(&a->start, &b->end) <= 0 &&
	       address_compare(&b->start, &a->end) <= 0;
}

bool range_set_overlaps(const struct range_set *a, const struct range_set *b)
{
	for (unsigned i = 0; i < a->nr; i++)
		for (unsigned j = 0; j < b->nr; j++)
			if (range_overlaps(&a->ranges[i], &b->ranges[j]))
				return true;
	return false;
}

int range_set_read(const json_t *json, struct range_set *set, struct failure *failure)
{
	size_t size = json_array_size(json);

	if (!size || size > RANGES_MAX)
		return failure_set(failure, FAILURE_CONFIG, NULL, "a set must be an array of 1 to %d ranges",
				   RANGES_MAX);
	for (set->nr = 0; set->nr < size; set->nr++) {
		struct range *range = &set->ranges[set->nr];

		if (range_read(json_array_get(json, set->nr), range, failure))
			return -1;
		if (range->start.family != set->ranges[0].start.family)
			return failure_set(failure, FAILURE_CONFIG, NULL,
					   "the ranges of a set must be of one family");
		for (unsigned i = 0; i < set->nr; i++)
			if (range_overlaps(&set->ranges[i], range))
				return failure_set(failure, FAILURE_CONFIG, NULL, "ranges of a set overlap");
	}
	return 0;
}

const struct range *range_set_find(const struct range_set *set, const struct address *address)
{
	for (unsigned i = 0; i < set->nr; i++) {
		const struct range *range = &set->ranges[i];

		if (address->family == range->start.family && address_compare(address, &range->start) >= 0 &&
		    address_compare(address, &range->end) <= 0)
			return range;
	}
	return NULL;
}

struct address range_set_next(const struct range_set *set, const struct address *address)
{
	const struct range *range = range_set_find(set, address);
	unsigned next;

	if (!range)
		return set->ranges[0].start;
	if (address_compare(address, &range->end))
		return address_next(*address);
	next = (unsigned)(range - set->ranges) + 1;
	return set->ranges[next < set->nr ? next : 0].start;
}
