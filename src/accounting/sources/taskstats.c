/* SPDX-License-Identifier: MIT */
/* taskstats (kernel/taskstats.c) over generic netlink: what each task used, at its exit. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "events.h"

struct message {
	struct nlmsghdr header;
	struct genlmsghdr genl;
	char attributes[256];
};

static void add_attribute(struct message *message, uint16_t type, const void *data, size_t len)
{
	struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type};
	char *at = (char *)message + NLMSG_ALIGN(message->header.nlmsg_len);

	memcpy(at, &attribute, sizeof(attribute));
	memcpy(at + NLA_HDRLEN, data, len);
	message->header.nlmsg_len =
		NLMSG_ALIGN(message->header.nlmsg_len) + (uint32_t)NLA_ALIGN(attribute.nla_len);
}

static struct message make_message(uint16_t family, uint8_t command, uint8_t version)
{
	return (struct message){
		.header = {.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			   .nlmsg_type = family,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.genl = {.cmd = command, .version = version},
	};
}

/* The next attribute in [*at, end), or NULL. */
static const struct nlattr *next_attribute(const char **at, const char *end)
{
	const struct nlattr *attribute = (const struct nlattr *)*at;

	if (end - *at < (ptrdiff_t)sizeof(*attribute) || attribute->nla_len < sizeof(*attribute) ||
	    attribute->nla_len > end - *at)
		return NULL;
	*at += NLA_ALIGN(attribute->nla_len);
	return attribute;
}

static const void *attribute_data(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

/* Sends and waits for the answer: the errno, and what came with it in `family` (of a GETFAMILY). */
static int converse(int fd, struct message *message, uint16_t *family)
{
	if (send(fd, message, message->header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		char buffer[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
		ssize_t len = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)buffer;

		if (len < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (size_t left = (size_t)len; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			const char *at = (char *)NLMSG_DATA(header) + GENL_HDRLEN;
			const char *end = (char *)header + header->nlmsg_len;
			const struct nlattr *attribute;

			if (header->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
			if (!family || header->nlmsg_type != GENL_ID_CTRL)
				continue;
			while ((attribute = next_attribute(&at, end))) {
				if (attribute->nla_type == CTRL_ATTR_FAMILY_ID)
					memcpy(family, attribute_data(attribute), sizeof(*family));
			}
		}
	}
}

static int find_family(struct taskstats_socket *taskstats)
{
	struct message message = make_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);

	add_attribute(&message, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME,
		      sizeof(TASKSTATS_GENL_NAME));
	return converse(taskstats->fd, &message, &taskstats->family);
}

int taskstats_listen(struct taskstats_socket *taskstats, bool on)
{
	struct message message = make_message(taskstats->family, TASKSTATS_CMD_GET,
					      TASKSTATS_GENL_VERSION);

	add_attribute(&message,
		      on ? TASKSTATS_CMD_ATTR_REGISTER_CPUMASK
			 : TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK,
		      taskstats->cpus, strlen(taskstats->cpus) + 1);
	return converse(taskstats->fd, &message, NULL);
}

int taskstats_open(struct taskstats_socket *taskstats, unsigned nr_cpu)
{
	const struct timeval patience = {.tv_sec = 1};
	int error;

	snprintf(taskstats->cpus, sizeof(taskstats->cpus), "0-%u", nr_cpu - 1);
	taskstats->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (taskstats->fd < 0)
		return -errno;
	setsockopt(taskstats->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	error = netlink_bind(taskstats->fd, 0);
	if (!error)
		error = find_family(taskstats);
	if (!error)
		error = taskstats_listen(taskstats, true); /* may we? */
	if (!error)
		error = taskstats_listen(taskstats, false);
	if (error)
		taskstats_close(taskstats);
	return error;
}

void taskstats_close(struct taskstats_socket *taskstats)
{
	if (taskstats->fd >= 0)
		close(taskstats->fd);
	taskstats->fd = -1;
}

static struct counters counters_of(const struct taskstats *stats)
{
	return (struct counters){{
		[COUNTER_RUN] = stats->cpu_run_virtual_total,
		[COUNTER_USER] = stats->ac_utime * 1000,
		[COUNTER_SYSTEM] = stats->ac_stime * 1000,
		[COUNTER_FAULTS] = stats->ac_minflt + stats->ac_majflt,
		[COUNTER_MAJOR_FAULTS] = stats->ac_majflt,
		[COUNTER_READ] = stats->read_bytes,
		[COUNTER_WRITTEN] = stats->write_bytes,
	}};
}

/* TASKSTATS_TYPE_AGGR_PID: a thread's number and figures. The sum over a process' threads is ours to make. */
static void take_record(const struct nlattr *aggregate,
			void (*ended)(void *, pid_t, const struct exit_figures *), void *context)
{
	const char *at = attribute_data(aggregate);
	const char *end = (const char *)aggregate + aggregate->nla_len;
	const struct nlattr *attribute;
	uint32_t tid = 0;

	while ((attribute = next_attribute(&at, end))) {
		if (attribute->nla_type == TASKSTATS_TYPE_PID) {
			memcpy(&tid, attribute_data(attribute), sizeof(tid));
		} else if (attribute->nla_type == TASKSTATS_TYPE_STATS && tid) {
			struct taskstats stats = {0};
			size_t len = attribute->nla_len - (size_t)NLA_HDRLEN;
			struct exit_figures figures;

			memcpy(&stats, attribute_data(attribute),
			       len < sizeof(stats) ? len : sizeof(stats));
			figures.used = counters_of(&stats);
			figures.high_water = stats.hiwater_rss * 1024;
			ended(context, (pid_t)tid, &figures);
		}
	}
}

struct taking {
	const struct taskstats_socket *taskstats;
	void (*ended)(void *, pid_t, const struct exit_figures *);
	void *context;
};

/* Hands on what a message of exits has. */
static void take_message(const struct nlmsghdr *message, void *context)
{
	const struct taking *taking = context;
	const char *at = (const char *)NLMSG_DATA(message) + GENL_HDRLEN;
	const char *end = (const char *)message + message->nlmsg_len;
	const struct nlattr *attribute;

	if (message->nlmsg_type != taking->taskstats->family)
		return;
	while ((attribute = next_attribute(&at, end))) {
		if (attribute->nla_type == TASKSTATS_TYPE_AGGR_PID)
			take_record(attribute, taking->ended, taking->context);
	}
}

void taskstats_drain(struct taskstats_socket *taskstats,
		     void (*ended)(void *context, pid_t tid, const struct exit_figures *figures),
		     void *context)
{
	struct taking taking = {taskstats, ended, context};

	/* Whose figures were lost is known by other ways. */
	netlink_drain(taskstats->fd, take_message, &taking);
}
