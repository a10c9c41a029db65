/* SPDX-License-Identifier: MIT */
/* Words and descriptors between processes. */
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"

struct words {
	enum channel_word word;
	pid_t sender;
};

bool channel_open(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return false;
	/* Who was started without standard streams still has none. */
	ends[0] = descriptors_move_up(ends[0]);
	ends[1] = descriptors_move_up(ends[1]);
	return ends[0] >= 0 && ends[1] >= 0;
}

bool channel_send(int end, enum channel_word word, int descriptor)
{
	struct words words = {word, getpid()};
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec data = {&words, sizeof(words)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (descriptor >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	}
	return sendmsg(end, &message, MSG_NOSIGNAL) == sizeof(words);
}

struct channel_message channel_receive(int end)
{
	struct channel_message received = {.descriptor = -1};
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct words words;
	struct iovec data = {&words, sizeof(words)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t len;

	do
		len = recvmsg(end, &message, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len != sizeof(words))
		return received;
	received.word = words.word;
	received.sender = words.sender;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&received.descriptor, CMSG_DATA(header), sizeof(int));
	return received;
}
