/* SPDX-License-Identifier: MIT */
#ifndef RUN_ATTACHED_H
#define RUN_ATTACHED_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * BPF programs that are attached to cgroups of ours, by themselves or by a link, which is a descriptor that
 * holds them there. Source: kernel/bpf/cgroup.c of Linux 6.18. All functions are thread-safe.
 */

/* Flags that came after Linux 6.1. */
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1U << 3)
#define BPF_F_AFTER (1U << 4)
#define BPF_F_ID (1U << 5)
#define BPF_F_LINK (1U << 13)
#endif
#ifndef BPF_F_PREORDER
#define BPF_F_PREORDER (1U << 6)
#endif

#define ATTACHED_MAX 64 /* BPF_CGROUP_MAX_PROGS: of one cgroup and type */

/* A program, and the cgroup and enum bpf_attach_type that it is meant for. */
struct attachment {
	int directory; /* O_PATH of the cgroup */
	uint32_t type;
	uint32_t flags; /* BPF_F_*; of a query BPF_F_QUERY_EFFECTIVE */
	uint32_t program; /* its number; 0: none is named */
	uint32_t replaced; /* the number of the one that it comes in place of, with BPF_F_REPLACE */
	uint64_t revision; /* that the cgroup's list must have; 0: any */
	/*
	 * Which it is to be before or after, with BPF_F_BEFORE or BPF_F_AFTER: the number of a program or,
	 * with BPF_F_LINK, of a link. `beside_error`: what is wrong with what the task gave.
	 */
	bool has_beside;
	ino_t beside;
	int beside_error;
	ino_t link; /* the number of its link; 0: it has none */
};

/* What a query says. */
struct attached_programs {
	uint32_t flags; /* what all have; 0 of effective ones */
	uint64_t revision; /* 0 of effective ones */
	unsigned count; /* how many there are */
	unsigned size; /* room in numbers[] */
	uint32_t *numbers;
};

/*
 * Attaches the program, of which `file` is a descriptor that becomes the table's. 0; -EINVAL, -EPERM,
 * -E2BIG, -ENOENT, -ESTALE as the kernel; -ENOSPC: all cgroups together have as many as are kept; -ENOMEM.
 * `file` is closed on errors.
 */
int attached_add(const struct attachment *attachment, int file);

/* 0, -ENOENT, -EINVAL or -ESTALE as the kernel. */
int attached_remove(const struct attachment *attachment);

/*
 * The attached programs. Of the effective ones, which those of ancestors may be among, in the order they
 * would run in.
 */
void attached_query(const struct attachment *attachment, struct attached_programs *programs);

/*
 * A new link: the descriptor for the task, close-on-exec, and in *number what tells it from others. It is
 * attached by attached_add(), and detached once nobody has the descriptor open any more. -ENOSPC: there are
 * as many as are kept; another negative errno.
 */
int attached_new_link(uint32_t type, ino_t *number);
/* Whether such a number is a link's. *type is enum bpf_attach_type. */
bool attached_is_link(ino_t number, uint32_t *type);
/*
 * BPF_LINK_UPDATE: the link has this program from now on, of which `file` is a descriptor that becomes the
 * table's. `replaced`: the program that it must have had; 0: any. 0; -ENOLINK: it is detached; -EPERM: it has
 * another one. `file` is closed on errors.
 */
int attached_update_link(ino_t number, uint32_t program, uint32_t replaced, int file);
/* BPF_LINK_DETACH, and of one that is attached to nothing. */
void attached_detach_link(ino_t number);

#endif
