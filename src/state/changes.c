/* SPDX-License-Identifier: MIT */
/* What changed since the file was last written to. */
#include "changes.h"

#include <errno.h>
#include <stdlib.h>

#include "accounting.h"
#include "tree_bytes.h"

/* What the file has of a cgroup: hashes, by kind of entry. */
struct saved {
	uint64_t number;
	uint64_t hash[ENTRY_USAGE + 1];
	UT_hash_handle hh;
};

void changes_free(struct changes *changes)
{
	struct saved *saved, *next;

	HASH_ITER(hh, changes->saved, saved, next) {
		HASH_DEL(changes->saved, saved);
		free(saved);
	}
	text_free(&changes->content);
	text_free(&changes->scratch);
}

/* --- one entry --- */

static struct saved *saved_of(struct changes *changes, uint64_t number)
{
	struct saved *saved;

	HASH_FIND(hh, changes->saved, &number, sizeof(number), saved);
	if (saved)
		return saved;
	saved = calloc(1, sizeof(*saved));
	if (!saved)
		return NULL;
	saved->number = number;
	HASH_ADD(hh, changes->saved, number, sizeof(saved->number), saved);
	return HASH_KEPT(hh, saved);
}

static void forget(struct changes *changes, uint64_t number)
{
	struct saved *saved;

	HASH_FIND(hh, changes->saved, &number, sizeof(number), saved);
	if (saved)
		HASH_DEL(changes->saved, saved);
	free(saved);
}

/* Into the next record, unless the file has just this. */
static void put(struct changes *changes, enum entry_kind kind, uint64_t number,
		const struct text *bytes)
{
	uint64_t hash = bytes_hash(bytes->data, bytes->len);
	struct saved *saved = saved_of(changes, number);

	if (saved && saved->hash[kind] == hash && !changes->everything)
		return;
	if (saved)
		saved->hash[kind] = hash;
	kept_put_entry(&changes->content, kind, number, bytes);
}

/* --- the tree's --- */

void changes_put_place(struct changes *changes, struct cgroup *cgroup)
{
	text_clear(&changes->scratch);
	tree_put_place(changes->tree, cgroup, &changes->scratch);
	put(changes, ENTRY_CGROUP, cgroup ? cgroup->id : 0, &changes->scratch);
}

void changes_put_values(struct changes *changes, struct cgroup *cgroup)
{
	text_clear(&changes->scratch);
	tree_put_values(cgroup, &changes->scratch);
	put(changes, ENTRY_VALUES, cgroup->id, &changes->scratch);
}

void changes_put_around(struct changes *changes, struct cgroup *cgroup, bool below)
{
	struct cgroup *position;

	if (cgroup->dead)
		return;
	changes_put_place(changes, cgroup);
	for (position = cgroup; position; position = position->parent)
		changes_put_values(changes, position);
	if (!below)
		return;
	cgroup_for_each_descendant(position, cgroup) {
		if (position != cgroup)
			changes_put_values(changes, position);
	}
}

void changes_put_removal(struct changes *changes, uint64_t number)
{
	kept_put_entry(&changes->content, ENTRY_REMOVED, number, NULL);
	forget(changes, number);
}

/* --- accounting's --- */

static uint64_t number_of_group(void *context, const struct group *group)
{
	(void)context;
	return cgroup_of_group(group)->id;
}

static void keep_group(void *context, const struct group *group, const struct text *bytes)
{
	put(context, ENTRY_USAGE, cgroup_of_group(group)->id, bytes);
}

static void keep_process(void *context, pid_t tgid, const struct text *bytes)
{
	struct changes *changes = context;

	kept_put_entry(&changes->content, bytes ? ENTRY_PROCESS : ENTRY_GONE, (uint64_t)tgid,
		       bytes);
}

static bool has_moved(const struct changes *changes, const struct accounting_moment *seen)
{
	return seen->ticks != changes->seen.ticks || seen->last_pid != changes->seen.last_pid;
}

int changes_put_accounting(struct changes *changes)
{
	const struct accounting_keeper keeper = {
		.context = changes,
		.number = number_of_group,
		.group = keep_group,
		.process = keep_process,
	};
	struct accounting_moment seen;
	struct text last = {0};
	size_t len = changes->content.len;
	int error = accounting_export(changes->tree->accounting, &keeper, changes->everything,
				      &seen);

	if (!changes->everything && changes->content.len == len &&
	    !(changes->tells_seen && has_moved(changes, &seen)))
		return error;
	changes->seen = seen;
	changes->tells_seen = false;
	bytes_put_u64(&last, (uint64_t)seen.last_pid);
	kept_put_entry(&changes->content, ENTRY_SEEN, seen.ticks, &last);
	text_free(&last);
	return error;
}

/* --- all --- */

int changes_put_everything(struct changes *changes, const struct text *boot)
{
	struct tree *tree = changes->tree;
	struct cgroup *cgroup;
	int error;

	text_clear(&changes->content);
	changes->everything = true;
	kept_put_entry(&changes->content, ENTRY_BOOT, 0, boot);
	tree_read_lock(tree);
	changes_put_place(changes, NULL);
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		cgroup_for_each_descendant(cgroup, tree->hierarchies[i].root) {
			changes_put_place(changes, cgroup);
			changes_put_values(changes, cgroup);
		}
	}
	error = changes_put_accounting(changes);
	tree_unlock(tree);
	changes->everything = false;
	return error;
}
