/* SPDX-License-Identifier: MIT */
/* What the netlink sockets of events have in common. */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "events.h"

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
