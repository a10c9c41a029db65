/* SPDX-License-Identifier: MIT */
#include "attachment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

void attachment_host_name(const char *network, const char *container, const char *interface,
			  char name[IF_NAMESIZE])
{
	struct text all = {0};
	uint64_t hash;

	bytes_put_string(&all, network);
	bytes_put_string(&all, container);
	bytes_put_string(&all, interface);
	hash = bytes_hash(all.data, all.len);
	text_free(&all);
	snprintf(name, IF_NAMESIZE, "fcg%012llx", (unsigned long long)(hash >> 16));
}

/* An address alone: all of its bits are the network's. */
static struct prefix alone(const struct address *address)
{
	return (struct prefix){*address, address_bits(address)};
}

struct prefix attachment_prefix(const struct attachment *attachment, const struct given *given)
{
	if (attachment->mode == MODE_PTP)
		return (struct prefix){given->address, given->range->subnet.length};
	return alone(&given->address);
}

struct address attachment_gateway(const struct attachment *attachment, const struct route *route)
{
	if (route->gateway.family)
		return route->gateway;
	for (unsigned i = 0; i < attachment->nr_given; i++)
		if (attachment->given[i].address.family == route->destination.address.family)
			return attachment->given[i].range->gateway;
	return (struct address){0};
}

/*
 * The container's side of one address, as containernetworking's ptp has it: all but the gateway is reached by
 * the gateway, so the route to the subnet that comes with the address goes.
 */
static int make_inside(struct attachment *attachment, const struct given *given)
{
	static const struct address on_link;
	struct prefix address = attachment_prefix(attachment, given), gateway = alone(&given->range->gateway);
	int socket = attachment->node.inside, index = attachment->container.index;
	int error = link_add_address(socket, index, &address);

	if (error)
		return error;
	error = link_remove_route(socket, index, &given->range->subnet);
	if (error && error != -ESRCH)
		return error;
	error = link_add_route(socket, index, &gateway, &on_link, 0);
	if (error)
		return error;
	return link_add_route(socket, index, &given->range->subnet, &given->range->gateway, 0);
}

/* The node's side: it is the gateway, and the container is on this link. */
static int make_outside(struct attachment *attachment, const struct given *given)
{
	static const struct address on_link;
	struct prefix gateway = alone(&given->range->gateway), container = alone(&given->address);
	int socket = attachment->node.outside, index = attachment->host.index;
	int error = link_add_address(socket, index, &gateway);

	if (!error)
		error = link_add_route(socket, index, &container, &on_link, 0);
	if (!error && node_forward(given->address.family))
		fprintf(stderr,
			"fuse_cgroup_cni: the node cannot forward %s: over it containers reach "
			"only the node\n",
			given->address.family == AF_INET ? "IPv4" : "IPv6");
	return error;
}

static int make_routes(struct attachment *attachment)
{
	const struct config *config = attachment->config;
	int error = 0;

	for (unsigned i = 0; i < config->nr_routes && !error; i++) {
		struct address gateway = attachment_gateway(attachment, &config->routes[i]);

		error = link_add_route(attachment->node.inside, attachment->container.index,
				       &config->routes[i].destination, &gateway, config->routes[i].priority);
	}
	return error;
}

static int make_links(struct attachment *attachment)
{
	struct node *node = &attachment->node;
	const char *interface = attachment->environment->interface;
	int error = link_add_veth(node->outside, attachment->host_name, interface, node->namespace,
				  attachment->config->mtu);

	if (!error)
		error = link_find(node->outside, attachment->host_name, &attachment->host);
	if (!error)
		error = link_find(node->inside, interface, &attachment->container);
	if (!error)
		error = link_up(node->outside, attachment->host.index);
	if (!error)
		error = link_up(node->inside, attachment->container.index);
	return error;
}

static int make_ptp(struct attachment *attachment)
{
	struct link old;
	int error = link_find(attachment->node.outside, attachment->host_name, &old);

	if (error != -ENODEV)
		return error ? error : -EEXIST;
	attachment->mode = MODE_PTP;
	error = make_links(attachment);
	for (unsigned i = 0; i < attachment->nr_given && !error; i++) {
		error = make_inside(attachment, &attachment->given[i]);
		if (!error)
			error = make_outside(attachment, &attachment->given[i]);
	}
	if (!error)
		error = make_routes(attachment);
	if (error)
		link_delete(attachment->node.outside, attachment->host_name);
	return error;
}

static int make_lo(struct attachment *attachment)
{
	unsigned i;
	int error = 0;

	attachment->mode = MODE_LO;
	for (i = 0; i < attachment->nr_given; i++) {
		struct prefix prefix = attachment_prefix(attachment, &attachment->given[i]);

		error = link_add_address(attachment->node.inside, attachment->container.index, &prefix);
		if (error)
			break;
	}
	while (error && i--) {
		struct prefix prefix = attachment_prefix(attachment, &attachment->given[i]);

		link_remove_address(attachment->node.inside, attachment->container.index, &prefix);
	}
	return error;
}

/* What a kernel says that has no veth, or lets us make none. */
static bool is_impossible(int error)
{
	return error == -EOPNOTSUPP || error == -EPERM || error == -EACCES;
}

static int find_and_up_lo(struct attachment *attachment)
{
	int error = link_find(attachment->node.inside, "lo", &attachment->container);

	return error ? error : link_up(attachment->node.inside, attachment->container.index);
}

int attachment_make(struct attachment *attachment, struct failure *failure)
{
	enum mode mode = attachment->config->mode;
	int error = find_and_up_lo(attachment);

	if (error)
		return failure_set(failure, FAILURE_NETWORK, strerror(-error), "lo cannot be set up");
	attachment->mode = mode;
	if (mode == MODE_AUTO || mode == MODE_PTP) {
		error = make_ptp(attachment);
		if (error && (mode == MODE_PTP || !is_impossible(error)))
			return failure_set(failure, FAILURE_NETWORK, strerror(-error),
					   "the veth of the container cannot be set up");
		if (!error)
			return 0;
		fprintf(stderr,
			"fuse_cgroup_cni: no veth here (%s): the address is on lo, where only its container "
			"reaches it\n",
			strerror(-error));
		error = find_and_up_lo(attachment);
	}
	if (!error && mode != MODE_LOOPBACK)
		error = make_lo(attachment);
	return error ? failure_set(failure, FAILURE_NETWORK, strerror(-error),
				   "lo cannot be given the address")
		     : 0;
}
