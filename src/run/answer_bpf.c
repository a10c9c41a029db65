/* SPDX-License-Identifier: MIT */
/* bpf(2) on cgroups of ours. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attached.h"
#include "calls.h"
#include "cgroup2_calls.h"
#include "peer.h"
#include "rights.h"
#include "text.h"
#include "view.h"

#define LISTED_MAX 1024

/* The kind of program that is attached so (attach_type_to_prog_type of kernel/bpf/syscall.c), of cgroups. */
static unsigned kind_of(uint32_t type)
{
	switch (type) {
	case BPF_CGROUP_INET_INGRESS:
	case BPF_CGROUP_INET_EGRESS:
		return BPF_PROG_TYPE_CGROUP_SKB;
	case BPF_CGROUP_INET_SOCK_CREATE:
	case BPF_CGROUP_INET_SOCK_RELEASE:
	case BPF_CGROUP_INET4_POST_BIND:
	case BPF_CGROUP_INET6_POST_BIND:
		return BPF_PROG_TYPE_CGROUP_SOCK;
	case BPF_CGROUP_DEVICE:
		return BPF_PROG_TYPE_CGROUP_DEVICE;
	case BPF_CGROUP_SOCK_OPS:
		return BPF_PROG_TYPE_SOCK_OPS;
	case BPF_CGROUP_SYSCTL:
		return BPF_PROG_TYPE_CGROUP_SYSCTL;
	case BPF_CGROUP_GETSOCKOPT:
	case BPF_CGROUP_SETSOCKOPT:
		return BPF_PROG_TYPE_CGROUP_SOCKOPT;
	default:
		return BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
	}
}

/* The number of the program of this kind that our descriptor is of; 0: it is of none. */
static uint32_t number_of(int program, unsigned kind)
{
	unsigned number = 0, found = BPF_PROG_TYPE_UNSPEC;
	char path[64], line[128];
	FILE *about;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", program);
	about = fopen(path, "re");
	while (about && !number && fgets(line, sizeof(line), about)) {
		sscanf(line, "prog_type: %u", &found);
		sscanf(line, "prog_id: %u", &number);
	}
	if (about)
		fclose(about);
	return found == kind ? number : 0;
}

/* The task's program: our descriptor of it, and its number. -EBADF; -EINVAL: it is something else. */
static int fetch_program(const struct call *call, uint32_t fd, uint32_t type, uint32_t *number)
{
	int program = peer_descriptor(call->peer, (int)fd);

	*number = program < 0 ? 0 : number_of(program, kind_of(type));
	if (program < 0 || *number)
		return program;
	close(program);
	return -EINVAL;
}

static int attach(const struct call *call, const union bpf_attr *attr, struct attachment *attachment)
{
	int program, replaced;

	program = fetch_program(call, attr->attach_bpf_fd, attr->attach_type, &attachment->program);
	if (program < 0)
		return program;
	if (attachment->flags & BPF_F_REPLACE) {
		replaced = fetch_program(call, attr->replace_bpf_fd, attr->attach_type,
					 &attachment->replaced);
		if (replaced < 0) {
			close(program);
			return replaced;
		}
		close(replaced);
	}
	return attached_add(attachment, program);
}

static int detach(const struct call *call, const union bpf_attr *attr, struct attachment *attachment)
{
	int program = fetch_program(call, attr->attach_bpf_fd, attr->attach_type, &attachment->program);

	if (program >= 0)
		close(program); /* who permits one only may name none */
	return attached_remove(attachment);
}

static int query(const struct call *call, const union bpf_attr *attr, struct attachment *attachment)
{
	const uint64_t address = call->arguments[1];
	uint32_t programs[LISTED_MAX], flags, size = attr->query.prog_cnt, count;
	int error;

	if (attr->query.query_flags & ~(uint32_t)BPF_F_QUERY_EFFECTIVE)
		return -EINVAL;
	attachment->type = attr->query.attach_type;
	attachment->flags = attr->query.query_flags;
	count = attached_list(attachment, programs, LISTED_MAX, &flags);
	error = peer_write(call->peer, address + offsetof(union bpf_attr, query.attach_flags), &flags,
			   sizeof(flags));
	if (!error)
		error = peer_write(call->peer, address + offsetof(union bpf_attr, query.prog_cnt), &count,
				   sizeof(count));
	if (error || !size || !attr->query.prog_ids || !count)
		return error;
	if (size > count)
		size = count;
	if (size > LISTED_MAX)
		size = LISTED_MAX;
	error = peer_write(call->peer, attr->query.prog_ids, programs, size * sizeof(programs[0]));
	return error ? error : size < count ? -ENOSPC : 0;
}

static int serve(const struct call *call, const union bpf_attr *attr, int directory)
{
	struct attachment attachment = {
		.directory = directory, .type = attr->attach_type, .flags = attr->attach_flags};

	if (!rights_of_admin(call->peer))
		return -EPERM;
	switch (call->arguments[0]) {
	case BPF_PROG_ATTACH:
		return attach(call, attr, &attachment);
	case BPF_PROG_DETACH:
		return detach(call, attr, &attachment);
	default:
		return query(call, attr, &attachment);
	}
}

static bool takes_cgroup(uint64_t command)
{
	return command == BPF_PROG_ATTACH || command == BPF_PROG_DETACH || command == BPF_PROG_QUERY;
}

/* The target comes first in what all three commands take (struct bpf_attr). */
void answer_bpf(const struct calls_context *context, const struct call *call, char *path,
		struct answer *answer)
{
	union bpf_attr attr = {0};
	size_t size = call->arguments[2];
	struct statx about;
	int directory;

	if (!takes_cgroup(call->arguments[0]))
		return;
	if (size > sizeof(attr))
		size = sizeof(attr);
	if (peer_read(call->peer, call->arguments[1], &attr, size)) /* what is not given is 0 */
		return;
	snprintf(path, PATH_MAX, "%d, %u", (int)call->arguments[0], attr.target_fd);
	directory = peer_file(call->peer, (int)attr.target_fd);
	if (directory < 0)
		return;
	if (view_has(context->view, directory, &about))
		answer_value(answer, serve(call, &attr, directory));
	close(directory);
}
