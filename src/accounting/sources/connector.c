/* SPDX-License-Identifier: MIT */
/* The process events connector (drivers/connector/cn_proc.c): one netlink socket. */
#include <endian.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events.h"

#define RECEIVE_BYTES (4 << 20)
#define ACK_MS 200

/* Has the kernel send forks, execs and exits only, and the answer to a request (PROC_EVENT_NONE). */
static int filter_events(int fd)
{
	const unsigned what = NLMSG_LENGTH(0) + offsetof(struct cn_msg, data) +
			      offsetof(struct proc_event, what);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, what),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe32(PROC_EVENT_FORK), 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe32(PROC_EVENT_EXIT), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe32(PROC_EVENT_EXEC), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe32(PROC_EVENT_NONE), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

int connector_listen(int fd, bool on)
{
	const enum proc_cn_mcast_op op = on ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE;
	const struct cn_msg cn = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .len = sizeof(op)};
	struct {
		struct nlmsghdr header;
		char body[sizeof(cn) + sizeof(op)];
	} __attribute__((packed, aligned(NLMSG_ALIGNTO))) message = {
		.header = {.nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_DONE},
	};

	memcpy(message.body, &cn, sizeof(cn));
	memcpy(message.body + sizeof(cn), &op, sizeof(op));
	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

static int take_event(const struct proc_event *from, struct event_list *list)
{
	struct event event = {.time = from->timestamp_ns, .cpu = from->cpu};

	switch ((unsigned)from->what) {
	case PROC_EVENT_FORK:
		event.type = EVENT_FORK;
		event.tgid = from->event_data.fork.child_tgid;
		event.tid = from->event_data.fork.child_pid;
		event.creator_tgid = from->event_data.fork.parent_tgid;
		event.creator_tid = from->event_data.fork.parent_pid;
		if (event.tid != event.tgid) {
			/* A thread: the parent is its process' parent, not who made it. */
			event.creator_tgid = event.creator_tid = event.tgid;
		}
		break;
	case PROC_EVENT_EXEC:
		event.type = EVENT_EXEC;
		event.tgid = from->event_data.exec.process_tgid;
		event.tid = from->event_data.exec.process_pid;
		break;
	case PROC_EVENT_EXIT:
		event.type = EVENT_EXIT;
		event.tgid = from->event_data.exit.process_tgid;
		event.tid = from->event_data.exit.process_pid;
		event.parent = from->event_data.exit.parent_tgid; /* 0 before Linux 4.18 */
		break;
	default:
		return 0;
	}
	return event_add(list, &event);
}

struct taking {
	struct event_list *list;
	int error; /* the first */
};

static void take_message(const struct nlmsghdr *message, void *context)
{
	const char *data = NLMSG_DATA(message);
	struct taking *taking = context;
	struct proc_event event = {0};
	struct cn_msg cn;

	if (taking->error || message->nlmsg_len < NLMSG_LENGTH(sizeof(cn)))
		return;
	memcpy(&cn, data, sizeof(cn));
	if (cn.id.idx != CN_IDX_PROC || message->nlmsg_len < NLMSG_LENGTH(sizeof(cn) + cn.len))
		return;
	memcpy(&event, data + sizeof(cn), cn.len < sizeof(event) ? cn.len : sizeof(event));
	taking->error = take_event(&event, taking->list);
}

int connector_drain(int fd, struct event_list *list)
{
	struct taking taking = {.list = list};
	int error = netlink_drain(fd, take_message, &taking);

	return error ? error : taking.error;
}

static void drop_message(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
}

/* Outside the first pid and user namespaces the kernel takes the request and stays silent. */
static int check_answer(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int error = connector_listen(fd, true);

	if (!error && poll(&poll_fd, 1, ACK_MS) != 1)
		error = -EPERM;
	connector_listen(fd, false);
	netlink_drain(fd, drop_message, NULL);
	return error;
}

static int connector_connect(int fd)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	int size = RECEIVE_BYTES, error;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	error = filter_events(fd);
	if (!error && bind(fd, (struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	return error ? error : check_answer(fd);
}

int connector_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR), error;

	if (fd < 0)
		return -errno;
	error = connector_connect(fd);
	if (!error)
		return fd;
	close(fd);
	return error;
}
