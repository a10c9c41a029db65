/* SPDX-License-Identifier: MIT */
/* What only looks: CHECK and STATUS. */
#include "commands.h"

#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "store.h"

/* The names of what an attachment may have made. */
struct checking {
	const struct config *config;
	const struct environment *environment;
	const json_t *result; /* "prevResult" */
	struct node node;
	char host_name[IF_NAMESIZE];
	struct link container; /* the link that has the addresses */
	unsigned kept; /* addresses that are the attachment's in the store */
	struct failure *failure;
};

static const char *string_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static int wrong(struct checking *checking, int error, const char *what, const char *name)
{
	return failure_set(checking->failure, FAILURE_CHECK, error < 0 ? strerror(-error) : NULL, "%s: %.60s",
			   what, name);
}

/* The address is on the container's link and in the result. */
static bool has_address(struct checking *checking, const struct address *address)
{
	const json_t *value;
	struct prefix prefix;
	size_t i;

	json_array_foreach (json_object_get(checking->result, "ips"), i, value)
		if (prefix_parse(string_of(value, "address"), &prefix) &&
		    !address_compare(&prefix.address, address))
			return link_has_address(checking->node.inside, checking->container.index,
						address) == 1;
	return false;
}

static bool check_holding(const struct holding *holding, void *context)
{
	struct checking *checking = context;
	char text[PREFIX_TEXT_MAX];

	if (!holding_is(holding, checking->environment->container, checking->environment->interface))
		return false;
	checking->kept++;
	if (!has_address(checking, &holding->address))
		wrong(checking, 0, "the address is not there as ADD has made it",
		      address_print(&holding->address, text));
	return false;
}

/* One link of the result, if it is of those that we make: it is there, up, and the same one. */
static int check_link(struct checking *checking, const json_t *json)
{
	const char *name = string_of(json, "name"), *mac = string_of(json, "mac"),
		   *sandbox = string_of(json, "sandbox");
	bool inside = !strcmp(sandbox, checking->environment->namespace) &&
		      (!strcmp(name, checking->environment->interface) || !strcmp(name, "lo"));
	bool outside = !*sandbox && !strcmp(name, checking->host_name);
	struct link link;
	int error;

	if (!inside && !outside)
		return 0;
	error = link_find(inside ? checking->node.inside : checking->node.outside, name, &link);
	if (error)
		return wrong(checking, error, "the interface is not there", name);
	if (!link.up)
		return wrong(checking, 0, "the interface is down", name);
	if (*mac && strcmp(mac, link.mac) != 0)
		return wrong(checking, 0, "the interface has another MAC address", name);
	if (inside && (!checking->container.index || strcmp(name, "lo") != 0))
		checking->container = link;
	return 0;
}

static int check_routes(struct checking *checking)
{
	char text[PREFIX_TEXT_MAX];
	const json_t *value;
	struct prefix prefix;
	size_t i;

	json_array_foreach (json_object_get(checking->result, "routes"), i, value)
		for (unsigned j = 0; j < checking->config->nr_routes; j++) {
			const struct prefix *ours = &checking->config->routes[j].destination;

			if (prefix_parse(string_of(value, "dst"), &prefix) && prefix.length == ours->length &&
			    !address_compare(&prefix.address, &ours->address) &&
			    link_has_route(checking->node.inside, checking->container.index, ours) != 1)
				return wrong(checking, 0, "the route is not there", prefix_print(ours, text));
		}
	return 0;
}

static int check_addresses(struct checking *checking)
{
	struct store store;
	int error;

	if (store_open(&store, checking->config->data_dir, checking->config->name, checking->failure))
		return -1;
	error = store_visit(&store, check_holding, checking);
	store_close(&store);
	if (error)
		return wrong(checking, error, "cannot read which addresses are taken",
			     checking->config->name);
	if (!checking->kept)
		return wrong(checking, 0, "no address is reserved for the container",
			     checking->environment->container);
	return checking->failure->code ? -1 : 0;
}

static int check_all(struct checking *checking)
{
	const json_t *value;
	size_t i;

	json_array_foreach (json_object_get(checking->result, "interfaces"), i, value)
		if (check_link(checking, value))
			return -1;
	if (checking->config->mode == MODE_LOOPBACK)
		return 0;
	if (!checking->container.index)
		return wrong(checking, 0, "prevResult has no interface of the container",
			     checking->environment->interface);
	return check_addresses(checking) ? -1 : check_routes(checking);
}

int command_check(const struct config *config, const struct environment *environment, struct failure *failure)
{
	struct checking checking = {.config = config, .environment = environment, .failure = failure,
		.result = json_object_get(config->json, "prevResult")};
	int error;

	if (!json_is_object(checking.result))
		return failure_set(failure, FAILURE_CONFIG, NULL, "prevResult is missing");
	attachment_host_name(config->name, environment->container, environment->interface,
			     checking.host_name);
	if (node_open(&checking.node, environment->namespace, false, failure))
		return -1;
	error = check_all(&checking);
	node_close(&checking.node);
	return error;
}

int command_status(const struct config *config, const struct environment *environment,
		   struct failure *failure)
{
	struct failure why = {0};
	struct store store;
	int has_free = 1;

	(void)environment;
	if (config->mode == MODE_LOOPBACK)
		return 0;
	if (store_open(&store, config->data_dir, config->name, &why))
		return failure_set(failure, FAILURE_UNAVAILABLE, why.details, "%s", why.message);
	for (unsigned i = 0; i < config->nr_sets && has_free == 1; i++)
		has_free = store_has_free(&store, &config->sets[i]);
	store_close(&store);
	if (has_free == 1)
		return 0;
	return failure_set(failure, FAILURE_UNAVAILABLE, has_free ? strerror(-has_free) : NULL,
			   "no address is free");
}
