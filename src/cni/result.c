/* SPDX-License-Identifier: MIT */
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The array of this key, made where it is missing. */
static json_t *array_of(json_t *object, const char *key)
{
	if (!json_is_array(json_object_get(object, key)))
		json_object_set_new(object, key, json_array());
	return json_object_get(object, key);
}

/* Appends a link; `sandbox` NULL: one of the node. */
static void add_interface(json_t *result, const struct attachment *attachment, const char *name,
			  const struct link *link, const char *sandbox)
{
	json_t *interface = json_pack("{s:s, s:s}", "name", name, "mac", link->mac);

	if (sandbox)
		json_object_set_new(interface, "sandbox", json_string(sandbox));
	if (attachment->config->version >= CNI_1_1_0 && attachment->mode != MODE_LOOPBACK && link->mtu)
		json_object_set_new(interface, "mtu", json_integer(link->mtu));
	json_array_append_new(array_of(result, "interfaces"), interface);
}

/* Appends an address; `interface` -1: of none that is listed, `gateway` may be NULL. */
static void add_address(json_t *result, const struct attachment *attachment, const struct prefix *prefix,
			const struct address *gateway, int interface)
{
	char text[PREFIX_TEXT_MAX];
	json_t *ip = json_pack("{s:s}", "address", prefix_print(prefix, text));

	if (gateway)
		json_object_set_new(ip, "gateway", json_string(address_print(gateway, text)));
	if (interface >= 0)
		json_object_set_new(ip, "interface", json_integer(interface));
	if (attachment->config->version < CNI_1_0_0)
		json_object_set_new(ip, "version",
				    json_string(prefix->address.family == AF_INET ? "4" : "6"));
	json_array_append_new(array_of(result, "ips"), ip);
}

static void add_ptp(json_t *result, const struct attachment *attachment)
{
	const struct environment *environment = attachment->environment;
	int before = (int)json_array_size(array_of(result, "interfaces"));

	add_interface(result, attachment, attachment->host_name, &attachment->host, NULL);
	add_interface(result, attachment, environment->interface, &attachment->container,
		      environment->namespace);
	for (unsigned i = 0; i < attachment->nr_given; i++) {
		struct prefix prefix = attachment_prefix(attachment, &attachment->given[i]);

		add_address(result, attachment, &prefix, &attachment->given[i].range->gateway, before + 1);
	}
}

static void add_routes(json_t *result, const struct attachment *attachment)
{
	const struct config *config = attachment->config;

	for (unsigned i = 0; i < config->nr_routes; i++) {
		const struct route *route = &config->routes[i];
		char text[PREFIX_TEXT_MAX];
		json_t *json = json_pack("{s:s}", "dst", prefix_print(&route->destination, text));

		if (route->gateway.family)
			json_object_set_new(json, "gw", json_string(address_print(&route->gateway, text)));
		if (route->priority && config->version >= CNI_1_1_0)
			json_object_set_new(json, "priority", json_integer(route->priority));
		json_array_append_new(array_of(result, "routes"), json);
	}
}

/*
 * The addresses are those of no listed interface: a runtime takes such for CNI_IFNAME's, which is what it
 * wants to know, and lo is not that.
 */
static void add_lo(json_t *result, const struct attachment *attachment)
{
	add_interface(result, attachment, "lo", &attachment->container, attachment->environment->namespace);
	for (unsigned i = 0; i < attachment->nr_given; i++) {
		struct prefix prefix = attachment_prefix(attachment, &attachment->given[i]);

		add_address(result, attachment, &prefix, NULL, -1);
	}
}

/* What containernetworking's loopback answers: lo's own addresses, and a result before it as it is. */
static void add_loopback(json_t *result, const struct attachment *attachment)
{
	static const char *const own[] = {"127.0.0.1/8", "::1/128"};
	struct prefix prefix;

	if (json_object_get(attachment->config->json, "prevResult"))
		return;
	add_interface(result, attachment, "lo", &attachment->container, attachment->environment->namespace);
	for (unsigned i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (prefix_parse(own[i], &prefix) &&
		    link_has_address(attachment->node.inside, attachment->container.index,
				     &prefix.address) == 1)
			add_address(result, attachment, &prefix, NULL, 0);
}

json_t *result_of(const struct attachment *attachment)
{
	const json_t *json = attachment->config->json, *before = json_object_get(json, "prevResult");
	json_t *result = json_is_object(before) ? json_deep_copy(before) : json_object();
	json_t *dns = json_object_get(json, "dns");

	json_object_set_new(result, "cniVersion",
			    json_string(cni_version_names[attachment->config->version]));
	switch (attachment->mode) {
	case MODE_PTP:
		add_ptp(result, attachment);
		add_routes(result, attachment);
		break;
	case MODE_LO:
		add_lo(result, attachment);
		break;
	default:
		add_loopback(result, attachment);
	}
	if (json_object_size(dns))
		json_object_set(result, "dns", dns);
	return result;
}

int result_write(const json_t *json, struct failure *failure)
{
	if (!json || json_dumpf(json, stdout, JSON_INDENT(4)) || putchar('\n') == EOF || fflush(stdout))
		return failure_set(failure, FAILURE_IO, strerror(errno), "cannot write the answer");
	return 0;
}

void result_write_failure(const struct failure *failure, const char *version)
{
	json_t *json = json_pack("{s:s, s:i, s:s}", "cniVersion", version, "code", (int)failure->code, "msg",
				 failure->message);

	if (json && failure->details[0])
		json_object_set_new(json, "details", json_string(failure->details));
	if (!json || json_dumpf(json, stdout, JSON_INDENT(4)) || putchar('\n') == EOF || fflush(stdout))
		fprintf(stderr, "fuse_cgroup_cni: %s\n", failure->message);
	json_decref(json);
}
