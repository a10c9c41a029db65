/* SPDX-License-Identifier: MIT */
/*
 * Huge pages that a process has mapped. Source: /proc/PID/smaps, fs/proc/task_mmu.c,
 * Documentation/filesystems/proc.rst. See machine.h for what holds for every function.
 */
#ifndef MACHINE_HUGETLB_H
#define MACHINE_HUGETLB_H

#include <sys/types.h>

#include "machine.h"

/* One mapping of a hugetlbfs file; an anonymous one has a file of its own, which its heirs share. */
struct machine_hugetlb_map {
	uint64_t page_size;		/* bytes */
	unsigned int major, minor;	/* of the filesystem */
	uint64_t inode;
	bool shared;			/* MAP_SHARED */
	bool reserved;			/* not MAP_NORESERVE */
	uint64_t size;			/* bytes, of addresses */
	uint64_t private_bytes;		/* present, and in no other process */
	uint64_t shared_bytes;		/* present in several */
};

/* Calls visit for each of them until it returns other than 0, which is then the result. Errors as
 * machine_task.h's. */
int machine_task_hugetlb(const struct machine *machine, pid_t pid,
			 int (*visit)(const struct machine_hugetlb_map *map, void *arg), void *arg);
int machine_parse_hugetlb(const char *text, size_t len,
			  int (*visit)(const struct machine_hugetlb_map *map, void *arg), void *arg);

#endif
