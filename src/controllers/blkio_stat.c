/* SPDX-License-Identifier: MIT */
/* blkio: the files of figures, and reset_stats. */
#include "blkcg.h"
#include "machine_block.h"
#include "machine_device.h"
#include "number.h"

#define NS_PER_MS 1000000u

struct blkio_stat blkg_stat(const struct cgroup *cgroup, const struct blkg *blkg,
				   const struct blkio_disk *disk, bool recursive)
{
	struct blkio_stat stat;

	if (!recursive)
		return blkg->local;
	if (!cgroup_is_root(cgroup))
		return blkg->total;
	stat = disk->stat;
	blkio_stat_subtract(&stat, &blkg->total);
	return stat;
}

/* --- what the files show --- */

static uint64_t view_figure(const struct blkio_stat *stat, enum blkio_view view, enum blkio_op op)
{
	switch (view) {
	case VIEW_BYTES:
		return stat->figure[BLKIO_BYTES][op];
	case VIEW_BIOS:
		return stat->figure[BLKIO_REQUESTS][op] + stat->figure[BLKIO_MERGED][op];
	case VIEW_REQUESTS:
		return stat->figure[BLKIO_REQUESTS][op];
	case VIEW_MERGED:
		return stat->figure[BLKIO_MERGED][op];
	case VIEW_TIME:
		return stat->figure[BLKIO_TIME][op];
	default:
		return 0;
	}
}

static uint64_t print_number(struct text *out, uint32_t device, const char *name, uint64_t value)
{
	blkio_print_device(out, device);
	text_add(out, " ");
	text_add(out, name);
	text_add_u64(out, value);
	text_add(out, "\n");
	return value;
}

/* __blkg_prfill_rwstat(). Nothing tells who waited for a write: only reads are Sync here. */
static uint64_t print_operations(struct text *out, uint32_t device, const struct blkio_stat *stat,
				 enum blkio_view view)
{
	uint64_t reads = view_figure(stat, view, BLKIO_READ);
	uint64_t writes = view_figure(stat, view, BLKIO_WRITE);
	uint64_t discards = view_figure(stat, view, BLKIO_DISCARD);

	print_number(out, device, "Read ", reads);
	print_number(out, device, "Write ", writes);
	print_number(out, device, "Sync ", reads);
	print_number(out, device, "Async ", writes + discards);
	print_number(out, device, "Discard ", discards);
	return print_number(out, device, "Total ", reads + writes + discards);
}

static uint64_t print_stat(struct text *out, uint32_t device, const struct blkio_stat *stat,
			   enum blkio_view view)
{
	const uint64_t *bytes = stat->figure[BLKIO_BYTES];
	uint64_t value;

	switch (view) {
	case VIEW_BUSY_MS:
		value = stat->figure[BLKIO_BUSY][BLKIO_READ] / NS_PER_MS;
		return print_number(out, device, "", value);
	case VIEW_SECTORS:
		value = (bytes[BLKIO_READ] + bytes[BLKIO_WRITE]) / MACHINE_SECTOR_BYTES;
		return print_number(out, device, "", value);
	default:
		return print_operations(out, device, stat, view);
	}
}

/* blkcg_print_blkgs(), with the disks that are there. Under the tree lock. */
static void print_blkgs(const struct cgroup *cgroup, const struct blkio_disks *disks, int what,
			struct text *out)
{
	enum blkio_view view = what & VIEW_MASK;
	uint64_t total = 0;

	for (struct blkg *blkg = blkcg_of(cgroup)->blkgs; blkg; blkg = blkg->next) {
		const struct blkio_disk *disk = blkio_find_disk(disks, blkg->device);
		struct blkio_stat stat;

		if (!disk)
			continue;
		stat = blkg_stat(cgroup, blkg, disk, what & VIEW_RECURSIVE);
		total += print_stat(out, blkg->device, &stat, view);
	}
	if (view != VIEW_BUSY_MS && view != VIEW_SECTORS)
		text_add_pair(out, "Total", total);
}

static void keep_scheduled_by(struct blkio_disks *disks, const struct machine *machine,
			      const char *scheduler)
{
	size_t count = 0;

	for (size_t i = 0; i < disks->count; i++) {
		uint32_t device = disks->disk[i].device;

		if (machine_block_has_scheduler(machine, device >> 20, device & 0xfffff, scheduler))
			disks->disk[count++] = disks->disk[i];
	}
	disks->count = count;
}

int blkio_stat_measure(const struct request *request, struct text *out)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks disks;
	struct tree *tree = cgroup_tree(request->cgroup);
	int what = request->file->type->private;
	int error = blkio_read_disks(tree->machine, &disks);

	if (!error)
		error = blkio_refresh(request->cgroup, &disks, what & VIEW_RECURSIVE);
	if (error)
		return error;
	if (what & VIEW_BFQ)
		keep_scheduled_by(&disks, tree->machine, "bfq");
	tree_read_lock(tree);
	print_blkgs(request->cgroup, &disks, what, out);
	tree_unlock(tree);
	return 0;
}

/* --- reset_stats --- */

/* What a cgroup did is taken from its ancestors' figures too: they are sums. */
static void reset_locked(struct cgroup *cgroup)
{
	for (struct blkg *blkg = blkcg_of(cgroup)->blkgs; blkg; blkg = blkg->next) {
		const struct blkio_stat local = blkg->local;

		for (struct cgroup *up = cgroup; up; up = up->parent) {
			struct blkg *same = blkg_find(blkcg_of(up), blkg->device);

			if (same && cgroup_is_root(up))
				blkio_stat_add(&same->total, &local);
			else if (same)
				blkio_stat_subtract(&same->total, &local);
		}
		blkg->local = (struct blkio_stat){0};
	}
}

/* blkcg_reset_stats(). What is written does not matter, if it is a number. */
int blkio_reset_act(const struct request *request, char *text)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks disks = {0};
	struct tree *tree = cgroup_tree(request->cgroup);
	uint64_t ignored;
	int error = number_parse_u64(text, 0, &ignored);

	if (!error)
		error = blkio_read_disks(tree->machine, &disks);
	for (struct cgroup *up = request->cgroup; up && !error; up = up->parent) {
		if (up == request->cgroup || !cgroup_is_root(up))
			error = blkio_refresh(up, &disks, false);
	}
	if (error)
		return error;
	tree_write_lock(tree);
	reset_locked(request->cgroup);
	tree_unlock(tree);
	return 0;
}
