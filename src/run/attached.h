/* SPDX-License-Identifier: MIT */
#ifndef RUN_ATTACHED_H
#define RUN_ATTACHED_H

#include <stdint.h>

/*
 * BPF programs that are attached to cgroups of ours. Source: kernel/bpf/cgroup.c. All functions are
 * thread-safe.
 */

/* A program, and the cgroup and enum bpf_attach_type that it is meant for. */
struct attachment {
	int directory; /* O_PATH of the cgroup */
	uint32_t type;
	/* BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI and BPF_F_REPLACE; of a query BPF_F_QUERY_EFFECTIVE */
	uint32_t flags;
	uint32_t program; /* its number; 0: none is named */
	uint32_t replaced; /* the number of the one that it comes in place of, with BPF_F_REPLACE */
};

/*
 * Attaches the program, of which `file` is a descriptor that becomes the table's. 0; -EINVAL, -EPERM, -E2BIG,
 * -ENOENT as the kernel; -ENOSPC: all cgroups together have as many as are kept; -ENOMEM. `file` is closed on
 * errors.
 */
int attached_add(const struct attachment *attachment, int file);

/* 0, -ENOENT or -EINVAL as the kernel. */
int attached_remove(const struct attachment *attachment);

/*
 * The numbers of the attached programs, up to `size` of them: how many there are; *flags is what all have. Of
 * the effective ones, which those of ancestors may be among: in the order they would run in, and *flags is 0.
 */
unsigned attached_list(const struct attachment *attachment, uint32_t *programs, unsigned size,
		       uint32_t *flags);

#endif
