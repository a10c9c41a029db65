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

#include "clock.h"
#include "events.h"

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

/* The number comes back with the answer, plus 1. Source: cn_proc_ack() */
static int request(int fd, enum proc_cn_mcast_op op, uint32_t number)
{
	const struct cn_msg cn = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .ack = number,
				  .len = sizeof(op)};
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

int connector_listen(int fd, bool on)
{
	return request(fd, on ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE, 0);
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

/* False: it is something else. */
static bool parse(const struct nlmsghdr *message, struct cn_msg *cn, struct proc_event *event)
{
	const char *data = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*cn)))
		return false;
	memcpy(cn, data, sizeof(*cn));
	if (cn->id.idx != CN_IDX_PROC || message->nlmsg_len < NLMSG_LENGTH(sizeof(*cn) + cn->len))
		return false;
	*event = (struct proc_event){0};
	memcpy(event, data + sizeof(*cn), cn->len < sizeof(*event) ? cn->len : sizeof(*event));
	return true;
}

struct taking {
	struct event_list *list;
	int error; /* the first */
};

static void take_message(const struct nlmsghdr *message, void *context)
{
	struct taking *taking = context;
	struct proc_event event;
	struct cn_msg cn;

	if (!taking->error && parse(message, &cn, &event))
		taking->error = take_event(&event, taking->list);
}

int connector_drain(int fd, struct event_list *list)
{
	struct taking taking = {.list = list};
	int error = netlink_drain(fd, take_message, &taking);

	return error ? error : taking.error;
}

struct awaited {
	uint32_t number;
	bool is_there;
};

static void find_answer(const struct nlmsghdr *message, void *context)
{
	struct awaited *awaited = context;
	struct proc_event event;
	struct cn_msg cn;

	if (parse(message, &cn, &event) && event.what == PROC_EVENT_NONE && cn.ack == awaited->number + 1)
		awaited->is_there = true;
}

/*
 * Outside the first pid and user namespaces the kernel takes the request and stays silent. But all who have
 * such a socket hear the events that others listen for, and the answers to others.
 */
static int check_answer(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct awaited awaited = {.number = (uint32_t)now_ns() ^ (uint32_t)gettid()};
	uint64_t until = now_ns() + ACK_MS * 1000000ull, now;
	int error = request(fd, PROC_CN_MCAST_LISTEN, awaited.number);

	while (!error && !awaited.is_there) {
		now = now_ns();
		if (now >= until || poll(&poll_fd, 1, (int)((until - now) / 1000000 + 1)) < 0)
			error = -EPERM;
		netlink_drain(fd, find_answer, &awaited);
	}
	connector_listen(fd, false);
	netlink_drain(fd, find_answer, &awaited);
	return awaited.is_there ? 0 : error;
}

static int connector_connect(int fd)
{
	int error = filter_events(fd);

	if (!error)
		error = netlink_bind(fd, CN_IDX_PROC);
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
