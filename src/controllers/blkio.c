/*
 * blkio: limits, weights and figures of block devices. block/blk-cgroup.c,
 * block/blk-throttle.c and block/bfq-cgroup.c of Linux 6.18, and the files that
 * block/cfq-iosched.c served until 4.20, which clients still look for. Limits and
 * weights are kept and shown, not enforced.
 */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "blkio.h"

#define CFQ_WEIGHT 500
#define BFQ_WEIGHT 100

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

static void blkio_css_free(void *state)
{
	struct blkcg *blkcg = state;

	while (blkcg->blkgs) {
		struct blkg *blkg = blkcg->blkgs;

		blkcg->blkgs = blkg->next;
		free(blkg);
	}
	free(blkcg);
}

static void *blkio_css_alloc(struct cgroup *cgroup)
{
	struct blkcg *blkcg = calloc(1, sizeof(*blkcg));
	unsigned factor = cgroup_is_root(cgroup) ? 2 : 1; /* cfq_cpd_init() */
	struct tree *tree = cgroup_tree(cgroup);

	if (!blkcg)
		return NULL;
	blkcg->cgroup = cgroup;
	blkcg->weight[WEIGHT_CFQ] = blkcg->weight[WEIGHT_CFQ_LEAF] = CFQ_WEIGHT * factor;
	blkcg->weight[WEIGHT_BFQ] = BFQ_WEIGHT;
	if (!cgroup_is_root(cgroup))
		return blkcg;
	accounting_track(tree->accounting, cgroup->hierarchy->index, USAGE_IO);
	if (blkio_add_disks(blkcg, tree->machine)) {
		blkio_css_free(blkcg);
		errno = ENOMEM;
		return NULL;
	}
	return blkcg;
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
	blkcg = blkcg_of(cgroup);
	if (blkcg->is_used)
		return;
	blkcg->is_used = true;
	DL_APPEND(blkcg_of(cgroup->parent)->used, blkcg);
}

static void blkio_css_offline(struct cgroup *cgroup)
{
	struct blkcg *blkcg = blkcg_of(cgroup);

	if (!blkcg->is_used)
		return;
	blkio_child_removed(cgroup);
	DL_DELETE(blkcg_of(cgroup->parent)->used, blkcg);
	blkcg->is_used = false;
}

#define LIMIT_FILE(file_name, limit)                                                        \
	{                                                                                   \
		.name = "throttle." file_name, .private = (limit), .flags = CFTYPE_LIST,    \
		.show = blkio_limit_show, .act = blkio_limit_act                            \
	}
#define STAT_FILE(file_name, view)                                                          \
	{                                                                                   \
		.name = (file_name), .private = (view), .flags = CFTYPE_LIST,               \
		.measure = blkio_stat_measure                                               \
	}
#define STAT_FILES(file_name, view)                                                         \
	STAT_FILE(file_name, view), STAT_FILE(file_name "_recursive", (view) | VIEW_RECURSIVE)
#define WEIGHT_FILES(prefix, where, weight)                                                 \
	{                                                                                   \
		.name = prefix "weight", .private = (weight), .flags = (where),             \
		.read_u64 = blkio_weight_read, .write_u64 = blkio_weight_write              \
	},                                                                                  \
	{                                                                                   \
		.name = prefix "weight_device", .private = (weight),                        \
		.flags = (where) | CFTYPE_LIST, .show = blkio_weight_device_show,           \
		.act = blkio_weight_device_act                                              \
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
	{0},
};

const struct controller blkio_controller = {
	.name = "blkio",
	.legacy_files = blkio_files,
	.css_alloc = blkio_css_alloc,
	.css_offline = blkio_css_offline,
	.css_free = blkio_css_free,
	.attach = blkio_attach,
};
