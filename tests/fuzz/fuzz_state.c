/* SPDX-License-Identifier: MIT */
/*
 * The reader of a state directory's file: any bytes as a file, then as the
 * content of a record whose hashes fit, which a tree is restored from. The tree
 * must be whole whatever they say: what it then keeps is restored again, and kept the same.
 */
#include <stddef.h>
#include <stdint.h>

#include "../../src/state/kept.h"
#include "../../src/state/tree_bytes.h"
#include "../unit/small_tree.h"
#include "freezer.h"

#define ROOT "tests/unit/fixtures/linux"
#ifndef OPEN_TREE
#define OPEN_TREE(small, root) small_tree_open(small, root, controllers)
#endif

/* Reads it, and restores a tree from it; what that keeps goes to `out`. */
static bool restore(const char *data, size_t len, struct text *out)
{
	struct small_tree small;
	struct kept kept;
	struct cgroup *cgroup;
	bool keep, restored = false;
	char *problem;

	if (!kept_read(&kept, data, len)) {
		OPEN_TREE(&small, ROOT);
		problem = tree_restore(small.tree, &kept, true, &keep);
		restored = !problem;
		free(problem);
		for (unsigned i = 0; i < small.tree->hierarchy_count; i++) {
			cgroup_for_each_descendant(cgroup, small.tree->hierarchies[i].root) {
				struct text place = {0}, values = {0};

				tree_put_place(small.tree, cgroup, &place);
				tree_put_values(cgroup, &values);
				kept_put_entry(out, ENTRY_CGROUP, cgroup->id, &place);
				kept_put_entry(out, ENTRY_VALUES, cgroup->id, &values);
				text_free(&place);
				text_free(&values);
			}
		}
		small_tree_close(&small);
	}
	kept_free(&kept);
	return restored;
}

static void put_file(struct text *file, const struct text *content)
{
	static char boot[] = "boot";
	struct text all = {0};

	kept_put_entry(&all, ENTRY_BOOT, 0, &(struct text){.data = boot, .len = 4});
	text_add_bytes(&all, content->data, content->len);
	kept_put_magic(file);
	kept_put_record(file, &all);
	text_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text content = {.data = (char *)data, .len = size}, file = {0}, first = {0}, again = {0};
	struct kept kept;

	freezer_set_acting(false); /* the numbers of processes are anybody's */
	kept_read(&kept, (const char *)data, size);
	kept_free(&kept);
	if (!size)
		return 0;
	put_file(&file, &content);
	if (restore(file.data, file.len, &first)) {
		text_clear(&file);
		put_file(&file, &first);
		if (!restore(file.data, file.len, &again) || first.len != again.len ||
		    memcmp(first.data, again.data, first.len))
			abort();
	}
	text_free(&file);
	text_free(&first);
	text_free(&again);
	return 0;
}
