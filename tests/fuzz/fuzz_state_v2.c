/* SPDX-License-Identifier: MIT */
/* As fuzz_state.c, with a tree of cgroup v2. */
#include "../unit/small_tree.h"

static void open_unified(struct small_tree *small, const char *root)
{
	*small = (struct small_tree){.machine = machine_open(root)};
	if (small->machine)
		small->accounting = accounting_new(small->machine);
	if (small->accounting)
		small->tree = tree_new_unified(dfl_controllers, small->machine, small->accounting);
	if (!small->tree)
		abort();
}

#define OPEN_TREE(small, root) open_unified(small, root)
#include "fuzz_state.c"
