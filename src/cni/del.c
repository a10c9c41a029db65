/* SPDX-License-Identifier: MIT */
/* What takes away: DEL, and GC for what a runtime has forgotten. */
#include "commands.h"

#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "store.h"

struct removal {
	const struct config *config;
	const struct environment *environment; /* of GC: NULL */
	const json_t *valid; /* of GC: the attachments that stay */
	struct node node;
	int error; /* the first one */
};

static void note(struct removal *removal, int error)
{
	if (error && error != -ENODEV && error != -EADDRNOTAVAIL && !removal->error)
		removal->error = error;
}

/* The address on the container's lo, if it is there. */
static void remove_from_lo(struct removal *removal, const struct address *address)
{
	struct prefix prefix = {*address, address_bits(address)};
	struct link lo;

	if (removal->node.inside < 0 || link_find(removal->node.inside, "lo", &lo) ||
	    link_has_address(removal->node.inside, lo.index, address) != 1)
		return;
	note(removal, link_remove_address(removal->node.inside, lo.index, &prefix));
}

static bool release_attachment(const struct holding *holding, void *context)
{
	struct removal *removal = context;

	if (!holding_is(holding, removal->environment->container, removal->environment->interface))
		return false;
	remove_from_lo(removal, &holding->address);
	return true;
}

static void remove_link(struct removal *removal, const char *container, const char *interface)
{
	char name[IF_NAMESIZE];

	attachment_host_name(removal->config->name, container, interface, name);
	note(removal, link_delete(removal->node.outside, name));
}

static int loopback_down(const struct environment *environment, struct failure *failure)
{
	struct node node;
	struct link lo;
	int error;

	if (node_open(&node, environment->namespace, true, failure))
		return -1;
	error = node.inside < 0 ? -ENODEV : link_find(node.inside, "lo", &lo);
	if (!error)
		error = link_down(node.inside, lo.index);
	node_close(&node);
	if (error && error != -ENODEV)
		return failure_set(failure, FAILURE_NETWORK, strerror(-error), "lo cannot be set down");
	return 0;
}

/* All holdings that `visit` picks; whatever fails, the others are given back, too. */
static int release(struct removal *removal, bool (*visit)(const struct holding *, void *),
		   struct failure *failure)
{
	struct store store;
	int error;

	if (store_open(&store, removal->config->data_dir, removal->config->name, failure))
		return -1;
	error = store_visit(&store, visit, removal);
	store_close(&store);
	if (error)
		return failure_set(failure, FAILURE_IO, strerror(-error), "cannot give an address back");
	if (removal->error)
		return failure_set(failure, FAILURE_NETWORK, strerror(-removal->error),
				   "cannot remove an interface");
	return 0;
}

int command_del(const struct config *config, const struct environment *environment, struct failure *failure)
{
	struct removal removal = {.config = config, .environment = environment};
	int error;

	if (config->mode == MODE_LOOPBACK)
		return loopback_down(environment, failure);
	if (node_open(&removal.node, environment->namespace, true, failure))
		return -1;
	remove_link(&removal, environment->container, environment->interface);
	error = release(&removal, release_attachment, failure);
	node_close(&removal.node);
	return error;
}

static bool is_valid(const json_t *valid, const struct holding *holding)
{
	const json_t *value;
	size_t i;

	json_array_foreach (valid, i, value) {
		const char *container = json_string_value(json_object_get(value, "containerID"));
		const char *interface = json_string_value(json_object_get(value, "ifname"));

		if (container && interface && holding_is(holding, container, interface))
			return true;
	}
	return false;
}

static bool release_stale(const struct holding *holding, void *context)
{
	struct removal *removal = context;

	if (is_valid(removal->valid, holding))
		return false;
	if (holding->container[0] && holding->interface[0])
		remove_link(removal, holding->container, holding->interface);
	return true;
}

/*
 * What a runtime does not list is stale, all of it where there is no list (libcni's GCNetworkList()
 * without one).
 */
static int read_valid(struct removal *removal, struct failure *failure)
{
	removal->valid = json_object_get(removal->config->json, "cni.dev/valid-attachments");
	if (!removal->valid || json_is_null(removal->valid) || json_is_array(removal->valid))
		return 0;
	return failure_set(failure, FAILURE_CONFIG, NULL, "cni.dev/valid-attachments is no array");
}

int command_gc(const struct config *config, const struct environment *environment, struct failure *failure)
{
	struct removal removal = {.config = config};
	int error;

	(void)environment;
	if (read_valid(&removal, failure))
		return -1;
	if (config->mode == MODE_LOOPBACK)
		return 0;
	if (node_open(&removal.node, NULL, true, failure))
		return -1;
	error = release(&removal, release_stale, failure);
	node_close(&removal.node);
	return error;
}
