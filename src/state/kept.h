/* SPDX-License-Identifier: MIT */
#ifndef STATE_KEPT_H
#define STATE_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "accounting.h"
#include "bytes.h"
#include "hash.h"

/*
 * A state file: STATE_MAGIC and the version in one line, then records. A
 * record is three numbers (the length of its content, the content's hash, and
 * the hash of these two) and the content: entries, which are a kind and bytes.
 * One record was one write(): all of it counts, or nothing.
 */
#define STATE_MAGIC "fuse_cgroupfs state "
#define STATE_VERSION 11

enum entry_kind {
	ENTRY_BOOT = 1, /* the kernel's boot_id; the first entry of a file */
	ENTRY_CGROUP, /* number, then its place and attributes */
	ENTRY_VALUES, /* number, then what its controllers keep */
	ENTRY_USAGE, /* number, then what accounting keeps of it */
	ENTRY_REMOVED, /* number */
	ENTRY_PROCESS, /* pid, then what accounting keeps of it */
	ENTRY_GONE, /* pid */
	ENTRY_SEEN, /* until when accounting's part has all forks: ticks, of accounting_export() */
};

/* The last entries of one cgroup. */
struct kept_cgroup {
	uint64_t number; /* 0: the top directory */
	struct bytes place, values, usage; /* point into the file's content */
	UT_hash_handle hh;
};

struct kept_process {
	uint64_t pid;
	struct bytes bytes;
	UT_hash_handle hh;
};

struct kept {
	struct kept_cgroup *cgroups; /* uthash by number, in order of creation */
	struct kept_process *processes; /* uthash by pid */
	struct bytes boot;
	struct accounting_moment seen;
	bool torn; /* the last record was not all there */
	bool is_short; /* of memory: what it was refused for is no fault of the file */
};

/*
 * Reads a file's content, which must outlive *kept. Returns NULL, or why it
 * is refused ("..."): constant text. Free *kept with kept_free() in any case.
 */
const char *kept_read(struct kept *kept, const char *data, size_t len);
void kept_free(struct kept *kept);

/* Appends the line that a file starts with. */
void kept_put_magic(struct text *out);
/* Appends a record with this content. */
void kept_put_record(struct text *out, const struct text *content);
/* Appends an entry to a record's content; `number` is its first figure; `bytes` may be NULL. */
void kept_put_entry(struct text *content, enum entry_kind kind, uint64_t number,
		    const struct text *bytes);

#endif
