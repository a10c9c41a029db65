/* SPDX-License-Identifier: MIT */
/* The configuration of the network plugin. */
#include "fuzz.h"

#include "config.h"
#include "environment.h"

static void check_range(const struct range *range)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix again;

	CHECK(prefix_contains(&range->subnet, &range->start) && prefix_contains(&range->subnet, &range->end));
	CHECK(address_compare(&range->start, &range->end) <= 0);
	CHECK(range->gateway.family == range->subnet.address.family);
	CHECK(prefix_parse(prefix_print(&range->subnet, text), &again));
	CHECK(again.length == range->subnet.length &&
	      !address_compare(&again.address, &range->subnet.address));
}

static void check_set(const struct range_set *set)
{
	struct address address = set->ranges[0].start;

	CHECK(set->nr && set->nr <= RANGES_MAX);
	for (unsigned i = 0; i < set->nr; i++)
		check_range(&set->ranges[i]);
	for (unsigned i = 0; i < 64; i++) {
		CHECK(range_set_find(set, &address));
		address = range_set_next(set, &address);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct failure failure = {0};
	char *text = malloc(size ? size : 1);
	int error;

	/* A block of exactly this size, so that a read past the end shows. */
	memcpy(text, data, size);
	error = config_read(text, size, &config, &failure);
	CHECK(error == (failure.code ? -1 : 0) && config.version < CNI_VERSION_NR);
	if (!error) {
		CHECK(name_is_valid(config.name) && config.nr_sets <= SETS_MAX);
		CHECK(config.nr_sets || config.mode == MODE_LOOPBACK);
		for (unsigned i = 0; i < config.nr_sets; i++)
			check_set(&config.sets[i]);
		for (unsigned i = 0; i < config.nr_routes; i++)
			CHECK(!config.routes[i].gateway.family ||
			      config.routes[i].gateway.family == config.routes[i].destination.address.family);
	} else {
		CHECK(failure.message[0]);
	}
	config_free(&config);
	free(text);
	return 0;
}
