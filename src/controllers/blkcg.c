/* SPDX-License-Identifier: MIT */
/* The state of a cgroup of blkio, and its disks (block/blk-cgroup.c). */
#include <stdlib.h>

#include "blkcg.h"

struct blkcg *blkcg_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &blkio_controller);
}

struct blkg *blkg_find(const struct blkcg *blkcg, uint32_t device)
{
	struct blkg *blkg = blkcg->blkgs;

	while (blkg && blkg->device != device)
		blkg = blkg->next;
	return blkg;
}

struct blkg *blkg_add(struct blkcg *blkcg, uint32_t device)
{
	struct blkg *blkg = calloc(1, sizeof(*blkg));

	if (!blkg)
		return NULL;
	blkg->device = device;
	for (unsigned i = 0; i < LIMITS; i++)
		blkg->limit[i] = NO_LIMIT;
	blkg->next = blkcg->blkgs;
	blkcg->blkgs = blkg;
	return blkg;
}

struct blkg *blkg_get(struct cgroup *cgroup, uint32_t device)
{
	struct blkg *blkg = blkg_find(blkcg_of(cgroup), device);

	if (blkg)
		return blkg;
	if (cgroup->parent && !blkg_get(cgroup->parent, device))
		return NULL;
	return blkg_add(blkcg_of(cgroup), device);
}
