/* SPDX-License-Identifier: MIT */
#ifndef STATE_CHANGES_H
#define STATE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "text.h"

/*
 * What the file lacks of the tree: entries for its next record. An entry that
 * the file has, by its hash, is not put again. Not thread-safe.
 */
struct changes {
	struct tree *tree;
	struct text content; /* the entries */
	struct text scratch; /* one of them */
	struct saved *saved; /* what the file has; uthash by number of the cgroup */
	bool everything; /* the next record is all that the file will have */
	bool tells_seen; /* it has the moment below if that has moved, though there is nothing else */
	struct accounting_moment seen; /* as the file has it */
};

void changes_free(struct changes *changes);

/*
 * A cgroup's place and attributes (NULL: the top directory's); its controllers' values. Under the tree lock.
 */
void changes_put_place(struct changes *changes, struct cgroup *cgroup);
void changes_put_values(struct changes *changes, struct cgroup *cgroup);
/* Itself with its values, those of all above it, and of all below where `below`. Under the tree lock. */
void changes_put_around(struct changes *changes, struct cgroup *cgroup, bool below);
void changes_put_removal(struct changes *changes, uint64_t number);

/* What accounting has to tell since it was last asked. 0 or a negative errno. */
int changes_put_accounting(struct changes *changes);

/* All there is, in place of what was put: the content of a file that begins anew. 0 or a negative errno. */
int changes_put_everything(struct changes *changes, const struct text *boot);

#endif
