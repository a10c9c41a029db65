/* SPDX-License-Identifier: MIT */
/*
 * blkio: what was read and written, cgroup by cgroup and disk by disk. The
 * root's figures are the disks' own (/proc/diskstats); a child's are what
 * accounting counted of its members.
 * docs/values.md has the formulas.
 */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "blkcg.h"
#include "cgroup.h"
#include "machine_device.h"
#include "number.h"

#define NS_PER_MS 1000000u

void blkio_free_disks(struct blkio_disks *disks)
{
	free(disks->disk);
}

static void raise_to(uint64_t *value, uint64_t to)
{
	if (*value < to)
		*value = to;
}

static uint64_t less(uint64_t value, uint64_t taken)
{
	return value > taken ? value - taken : 0;
}

void blkio_stat_subtract(struct blkio_stat *stat, const struct blkio_stat *other)
{
	for (unsigned i = 0; i < BLKIO_FIGURES; i++) {
		for (unsigned op = 0; op < BLKIO_OPS; op++)
			stat->figure[i][op] = less(stat->figure[i][op], other->figure[i][op]);
	}
}

void blkio_stat_add(struct blkio_stat *stat, const struct blkio_stat *other)
{
	for (unsigned i = 0; i < BLKIO_FIGURES; i++) {
		for (unsigned op = 0; op < BLKIO_OPS; op++)
			stat->figure[i][op] += other->figure[i][op];
	}
}

static void stat_raise(struct blkio_stat *stat, const struct blkio_stat *other)
{
	for (unsigned i = 0; i < BLKIO_FIGURES; i++) {
		for (unsigned op = 0; op < BLKIO_OPS; op++)
			raise_to(&stat->figure[i][op], other->figure[i][op]);
	}
}

static struct blkio_stat disk_stat(const struct machine_disk *disk)
{
	return (struct blkio_stat){{
		[BLKIO_BYTES] = {disk->sectors_read * MACHINE_SECTOR_BYTES,
				 disk->sectors_written * MACHINE_SECTOR_BYTES,
				 disk->sectors_discarded * MACHINE_SECTOR_BYTES},
		[BLKIO_REQUESTS] = {disk->reads, disk->writes, disk->discards},
		[BLKIO_MERGED] = {disk->reads_merged, disk->writes_merged, disk->discards_merged},
		[BLKIO_TIME] = {disk->read_ms * NS_PER_MS, disk->write_ms * NS_PER_MS,
				disk->discard_ms * NS_PER_MS},
		[BLKIO_BUSY] = {disk->io_ms * NS_PER_MS},
	}};
}

/* A machine without that file, as gVisor's, or that hides it has no disks. */
static bool is_untold(int error)
{
	return error == -ENOENT || error == -EACCES;
}

int blkio_read_disks(const struct machine *machine, struct blkio_disks *disks)
{
	struct machine_disks all = {0};
	int error = machine_disks(machine, &all);

	*disks = (struct blkio_disks){0};
	if (error)
		return is_untold(error) ? 0 : error;
	machine_disks_drop_partitions(machine, &all);
	disks->disk = calloc(all.nr ? all.nr : 1, sizeof(*disks->disk));
	for (size_t i = 0; i < all.nr && disks->disk; i++) {
		const struct machine_disk *disk = &all.disk[i];

		disks->disk[disks->count++] = (struct blkio_disk){
			.device = machine_device(disk->major, disk->minor),
			.stat = disk_stat(disk),
		};
	}
	machine_disks_free(&all);
	return disks->disk ? 0 : -ENOMEM;
}

/* Adds to a root the disks that it has not yet: later ones come first in its list. */
static int add_disks(struct blkcg *root, const struct blkio_disks *disks)
{
	for (size_t i = 0; i < disks->count; i++) {
		uint32_t device = disks->disk[i].device;

		if (!blkg_find(root, device) && !blkg_add(root, device))
			return -ENOMEM;
	}
	return 0;
}

int blkio_add_disks(struct blkcg *root, const struct machine *machine)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks disks;
	int error = blkio_read_disks(machine, &disks);

	if (!error)
		error = add_disks(root, &disks);
	for (size_t i = 0; i < disks.count && !error; i++)
		blkg_find(root, disks.disk[i].device)->start = disks.disk[i].stat;
	return error;
}

/* What the disks have done since we started, to share by. Under the tree lock. 0 or -ENOMEM. */
static int recent_disks(const struct cgroup *cgroup, const struct blkio_disks *disks,
			struct blkio_disks *recent)
{
	const struct blkcg *root = blkcg_of(cgroup->hierarchy->root);

	recent->count = disks->count;
	recent->disk = calloc(disks->count + 1, sizeof(*recent->disk));
	for (size_t i = 0; i < disks->count && recent->disk; i++) {
		const struct blkg *blkg = blkg_find(root, disks->disk[i].device);

		recent->disk[i] = disks->disk[i];
		if (blkg)
			blkio_stat_subtract(&recent->disk[i].stat, &blkg->start);
	}
	return recent->disk ? 0 : -ENOMEM;
}

/* Adds to a figure what accounting counted since the last time: resets take of the figure only. */
static void grow(uint64_t *figure, uint64_t *counted, uint64_t now)
{
	if (now <= *counted)
		return; /* not more: another reader has been here meanwhile */
	*figure += now - *counted;
	*counted = now;
}

static void grow_stat(struct blkio_stat *stat, struct io_usage *counted, const struct io_usage *now)
{
	uint64_t *bytes = stat->figure[BLKIO_BYTES], *requests = stat->figure[BLKIO_REQUESTS];

	grow(&bytes[BLKIO_READ], &counted->read_bytes, now->read_bytes);
	grow(&bytes[BLKIO_WRITE], &counted->write_bytes, now->write_bytes);
	grow(&requests[BLKIO_READ], &counted->read_ios, now->read_ios);
	grow(&requests[BLKIO_WRITE], &counted->write_ios, now->write_ios);
}

/* What is known of the disk only: a cgroup's requests have their share of its merges and times. */
static void derive(struct blkio_stat *stat, const struct blkio_stat *disk)
{
	uint64_t requests = 0, all = 0;

	for (enum blkio_op op = 0; op < BLKIO_OPS; op++) {
		uint64_t own = stat->figure[BLKIO_REQUESTS][op];
		uint64_t whole = disk->figure[BLKIO_REQUESTS][op];

		raise_to(&stat->figure[BLKIO_MERGED][op],
			 number_scale(own, disk->figure[BLKIO_MERGED][op], whole));
		raise_to(&stat->figure[BLKIO_TIME][op],
			 number_scale(own, disk->figure[BLKIO_TIME][op], whole));
		requests += own;
		all += whole;
	}
	raise_to(&stat->figure[BLKIO_BUSY][BLKIO_READ],
		 number_scale(requests, disk->figure[BLKIO_BUSY][BLKIO_READ], all));
}

const struct blkio_disk *blkio_find_disk(const struct blkio_disks *disks, uint32_t device)
{
	for (size_t i = 0; i < disks->count; i++) {
		if (disks->disk[i].device == device)
			return &disks->disk[i];
	}
	return NULL;
}

/* Brings a child's blkgs up to what accounting says. Under the tree lock, exclusive. */
static int update_child(struct cgroup *cgroup, const struct blkio_disks *disks,
			const struct disk_usage *used, size_t count)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks recent;
	int error = recent_disks(cgroup, disks, &recent);

	for (size_t i = 0; i < count && !error; i++) {
		struct blkg *blkg = blkg_get(cgroup, used[i].device);
		const struct blkio_disk *disk = blkio_find_disk(&recent, used[i].device);

		if (!blkg)
			return -ENOMEM;
		grow_stat(&blkg->local, &blkg->counted.local, &used[i].local);
		grow_stat(&blkg->total, &blkg->counted.total, &used[i].total);
		if (!disk)
			continue;
		derive(&blkg->local, &disk->stat);
		derive(&blkg->total, &disk->stat);
	}
	return error;
}

static int refresh_child(struct cgroup *cgroup, const struct blkio_disks *disks)
{
	struct disk_usage *used;
	size_t count;
	int error = group_io_usage(&cgroup->group, &used, &count);

	if (!error && count) {
		tree_write_lock(cgroup_tree(cgroup));
		error = update_child(cgroup, disks, used, count);
		tree_unlock(cgroup_tree(cgroup));
	}
	free(used);
	return error;
}

/* Under the tree lock, exclusive. */
static void start_disk(struct cgroup *cgroup, const struct disk_usage *used)
{
	struct blkg *blkg = blkg_get(cgroup, used->device);

	if (!blkg)
		return;
	blkg->counted.local = used->local;
	blkg->counted.total = used->total;
	blkg->local = blkg->total = (struct blkio_stat){0};
}

void blkio_start(struct cgroup *cgroup, void *state)
{
	struct disk_usage *used;
	size_t count;

	if (group_io_usage(&cgroup->group, &used, &count))
		return;
	tree_write_lock(cgroup_tree(cgroup));
	for (size_t i = 0; i < count && blkcg_of(cgroup) == state; i++)
		start_disk(cgroup, &used[i]);
	tree_unlock(cgroup_tree(cgroup));
	free(used);
}

/* --- the root --- */

/* Asks accounting about each child of the root that had members. Without the tree lock. */
static int refresh_children(struct cgroup *root, const struct blkio_disks *disks)
{
	struct tree *tree = cgroup_tree(root);
	struct blkcg *list, *child;
	struct cgroup **children;
	size_t count, i = 0;
	int error = 0;

	tree_read_lock(tree);
	list = blkcg_of(root)->used;
	DL_COUNT(list, child, count);
	children = calloc(count + 1, sizeof(*children));
	DL_FOREACH(list, child) {
		if (children)
			children[i++] = cgroup_get(child->cgroup);
	}
	tree_unlock(tree);
	if (!children)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		if (!error)
			error = refresh_child(children[i], disks);
		cgroup_put(children[i]);
	}
	free(children);
	return error;
}

/*
 * Accounting answers from memory: a cgroup that goes has no live members to
 * look at. What resets took away is not in the blkgs, and not to be taken again.
 */
void blkio_child_removed(struct cgroup *child)
{
	struct blkcg *root = blkcg_of(child->parent);
	struct disk_usage *used;
	size_t count;

	if (group_io_usage(&child->group, &used, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct blkg *blkg = blkg_find(blkcg_of(child), used[i].device);
		struct blkg *same = blkg_find(root, used[i].device);
		struct io_usage counted = blkg ? blkg->counted.total : (struct io_usage){0};

		if (!same)
			continue; /* the disk is gone */
		grow_stat(&same->removed, &counted, &used[i].total);
		if (blkg)
			blkio_stat_add(&same->removed, &blkg->total);
	}
	free(used);
}

/* What the root's own members did: what the disk did less what everything below did. */
static void update_root_disk(struct blkcg *root, struct blkg *blkg, const struct blkio_disk *disk)
{
	struct blkio_stat own = disk->stat;
	struct blkcg *child;

	blkio_stat_subtract(&own, &blkg->total);
	blkio_stat_subtract(&own, &blkg->removed);
	DL_FOREACH(root->used, child) {
		const struct blkg *below = blkg_find(child, blkg->device);

		if (below)
			blkio_stat_subtract(&own, &below->total);
	}
	stat_raise(&blkg->local, &own);
}

/* Brings the root's local figures up to now. Under the tree lock, exclusive. */
static int update_root(struct cgroup *root, const struct blkio_disks *disks)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks recent;
	struct blkcg *blkcg = blkcg_of(root);
	int error = recent_disks(root, disks, &recent);

	for (size_t i = 0; i < disks->count && !error; i++) {
		struct blkg *blkg = blkg_find(blkcg, disks->disk[i].device);

		derive(&blkg->removed, &recent.disk[i].stat);
		update_root_disk(blkcg, blkg, &disks->disk[i]);
	}
	return error;
}

int blkio_refresh(struct cgroup *cgroup, const struct blkio_disks *disks, bool only_total)
{
	struct tree *tree = cgroup_tree(cgroup);
	int error;

	if (!cgroup_is_root(cgroup))
		return refresh_child(cgroup, disks);
	error = only_total ? 0 : refresh_children(cgroup, disks);
	if (error)
		return error;
	tree_write_lock(tree);
	error = add_disks(blkcg_of(cgroup), disks);
	if (!error && !only_total)
		error = update_root(cgroup, disks);
	tree_unlock(tree);
	return error;
}
