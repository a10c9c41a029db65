/* SPDX-License-Identifier: MIT */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 65536 /* as the kernel makes them at most: netlink_dump() of net/netlink/af_netlink.c */
#define DUMPS_MAX 16 /* of a list that changes while it is read */

int netlink_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Room for so many bytes more, all 0, and for what aligns them: gVisor refuses a length that is not. */
static void *append(struct netlink_request *request, size_t size)
{
	size_t at = request->header.nlmsg_len;

	size = NLMSG_ALIGN(size);
	if (at + size > sizeof(*request))
		abort();
	memset((char *)request + at, 0, size);
	request->header.nlmsg_len = at + size;
	return (char *)request + at;
}

void netlink_begin(struct netlink_request *request, int type, int flags, const void *family, size_t size)
{
	request->header = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
	memcpy(append(request, size), family, size);
}

struct rtattr *netlink_nest(struct netlink_request *request, int type, const void *data, size_t size)
{
	struct rtattr *attribute = append(request, RTA_LENGTH(size));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	return attribute;
}

void netlink_end_nest(struct netlink_request *request, struct rtattr *nest)
{
	nest->rta_len = (char *)request + request->header.nlmsg_len - (char *)nest;
}

void netlink_add(struct netlink_request *request, int type, const void *data, size_t size)
{
	netlink_nest(request, type, data, size);
}

void netlink_add_string(struct netlink_request *request, int type, const char *text)
{
	netlink_add(request, type, text, strlen(text) + 1);
}

void netlink_add_u32(struct netlink_request *request, int type, unsigned value)
{
	netlink_add(request, type, &value, sizeof(value));
}

struct answer {
	netlink_visitor visit;
	void *context;
	int result; /* as netlink_ask()'s */
	int changed; /* the list has changed while it was read */
	int ended;
};

static void take_message(const struct nlmsghdr *message, struct answer *answer)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	answer->changed |= message->nlmsg_flags & NLM_F_DUMP_INTR;
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		answer->ended = 1;
		if (message->nlmsg_type == NLMSG_ERROR && error->error)
			answer->result = error->error;
	} else if (!answer->result && answer->visit) {
		answer->result = answer->visit(message, answer->context);
	}
}

/* Whether the answer came, whatever it is. */
static int receive(int socket, unsigned sequence, struct answer *answer)
{
	static char buffer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t got;

	while (!answer->ended) {
		const struct nlmsghdr *message = (struct nlmsghdr *)buffer;
		int left;

		got = recv(socket, buffer, sizeof(buffer), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPROTO;
		for (left = (int)got; left > 0 && NLMSG_OK(message, (unsigned)left);
		     message = NLMSG_NEXT(message, left))
			if (message->nlmsg_seq == sequence)
				take_message(message, answer);
	}
	return 0;
}

int netlink_ask(int socket, struct netlink_request *request, netlink_visitor visit, void *context)
{
	static unsigned sequence;
	struct answer answer;
	int error, tries = 0;

	/* NLM_F_DUMP is of two bits, which other requests have as well. */
	if ((request->header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->header.nlmsg_flags |= NLM_F_ACK;
	do {
		answer = (struct answer){.visit = visit, .context = context};
		request->header.nlmsg_seq = ++sequence;
		if (send(socket, request, request->header.nlmsg_len, 0) < 0)
			return -errno;
		error = receive(socket, sequence, &answer);
		if (error)
			return error;
	} while (answer.changed && ++tries < DUMPS_MAX);
	return answer.result;
}

const struct rtattr *netlink_attribute(const struct nlmsghdr *message, size_t size, int type)
{
	const struct rtattr *attribute = (const void *)((const char *)NLMSG_DATA(message) +
							NLMSG_ALIGN(size));
	int left = (int)NLMSG_PAYLOAD(message, size);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute;
	return NULL;
}
