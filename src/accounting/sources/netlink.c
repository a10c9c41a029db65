/* SPDX-License-Identifier: MIT */
/* What the netlink sockets of events have in common. */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "events.h"

#define RECEIVE_BYTES (4 << 20)

int netlink_bind(int fd, unsigned groups)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int size = RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

int netlink_drain(int fd, void (*take)(const struct nlmsghdr *message, void *context), void *context)
{
	int result = 0;

	for (;;) {
		char buffer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
		ssize_t len = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;

		if (len < 0 && errno == ENOBUFS) {
			result = -ENOBUFS;
			continue;
		}
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return result;
		for (size_t left = (size_t)len; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
			take(message, context);
	}
}
