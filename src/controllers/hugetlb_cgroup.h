/* SPDX-License-Identifier: MIT */
/* What the files of the hugetlb controller share. Source: mm/hugetlb_cgroup.c. */
#ifndef HUGETLB_CGROUP_H
#define HUGETLB_CGROUP_H

#include <stdatomic.h>

#include "controller.h"

/* Pages in use, and pages reserved for mappings, in use or not. */
enum hugetlb_counter { HUGETLB_USAGE, HUGETLB_RSVD, HUGETLB_COUNTER_NR };

/*
 * What is held of one file of huge pages (a mapping of none has one of its own). No padding: it is
 * compared.
 */
struct hugetlb_file {
	uint64_t inode;
	uint32_t major, minor;
	uint64_t held[HUGETLB_COUNTER_NR]; /* bytes */
};

/* One size of page; bytes. */
struct hugetlb_size {
	uint64_t page_size;
	uint64_t max[HUGETLB_COUNTER_NR]; /* under the tree lock */
	_Atomic uint64_t watermark[HUGETLB_COUNTER_NR];
	/*
	 * v2: what members had when the controller was enabled, which is charged above; under the
	 * tree lock
	 */
	struct hugetlb_file *before;
	size_t before_count;
};

/* One for each of the controller's instances, in their order. */
struct hugetlb_cgroup {
	unsigned nr;
	struct hugetlb_size *size;
};

static inline struct hugetlb_cgroup *hugetlb_cgroup_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &hugetlb_controller);
}

/*
 * What a cgroup and all below it hold of one size (an index into
 * hugetlb_cgroup.size) in bytes, which raises its watermarks. Reads /proc and
 * /sys: without the tree lock. 0 or -ENOMEM.
 */
int hugetlb_held(struct cgroup *cgroup, unsigned size, uint64_t held[HUGETLB_COUNTER_NR]);

/*
 * v2 has enabled the controller in a cgroup: what members hold now is not the cgroup's. Reads /proc
 * and /sys.
 */
void hugetlb_start(struct cgroup *cgroup, void *state);

/* The same of the cgroup alone, its usage only. */
int hugetlb_held_local(struct cgroup *cgroup, unsigned size, uint64_t *held);

#endif
