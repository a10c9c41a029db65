/* SPDX-License-Identifier: MIT */
/*
 * blkio: limits, weights and figures of block devices. block/blk-cgroup.c,
 * block/blk-throttle.c and block/bfq-cgroup.c of Linux 6.18, and the files that
 * block/cfq-iosched.c served until 4.20, which clients still look for. Limits and
 * weights are kept and shown, not enforced.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "blkcg.h"
#include "iocost.h"
#include "bytes.h"

#define CFQ_WEIGHT 500
#define BFQ_WEIGHT 100

static void blkio_css_exit(void *state)
{
	struct blkcg *blkcg = state;

	while (blkcg->blkgs) {
		struct blkg *blkg = blkcg->blkgs;

		blkcg->blkgs = blkg->next;
		free(blkg->cost);
		free(blkg);
	}
}

static int blkio_css_init(struct cgroup *cgroup, void *state)
{
	struct blkcg *blkcg = state;
	unsigned factor = cgroup_is_root(cgroup) ? 2 : 1; /* cfq_cpd_init() */
	struct tree *tree = cgroup_tree(cgroup);

	blkcg->cgroup = cgroup;
	blkcg->weight[WEIGHT_CFQ] = blkcg->weight[WEIGHT_CFQ_LEAF] = CFQ_WEIGHT * factor;
	blkcg->weight[WEIGHT_BFQ] = blkcg->weight[WEIGHT_IOCOST] = BFQ_WEIGHT; /* CGROUP_WEIGHT_DFL */
	if (!cgroup_is_root(cgroup))
		return 0;
	accounting_track(tree->accounting, cgroup->hierarchy->index, USAGE_IO);
	return blkio_add_disks(blkcg, tree->machine);
}

/* The first task of a cgroup comes by an attach, the others by that or by fork. */
static void blkio_attach(struct cgroup *cgroup, const struct task_list *tasks)
{
	struct blkcg *blkcg;

	(void)tasks;
	if (cgroup_is_root(cgroup))
		return;
	while (!cgroup_is_root(cgroup->parent))
		cgroup = cgroup->parent;
	blkcg = blkcg_of(cgroup); /* it has one, as the cgroup below has one */
	if (blkcg->is_used)
		return;
	blkcg->is_used = true;
	DL_APPEND(blkcg_of(cgroup->parent)->used, blkcg);
}

/* All of a blkg but its place is figures. */
static void put_blkg(struct text *out, const struct blkg *blkg)
{
	bytes_put_u64(out, blkg->device);
	for (unsigned i = 0; i < WEIGHTS; i++)
		bytes_put_u64(out, blkg->weight[i]);
	for (unsigned i = 0; i < LIMITS; i++)
		bytes_put_u64(out, blkg->limit[i]);
	bytes_put_u64(out, blkg->latency);
	bytes_put(out, &blkg->local, sizeof(blkg->local));
	bytes_put(out, &blkg->total, sizeof(blkg->total));
	bytes_put(out, &blkg->counted, sizeof(blkg->counted));
	bytes_put(out, &blkg->removed, sizeof(blkg->removed));
	bytes_put(out, &blkg->start, sizeof(blkg->start));
	iocost_save(blkg, out);
}

static void blkio_save(struct cgroup *cgroup, struct text *out)
{
	const struct blkcg *blkcg = blkcg_of(cgroup);
	const struct blkg *blkg;
	unsigned count;

	for (unsigned i = 0; i < WEIGHTS; i++)
		bytes_put_u64(out, blkcg->weight[i]);
	bytes_put_u64(out, blkcg->prio_class);
	bytes_put_u64(out, blkcg->is_used);
	LL_COUNT(blkcg->blkgs, blkg, count);
	bytes_put_u64(out, count);
	LL_FOREACH(blkcg->blkgs, blkg)
		put_blkg(out, blkg);
}

static void get_structure(struct bytes *in, void *structure, size_t size)
{
	struct bytes part = bytes_get(in);

	if (part.wrong || part.len != size)
		in->wrong = true;
	else
		memcpy(structure, part.data, size);
}

/* A disk has not done less than when we started first: else the machine was started since. */
static bool has_gone_on(const struct blkio_stat *start, const struct blkio_stat *now)
{
	for (unsigned op = 0; op < BLKIO_OPS; op++) {
		if (start->figure[BLKIO_BYTES][op] > now->figure[BLKIO_BYTES][op])
			return false;
	}
	return true;
}

static int get_blkg(struct blkg *blkg, struct bytes *in)
{
	struct blkio_stat start;

	for (unsigned i = 0; i < WEIGHTS; i++)
		blkg->weight[i] = (uint16_t)bytes_get_u64(in);
	for (unsigned i = 0; i < LIMITS; i++)
		blkg->limit[i] = bytes_get_u64(in);
	blkg->latency = bytes_get_u64(in);
	get_structure(in, &blkg->local, sizeof(blkg->local));
	get_structure(in, &blkg->total, sizeof(blkg->total));
	get_structure(in, &blkg->counted, sizeof(blkg->counted));
	get_structure(in, &blkg->removed, sizeof(blkg->removed));
	get_structure(in, &start, sizeof(start));
	if (!in->wrong && has_gone_on(&start, &blkg->start))
		blkg->start = start;
	return iocost_restore(blkg, in);
}

/* The list goes from the newest to the oldest, and keeps its order. */
static int get_blkgs(struct blkcg *blkcg, struct bytes *in)
{
	struct blkg *restored = NULL, *last = NULL, *blkg;
	uint64_t count = bytes_get_u64(in);

	while (count-- && !in->wrong) {
		uint32_t device = (uint32_t)bytes_get_u64(in);

		blkg = blkg_find(blkcg, device);
		if (!blkg)
			blkg = blkg_add(blkcg, device);
		if (!blkg)
			return -ENOMEM;
		if (get_blkg(blkg, in) == -ENOMEM)
			return -ENOMEM;
		LL_DELETE(blkcg->blkgs, blkg);
		if (last)
			last->next = blkg;
		else
			restored = blkg;
		last = blkg;
		blkg->next = NULL;
	}
	LL_CONCAT(blkcg->blkgs, restored);
	return in->wrong ? -EINVAL : 0;
}

static int blkio_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct blkcg *blkcg = blkcg_of(cgroup);

	for (unsigned i = 0; i < WEIGHTS; i++)
		blkcg->weight[i] = (uint16_t)bytes_get_u64(in);
	blkcg->prio_class = (unsigned)bytes_get_u64(in);
	if (blkcg->prio_class >= blkio_class_count())
		return -EINVAL;
	blkcg->is_used = bytes_get_u64(in) && cgroup->parent && cgroup_is_root(cgroup->parent);
	if (blkcg->is_used)
		DL_APPEND(blkcg_of(cgroup->parent)->used, blkcg);
	return get_blkgs(blkcg, in);
}

/*
 * On v2 it may be disabled while there are members, at whom nobody looks under the tree lock; and nothing
 * there shows what the root did itself.
 */
static void blkio_css_offline(struct cgroup *cgroup)
{
	struct blkcg *blkcg = blkcg_of(cgroup);

	if (!blkcg->is_used)
		return;
	if (cgroup->dead)
		blkio_child_removed(cgroup);
	DL_DELETE(blkcg_of(cgroup->parent)->used, blkcg);
	blkcg->is_used = false;
}

#define LIMIT_FILE(file_name, limit)                                                        \
	{                                                                                   \
		.name = "throttle." file_name, .private = (limit),                          \
		.show = blkio_limit_show, .act = blkio_limit_act                            \
	}
#define STAT_FILE(file_name, view)                                                          \
	{                                                                                   \
		.name = (file_name), .private = (view), .measure = blkio_stat_measure       \
	}
#define STAT_FILES(file_name, view)                                                         \
	STAT_FILE(file_name, view), STAT_FILE(file_name "_recursive", (view) | VIEW_RECURSIVE)
#define WEIGHT_FILES(prefix, where, weight)                                                 \
	{                                                                                   \
		.name = prefix "weight", .private = (weight), .flags = (where),             \
		.read_u64 = blkio_weight_read, .write_u64 = blkio_weight_write              \
	},                                                                                  \
	{                                                                                   \
		.name = prefix "weight_device", .private = (weight), .flags = (where),      \
		.show = blkio_weight_device_show, .act = blkio_weight_device_act            \
	}

static const struct cftype blkio_files[] = {
	{.name = "reset_stats", .act = blkio_reset_act},

	LIMIT_FILE("read_bps_device", LIMIT_READ_BPS),
	LIMIT_FILE("write_bps_device", LIMIT_WRITE_BPS),
	LIMIT_FILE("read_iops_device", LIMIT_READ_IOPS),
	LIMIT_FILE("write_iops_device", LIMIT_WRITE_IOPS),
	STAT_FILES("throttle.io_service_bytes", VIEW_BYTES),
	STAT_FILES("throttle.io_serviced", VIEW_BIOS),

	WEIGHT_FILES("bfq.", CFTYPE_NOT_ON_ROOT, WEIGHT_BFQ),
	STAT_FILES("bfq.io_service_bytes", VIEW_BYTES | VIEW_BFQ),
	STAT_FILES("bfq.io_serviced", VIEW_REQUESTS | VIEW_BFQ),

	/* CFQ's */
	WEIGHT_FILES("", 0, WEIGHT_CFQ),
	WEIGHT_FILES("leaf_", 0, WEIGHT_CFQ_LEAF),
	STAT_FILES("time", VIEW_BUSY_MS),
	STAT_FILES("sectors", VIEW_SECTORS),
	STAT_FILES("io_service_bytes", VIEW_BYTES),
	STAT_FILES("io_serviced", VIEW_BIOS),
	STAT_FILES("io_service_time", VIEW_TIME),
	STAT_FILES("io_wait_time", VIEW_NOTHING),
	STAT_FILES("io_merged", VIEW_MERGED),
	STAT_FILES("io_queued", VIEW_NOTHING),
	{.name = "prio.class",
	 .flags = CFTYPE_OPTIONAL,
	 .show = blkio_class_show,
	 .store = blkio_class_store},
	{0},
};

const struct controller blkio_controller = {
	.name = "blkio",
	.dfl_name = "io",
	.legacy_files = blkio_files,
	.dfl_files = blkio_dfl_files,
	.css_size = sizeof(struct blkcg),
	.css_init = blkio_css_init,
	.depends_on = &memory_controller,
	.css_start = blkio_start,
	.css_offline = blkio_css_offline,
	.css_exit = blkio_css_exit,
	.save = blkio_save,
	.restore = blkio_restore,
	.attach = blkio_attach,
};
