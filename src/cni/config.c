/* SPDX-License-Identifier: MIT */
/* The configuration: the keys are those of containernetworking's ptp and host-local, and "mode". */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "environment.h"

const char *const cni_version_names[CNI_VERSION_NR] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};

static const char *const mode_names[] = {
	[MODE_AUTO] = "auto", [MODE_PTP] = "ptp", [MODE_LO] = "lo", [MODE_LOOPBACK] = "loopback"};

static const char default_data_dir[] = "/var/lib/cni/networks";

/*
 * What would need netfilter, other files or more of the kernel: object, key, and the value that
 * asks for nothing.
 */
static const struct {
	const char *object, *key;
} refused[] = {
	{NULL, "ipMasq"},
	{"ipam", "resolvConf"},
	{"runtimeConfig", "portMappings"},
	{"runtimeConfig", "bandwidth"},
	{"runtimeConfig", "mac"},
};

static bool asks_for_something(const json_t *value)
{
	return json_is_true(value) || json_array_size(value) || json_object_size(value) ||
	       json_is_number(value) || (json_is_string(value) && json_string_length(value));
}

static int refuse(const char *key, const json_t *value, struct failure *failure)
{
	char text[64] = "";
	size_t len = json_dumpb(value, text, sizeof(text) - 1, JSON_COMPACT | JSON_ENCODE_ANY);

	return failure_set(failure, FAILURE_FIELD, NULL, "unsupported field %s: %.*s", key,
			   (int)(len < sizeof(text) ? len : sizeof(text) - 1), text);
}

static int check_fields(const json_t *json, struct failure *failure)
{
	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const json_t *object = refused[i].object ? json_object_get(json, refused[i].object) : json;
		const json_t *value = json_object_get(object, refused[i].key);

		if (asks_for_something(value))
			return refuse(refused[i].key, value, failure);
	}
	return 0;
}

static int read_version(struct config *config, struct failure *failure)
{
	const char *version = json_string_value(json_object_get(config->json, "cniVersion"));

	for (unsigned i = 0; version && i < CNI_VERSION_NR; i++)
		if (!strcmp(version, cni_version_names[i])) {
			config->version = i;
			return 0;
		}
	return failure_set(failure, FAILURE_VERSION, "this plugin speaks 0.3.1, 0.4.0, 1.0.0 and 1.1.0",
			   "incompatible CNI version \"%.32s\"", version ? version : "");
}

static int read_mode(struct config *config, struct failure *failure)
{
	const json_t *mode = json_object_get(config->json, "mode");
	const char *type = json_string_value(json_object_get(config->json, "type"));

	config->mode = type && !strcmp(type, mode_names[MODE_LOOPBACK]) ? MODE_LOOPBACK : MODE_AUTO;
	if (!mode)
		return 0;
	for (unsigned i = 0; json_is_string(mode) && i < sizeof(mode_names) / sizeof(*mode_names); i++)
		if (!strcmp(json_string_value(mode), mode_names[i])) {
			config->mode = i;
			return 0;
		}
	return refuse("mode", mode, failure);
}

/* A number from 0 to INT_MAX. */
static int read_number(const json_t *object, const char *key, unsigned *number, struct failure *failure)
{
	const json_t *value = json_object_get(object, key);

	*number = 0;
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT_MAX)
		return failure_set(failure, FAILURE_CONFIG, NULL, "%s is no number from 0 to %d", key,
				   INT_MAX);
	*number = (unsigned)json_integer_value(value);
	return 0;
}

static int add_set(struct config *config, const json_t *ranges, struct failure *failure)
{
	struct range_set *set = &config->sets[config->nr_sets];

	if (config->nr_sets == SETS_MAX)
		return failure_set(failure, FAILURE_CONFIG, NULL, "more than %d sets of ranges", SETS_MAX);
	if (range_set_read(ranges, set, failure))
		return -1;
	for (unsigned i = 0; i < config->nr_sets; i++)
		if (range_set_overlaps(&config->sets[i], set))
			return failure_set(failure, FAILURE_CONFIG, NULL, "sets of ranges overlap");
	config->nr_sets++;
	return 0;
}

static int add_sets(struct config *config, const json_t *sets, struct failure *failure)
{
	const json_t *set;
	size_t i;

	if (sets && !json_is_array(sets) && !json_is_null(sets))
		return failure_set(failure, FAILURE_CONFIG, NULL, "ranges are no array of arrays");
	json_array_foreach (sets, i, set)
		if (add_set(config, set, failure))
			return -1;
	return 0;
}

/* In host-local's order: the runtime's ranges, the one that is written in "ipam" itself, and "ranges". */
static int read_sets(struct config *config, const json_t *ipam, struct failure *failure)
{
	json_t *single = NULL;
	int error = add_sets(
		config, json_object_get(json_object_get(config->json, "runtimeConfig"), "ipRanges"), failure);

	if (!error && json_object_get(ipam, "subnet")) {
		single = json_pack("[O]", ipam);
		error = add_set(config, single, failure);
	}
	if (!error)
		error = add_sets(config, json_object_get(ipam, "ranges"), failure);
	json_decref(single);
	if (!error && !config->nr_sets)
		return failure_set(failure, FAILURE_CONFIG, NULL, "ipam has neither a subnet nor ranges");
	return error;
}

/* "10.88.0.9", and "10.88.0.9/16" as the conventions have it. */
static int add_wanted(struct config *config, const json_t *addresses, struct failure *failure)
{
	const json_t *value;
	size_t i;

	json_array_foreach (addresses, i, value) {
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		struct prefix prefix;

		if (config->nr_wanted == WANTED_MAX)
			return failure_set(failure, FAILURE_CONFIG, NULL, "more than %d ips are asked for",
					   WANTED_MAX);
		if (!address_parse(text, &prefix.address) && !prefix_parse(text, &prefix))
			return failure_set(failure, FAILURE_CONFIG, NULL,
					   "ips has something that is no address: %.48s", text);
		config->wanted[config->nr_wanted++] = prefix.address;
	}
	return 0;
}

static int read_route(const json_t *json, struct route *route, struct failure *failure)
{
	static const char *const unsupported[] = {"mtu", "advmss", "table", "scope"};
	const char *destination = json_string_value(json_object_get(json, "dst"));
	const json_t *gateway = json_object_get(json, "gw");

	*route = (struct route){0};
	if (!destination || !prefix_parse(destination, &route->destination))
		return failure_set(failure, FAILURE_CONFIG, NULL, "a route has no dst such as 0.0.0.0/0");
	route->destination.address = prefix_first(&route->destination);
	for (unsigned i = 0; i < sizeof(unsupported) / sizeof(*unsupported); i++)
		if (json_object_get(json, unsupported[i]))
			return refuse(unsupported[i], json_object_get(json, unsupported[i]), failure);
	if (read_number(json, "priority", &route->priority, failure))
		return -1;
	if (!gateway || json_is_null(gateway))
		return 0;
	if (!json_is_string(gateway) || !address_parse(json_string_value(gateway), &route->gateway) ||
	    route->gateway.family != route->destination.address.family)
		return failure_set(failure, FAILURE_CONFIG, NULL, "a route's gw is no address of its family");
	return 0;
}

static int read_routes(struct config *config, const json_t *routes, struct failure *failure)
{
	const json_t *value;
	size_t i;

	json_array_foreach (routes, i, value) {
		if (config->nr_routes == ROUTES_MAX)
			return failure_set(failure, FAILURE_CONFIG, NULL, "more than %d routes", ROUTES_MAX);
		if (read_route(value, &config->routes[config->nr_routes], failure))
			return -1;
		config->nr_routes++;
	}
	return 0;
}

static int read_ipam(struct config *config, struct failure *failure)
{
	const json_t *ipam = json_object_get(config->json, "ipam");
	const json_t *type = json_object_get(ipam, "type"), *dir = json_object_get(ipam, "dataDir");
	const json_t *arguments = json_object_get(json_object_get(config->json, "args"), "cni");

	if (!json_is_object(ipam))
		return failure_set(failure, FAILURE_CONFIG, NULL,
				   "ipam is missing: it says which addresses there are");
	if (type && (!json_is_string(type) || strcmp(json_string_value(type), "host-local") != 0))
		return refuse("type", type, failure);
	config->data_dir = json_is_string(dir) && json_string_length(dir) ? json_string_value(dir)
									  : default_data_dir;
	if (config->data_dir[0] != '/')
		return failure_set(failure, FAILURE_CONFIG, NULL, "dataDir is no absolute path");
	if (read_sets(config, ipam, failure) ||
	    read_routes(config, json_object_get(ipam, "routes"), failure) ||
	    add_wanted(config, json_object_get(arguments, "ips"), failure))
		return -1;
	return add_wanted(config, json_object_get(json_object_get(config->json, "runtimeConfig"), "ips"),
			  failure);
}

int config_read(const char *text, size_t size, struct config *config, struct failure *failure)
{
	json_error_t error;

	*config = (struct config){.version = CNI_VERSION_NR - 1};
	config->json = json_loadb(text, size, 0, &error);
	if (!config->json)
		return failure_set(failure, FAILURE_DECODE, error.text,
				   "the network configuration is no JSON");
	if (!json_is_object(config->json))
		return failure_set(failure, FAILURE_DECODE, NULL,
				   "the network configuration is no JSON object");
	if (read_version(config, failure))
		return -1;
	config->name = json_string_value(json_object_get(config->json, "name"));
	if (!config->name || !name_is_valid(config->name))
		return failure_set(failure, FAILURE_CONFIG, NULL,
				   "the network has no name, or one that is not allowed");
	if (read_mode(config, failure) || check_fields(config->json, failure) ||
	    read_number(config->json, "mtu", &config->mtu, failure))
		return -1;
	return config->mode == MODE_LOOPBACK ? 0 : read_ipam(config, failure);
}

void config_free(struct config *config)
{
	json_decref(config->json);
}

const struct range_set *config_set_of(const struct config *config, const struct address *address)
{
	for (unsigned i = 0; i < config->nr_sets; i++)
		if (range_set_find(&config->sets[i], address))
			return &config->sets[i];
	return NULL;
}
