/*
 * blkio: what was read and written, cgroup by cgroup and disk by disk. The
 * root's figures are the disks' own (/proc/diskstats); a child's are what
 * accounting counted of its members, given to the disks by their shares.
 * docs/values.md has the formulas.
 */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "blkio.h"
#include "machine_device.h"

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

int blkio_read_disks(const struct machine *machine, struct blkio_disks *disks)
{
	struct machine_disks all = {0};
	int error = machine_disks(machine, &all);

	*disks = (struct blkio_disks){0};
	if (error)
		return error == -ENOMEM ? error : 0;
	machine_disks_drop_partitions(machine, &all);
	disks->disk = calloc(all.nr ? all.nr : 1, sizeof(*disks->disk));
	for (size_t i = 0; i < all.nr && disks->disk; i++) {
		const struct machine_disk *disk = &all.disk[i];

		disks->disk[disks->count++] = (struct blkio_disk){
			.device = blkio_device(disk->major, disk->minor),
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

/* part * whole / all, without overflow; 0 of nothing. */
static uint64_t share(uint64_t part, uint64_t whole, uint64_t all)
{
	return all ? (uint64_t)((unsigned __int128)part * whole / all) : 0;
}

/* --- giving a cgroup's bytes and requests to disks --- */

static uint64_t sum_over_disks(const struct blkio_disks *disks, enum blkio_figure figure,
			       enum blkio_op op)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < disks->count; i++)
		sum += disks->disk[i].stat.figure[figure][op];
	return sum;
}

enum purpose { FOR_LOCAL, FOR_TOTAL, FOR_REMOVED };

/*
 * Where amounts go: to one of the figures of a cgroup's blkgs. An amount is
 * given once and for all by what each disk has done since we started, so that a
 * cgroup's figures for a disk never go back; the busiest disk takes what rounding leaves.
 */
struct gift {
	struct cgroup *cgroup;
	const struct blkio_disks *disks;
	enum purpose purpose;
};

static struct blkio_stat *stat_for(struct blkg *blkg, enum purpose purpose)
{
	switch (purpose) {
	case FOR_LOCAL:
		return &blkg->local;
	case FOR_TOTAL:
		return &blkg->total;
	default:
		return &blkg->removed;
	}
}

static int give_to_disk(const struct gift *gift, const struct blkio_disk *disk,
			enum blkio_figure figure, enum blkio_op op, uint64_t amount)
{
	struct blkg *blkg = amount ? blkg_get(gift->cgroup, disk->device) : NULL;

	if (!blkg)
		return amount ? -ENOMEM : 0;
	stat_for(blkg, gift->purpose)->figure[figure][op] += amount;
	return 0;
}

static int give(const struct gift *gift, enum blkio_figure figure, enum blkio_op op,
		uint64_t amount, uint64_t all)
{
	const struct blkio_disk *disk = gift->disks->disk, *end = disk + gift->disks->count;
	const struct blkio_disk *busiest = disk;
	uint64_t left = amount;
	int error = 0;

	for (; disk < end && !error; disk++) {
		uint64_t part = share(amount, disk->stat.figure[figure][op], all);

		if (disk->stat.figure[figure][op] > busiest->stat.figure[figure][op])
			busiest = disk;
		left -= part;
		error = give_to_disk(gift, disk, figure, op, part);
	}
	return error ? error : give_to_disk(gift, busiest, figure, op, left);
}

/* Gives what came since the last time, or waits for a disk that has done any. */
static int give_counter(const struct gift *gift, enum blkio_figure figure, enum blkio_op op,
			uint64_t *given, uint64_t now)
{
	uint64_t all = sum_over_disks(gift->disks, figure, op), before = *given;

	if (!all || now <= before)
		return 0; /* not more: another reader has been here meanwhile */
	*given = now;
	return give(gift, figure, op, now - before, all);
}

static int give_usage(const struct gift *gift, struct io_usage *given, const struct io_usage *now)
{
	int error;

	error = give_counter(gift, BLKIO_BYTES, BLKIO_READ, &given->read_bytes, now->read_bytes);
	if (!error)
		error = give_counter(gift, BLKIO_BYTES, BLKIO_WRITE, &given->write_bytes,
				     now->write_bytes);
	if (!error)
		error = give_counter(gift, BLKIO_REQUESTS, BLKIO_READ, &given->read_ios,
				     now->read_ios);
	if (!error)
		error = give_counter(gift, BLKIO_REQUESTS, BLKIO_WRITE, &given->write_ios,
				     now->write_ios);
	return error;
}

/* What is known of the disk only: a cgroup's requests have their share of its merges and times. */
static void derive(struct blkio_stat *stat, const struct blkio_stat *disk)
{
	uint64_t requests = 0, all = 0;

	for (enum blkio_op op = 0; op < BLKIO_OPS; op++) {
		uint64_t own = stat->figure[BLKIO_REQUESTS][op];
		uint64_t whole = disk->figure[BLKIO_REQUESTS][op];

		raise_to(&stat->figure[BLKIO_MERGED][op],
			 share(own, disk->figure[BLKIO_MERGED][op], whole));
		raise_to(&stat->figure[BLKIO_TIME][op],
			 share(own, disk->figure[BLKIO_TIME][op], whole));
		requests += own;
		all += whole;
	}
	raise_to(&stat->figure[BLKIO_BUSY][BLKIO_READ],
		 share(requests, disk->figure[BLKIO_BUSY][BLKIO_READ], all));
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
			const struct io_usage *local, const struct io_usage *total)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks recent;
	struct blkcg *blkcg = blkcg_of(cgroup);
	int error = recent_disks(cgroup, disks, &recent);

	if (!error)
		error = give_usage(&(struct gift){cgroup, &recent, FOR_LOCAL}, &blkcg->local,
				   local);
	if (!error)
		error = give_usage(&(struct gift){cgroup, &recent, FOR_TOTAL}, &blkcg->total,
				   total);
	for (struct blkg *blkg = blkcg->blkgs; blkg && !error; blkg = blkg->next) {
		const struct blkio_disk *disk = blkio_find_disk(&recent, blkg->device);

		if (!disk)
			continue;
		derive(&blkg->local, &disk->stat);
		derive(&blkg->total, &disk->stat);
	}
	return error;
}

static bool usage_any(const struct io_usage *usage)
{
	return usage->read_bytes || usage->write_bytes || usage->read_ios || usage->write_ios;
}

static int refresh_child(struct cgroup *cgroup, const struct blkio_disks *disks)
{
	struct io_usage local = {0}, total = {0};
	int error = group_io_usage(&cgroup->group, &local, &total);

	if (error || !usage_any(&total))
		return error;
	tree_write_lock(cgroup_tree(cgroup));
	error = update_child(cgroup, disks, &local, &total);
	tree_unlock(cgroup_tree(cgroup));
	return error;
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

/* What all blkgs of a cgroup have of one figure. */
static uint64_t sum_over_blkgs(const struct blkcg *blkcg, enum blkio_figure figure,
			       enum blkio_op op)
{
	uint64_t sum = 0;

	for (const struct blkg *blkg = blkcg->blkgs; blkg; blkg = blkg->next)
		sum += blkg->total.figure[figure][op];
	return sum;
}

/*
 * Accounting answers from memory: a cgroup that goes has no live members to
 * look at. What resets took away is not in the blkgs, and not to be taken again.
 */
void blkio_child_removed(struct cgroup *child)
{
	struct io_usage *removed = &blkcg_of(child->parent)->local, local, now = {0};
	const struct blkcg *blkcg = blkcg_of(child);

	if (group_io_usage(&child->group, &local, &now))
		return;
	removed->read_bytes += less(now.read_bytes, blkcg->total.read_bytes) +
			       sum_over_blkgs(blkcg, BLKIO_BYTES, BLKIO_READ);
	removed->write_bytes += less(now.write_bytes, blkcg->total.write_bytes) +
				sum_over_blkgs(blkcg, BLKIO_BYTES, BLKIO_WRITE);
	removed->read_ios += less(now.read_ios, blkcg->total.read_ios) +
			     sum_over_blkgs(blkcg, BLKIO_REQUESTS, BLKIO_READ);
	removed->write_ios += less(now.write_ios, blkcg->total.write_ios) +
			      sum_over_blkgs(blkcg, BLKIO_REQUESTS, BLKIO_WRITE);
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

	if (!error)
		error = give_usage(&(struct gift){root, &recent, FOR_REMOVED}, &blkcg->total,
				   &blkcg->local);
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
