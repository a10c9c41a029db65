/* SPDX-License-Identifier: MIT */
/* BPF programs of tasks, known by their numbers. */
#include "bpf_program.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>

#include "peer.h"

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

/* The number of the program that our descriptor is of, and its kind; 0: it is of none. */
static uint32_t number_of(int program, unsigned *kind)
{
	unsigned number = 0;
	char path[64], line[128];
	FILE *about;

	*kind = BPF_PROG_TYPE_UNSPEC;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", program);
	about = fopen(path, "re");
	while (about && !number && fgets(line, sizeof(line), about)) {
		sscanf(line, "prog_type: %u", kind);
		sscanf(line, "prog_id: %u", &number);
	}
	if (about)
		fclose(about);
	return *kind == BPF_PROG_TYPE_UNSPEC ? 0 : number; /* a link says the number of its program too */
}

int bpf_program_fetch(const struct peer *peer, uint32_t fd, uint32_t type, uint32_t *number)
{
	int program = peer_descriptor(peer, (int)fd);
	unsigned kind;

	*number = program < 0 ? 0 : number_of(program, &kind);
	if (program < 0 || (*number && kind == kind_of(type)))
		return program;
	*number = 0;
	close(program);
	return -EINVAL;
}

int64_t bpf_program_number(const struct peer *peer, uint32_t fd)
{
	int program = peer_descriptor(peer, (int)fd);
	uint32_t number;
	unsigned kind;

	if (program < 0)
		return program;
	number = number_of(program, &kind);
	close(program);
	return number ? (int64_t)number : -EINVAL;
}
