/* SPDX-License-Identifier: MIT */
#ifndef CNI_NETLINK_H
#define CNI_NETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>

/*
 * rtnetlink(7), as much of it as links, addresses and routes take. A library would be libmnl, of which Debian
 * has no static one; `make static` wants all.
 */

/* A request that is put together: a header, the family's own structure, attributes. */
struct netlink_request {
	struct nlmsghdr header;
	char rest[1024]; /* is enough for all that is asked here; more is a fault of ours and aborts */
};

/* A socket of rtnetlink in the network namespace of the calling thread, which it stays in. -1 with errno. */
int netlink_open(void);

/* Begins a request of this type with the family's structure. */
void netlink_begin(struct netlink_request *request, int type, int flags, const void *family, size_t size);
/* Appends an attribute. */
void netlink_add(struct netlink_request *request, int type, const void *data, size_t size);
void netlink_add_string(struct netlink_request *request, int type, const char *text);
void netlink_add_u32(struct netlink_request *request, int type, unsigned value);
/* Begins an attribute that has others in it, after `size` bytes of `data`; netlink_end_nest() ends it. */
struct rtattr *netlink_nest(struct netlink_request *request, int type, const void *data, size_t size);
void netlink_end_nest(struct netlink_request *request, struct rtattr *nest);

/*
 * Sends it and waits for the answer. Each message that comes is shown to `visit` (may be NULL), which returns
 * whether it is the one that was looked for: then 1. Else 0, or the kernel's negative errno.
 */
typedef int (*netlink_visitor)(const struct nlmsghdr *message, void *context);
int netlink_ask(int socket, struct netlink_request *request, netlink_visitor visit, void *context);

/* The attribute of this type behind `size` bytes of the family's structure, or NULL. */
const struct rtattr *netlink_attribute(const struct nlmsghdr *message, size_t size, int type);

#endif
