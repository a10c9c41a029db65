/* SPDX-License-Identifier: MIT */
/* As fuzz_store.c, with the files of cgroup v2, all controllers of which are enabled to begin with. */
#include "../unit/small_tree.h"

static void open_unified(struct small_tree *small, const char *root)
{
	static const char all[] = "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc +dmem";

	*small = (struct small_tree){.machine = machine_open(root)};
	if (small->machine)
		small->accounting = accounting_new(small->machine);
	if (small->accounting)
		small->tree = tree_new_unified(dfl_controllers, small->machine, small->accounting);
	if (!small->tree || !tree_want_file(small->tree, "io.latency") ||
	    !tree_want_file(small->tree, "io.prio.class") || small_mkdir(small, "/a") ||
	    small_mkdir(small, "/c") ||
	    small_write_as(small, 0, "/cgroup.subtree_control", all, strlen(all)) ||
	    small_mkdir(small, "/a/b") ||
	    small_write_as(small, 0, "/a/cgroup.subtree_control", all, strlen(all)))
		abort();
}

#define OPEN_TREE(small, root) open_unified(small, root)
#include "fuzz_store.c"
