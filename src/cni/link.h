/* SPDX-License-Identifier: MIT */
#ifndef CNI_LINK_H
#define CNI_LINK_H

#include <net/if.h>
#include <stdbool.h>

#include "address.h"

/*
 * Links, addresses and routes of the network namespace that `socket` (netlink_open()) belongs to. Functions
 * return 0 or the kernel's negative errno. They ask for no more than gVisor does, too: no source address of a
 * route, for one (its localRoute() in pkg/sentry/socket/netstack/stack.go knows five attributes).
 */

struct link {
	int index;
	bool up;
	unsigned mtu;
	char mac[3 * 6]; /* "02:42:0a:58:00:05" */
};

/* -ENODEV: there is none of this name. */
int link_find(int socket, const char *name, struct link *link);
int link_up(int socket, int index);
int link_down(int socket, int index);
/*
 * A link and its peer, which goes to the namespace that the descriptor `peer_namespace` is of. mtu
 * 0: the kernel's.
 */
int link_add_veth(int socket, const char *name, const char *peer, int peer_namespace, unsigned mtu);
/* -ENODEV: there is none. The other end of a veth goes with it. */
int link_delete(int socket, const char *name);

/*
 * An IPv6 address is taken to be nobody else's (no duplicate address detection), so that it can be
 * used at once.
 */
int link_add_address(int socket, int index, const struct prefix *prefix);
int link_remove_address(int socket, int index, const struct prefix *prefix);
/* 1 or 0, whatever the address' network is; or a negative errno. */
int link_has_address(int socket, int index, const struct address *address);

/* By this gateway; family 0: the destination is on the link. -EEXIST: a route leads there already. */
int link_add_route(int socket, int index, const struct prefix *destination, const struct address *gateway,
		   unsigned priority);
int link_remove_route(int socket, int index, const struct prefix *destination);
/* 1 or 0, or a negative errno. */
int link_has_route(int socket, int index, const struct prefix *destination);

#endif
