/* SPDX-License-Identifier: MIT */
/* The machine's disks: reading/disks.c looks at them, disk_parts.c gives to them. */
#ifndef ACCOUNTING_DISKS_H
#define ACCOUNTING_DISKS_H

#include "ledger.h"

struct disk_part {
	uint32_t device;
	struct io_usage usage;
};

enum direction { READS, WRITES, DIRECTIONS };

/* All but the requests in bytes. */
struct disk {
	uint32_t device;
	uint64_t seen[DIRECTIONS], requests[DIRECTIONS]; /* since it came up, as read last */
	uint64_t own[DIRECTIONS]; /* of that, done for no disk above it */
	/* Of that, given to no member yet: since the look before and just before that, and earlier. */
	uint64_t fresh[DIRECTIONS], late[DIRECTIONS];
	uint64_t expected[DIRECTIONS]; /* given to members before it was done */
};

struct disks {
	struct disk *disk;
	struct disk_part *parts; /* as many: of what was given last */
	size_t count;
	uint64_t looked_at, turned_at, learned_at; /* ns */
	uint64_t learned_bytes[DIRECTIONS], learned_requests[DIRECTIONS];
};

/* --- disk_parts.c --- */

/* NULL: no memory. */
struct disks *disks_new(void);
void disks_free(struct disks *disks);

/*
 * Gives what a process has read and written to disks; `usage` is its group's, or NULL. *count parts,
 * some of nothing; none where no disk is known. Theirs until the next call. Under the lock.
 */
const struct disk_part *disks_give(struct disks *disks, const struct usage *usage,
				   const struct counters *delta, size_t *count);

#endif
