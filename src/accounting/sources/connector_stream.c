/* SPDX-License-Identifier: MIT */
/* The process events connector (drivers/connector/cn_proc.c): one netlink socket. */
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events.h"

#define RECEIVE_BYTES (4 << 20)
#define ACK_MS 200

struct connector_stream {
	struct stream stream;
	int fd;
};

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

static int request(int fd, enum proc_cn_mcast_op op)
{
	struct {
		struct nlmsghdr header;
		char body[sizeof(struct cn_msg) + sizeof(op)];
	} __attribute__((packed, aligned(NLMSG_ALIGNTO))) message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = NLMSG_DONE,
			   .nlmsg_pid = 0},
	};
	struct cn_msg cn = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .len = sizeof(op)};

	memcpy(message.body, &cn, sizeof(cn));
	memcpy(message.body + sizeof(cn), &op, sizeof(op));
	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

static void take_event(const struct proc_event *from, struct event_list *list, int *error)
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
		event.creator_tgid = from->event_data.exit.parent_tgid; /* 0 before Linux 4.18 */
		break;
	default:
		return;
	}
	*error = event_add(list, &event);
}

struct taking {
	struct event_list *list;
	int error; /* the first */
};

static void take_message(struct nlmsghdr *message, void *context)
{
	struct taking *taking = context;
	struct proc_event event = {0};
	struct cn_msg cn;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(cn)))
		return;
	memcpy(&cn, NLMSG_DATA(message), sizeof(cn));
	memcpy(&event, (char *)NLMSG_DATA(message) + sizeof(cn),
	       cn.len < sizeof(event) ? cn.len : sizeof(event));
	if (cn.id.idx == CN_IDX_PROC && !taking->error)
		take_event(&event, taking->list, &taking->error);
}

static int connector_drain(struct stream *stream, struct event_list *list)
{
	struct connector_stream *connector = (struct connector_stream *)stream;
	struct taking taking = {.list = list};
	int error = netlink_drain(connector->fd, take_message, &taking);

	return error ? error : taking.error;
}

static int connector_listen(struct stream *stream, bool on)
{
	struct connector_stream *connector = (struct connector_stream *)stream;

	return request(connector->fd, on ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE);
}

static void connector_close(struct stream *stream)
{
	struct connector_stream *connector = (struct connector_stream *)stream;

	close(connector->fd);
	free(connector->stream.fds);
	free(connector);
}

/* Outside the first pid and user namespaces the kernel takes the request and stays silent. */
static int check_answer(struct connector_stream *connector)
{
	struct pollfd poll_fd = {.fd = connector->fd, .events = POLLIN};
	struct event_list list = {0};
	int error = connector_listen(&connector->stream, true);

	if (!error && poll(&poll_fd, 1, ACK_MS) != 1)
		error = -EPERM;
	connector_drain(&connector->stream, &list);
	free(list.events);
	connector_listen(&connector->stream, false);
	return error;
}

static int connector_connect(struct connector_stream *connector)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	int size = RECEIVE_BYTES, error;

	connector->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	if (connector->fd < 0)
		return -errno;
	if (setsockopt(connector->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(connector->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	error = filter_events(connector->fd);
	if (!error && bind(connector->fd, (struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	return error ? error : check_answer(connector);
}

struct stream *connector_stream_open(int *error)
{
	struct connector_stream *connector = calloc(1, sizeof(*connector));

	*error = -ENOMEM;
	if (!connector)
		return NULL;
	connector->stream = (struct stream){.name = "proc connector",
					    .fds = calloc(1, sizeof(int)),
					    .fd_count = 1,
					    .listen = connector_listen,
					    .drain = connector_drain,
					    .close = connector_close};
	connector->fd = -1;
	if (connector->stream.fds)
		*error = connector_connect(connector);
	if (!*error) {
		connector->stream.fds[0] = connector->fd;
		return &connector->stream;
	}
	connector_close(&connector->stream);
	return NULL;
}
