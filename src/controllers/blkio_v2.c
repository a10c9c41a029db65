/* SPDX-License-Identifier: MIT */
/* io: the blkio controller on cgroup v2 (block/blk-throttle.c, blk-cgroup.c, bfq-cgroup.c, blk-iocost.c). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "blkcg.h"
#include "iocost.h"
#include "number.h"

/* --- io.max: tg_print_limit, tg_set_limit --- */

static const char *const limit_names[LIMITS] = {
	[LIMIT_READ_BPS] = "rbps", [LIMIT_WRITE_BPS] = "wbps", [LIMIT_READ_IOPS] = "riops",
	[LIMIT_WRITE_IOPS] = "wiops"};

static bool has_limit(const struct blkg *blkg)
{
	for (unsigned i = 0; i < LIMITS; i++) {
		if (blkg->limit[i] != NO_LIMIT)
			return true;
	}
	return false;
}

static void print_limits(struct text *out, const struct blkg *blkg)
{
	blkio_print_device(out, blkg->device);
	for (unsigned i = 0; i < LIMITS; i++) {
		if (blkg->limit[i] == NO_LIMIT)
			text_printf(out, " %s=max", limit_names[i]);
		else
			text_printf(out, " %s=%lu", limit_names[i], blkg->limit[i]);
	}
	text_add(out, "\n");
}

static int max_show(const struct request *request, struct text *out)
{
	for (const struct blkg *blkg = blkcg_of(request->cgroup)->blkgs; blkg; blkg = blkg->next) {
		if (has_limit(blkg))
			print_limits(out, blkg);
	}
	return 0;
}

/* Operations are kept in 32 bits, whose highest is no limit. */
static int take_limit(uint64_t limits[LIMITS], const char *name, const char *value)
{
	uint64_t limit = NO_LIMIT;
	unsigned i = 0;

	if (!value || (number_scan_u64(value, &limit) && strcmp(value, "max")))
		return -EINVAL;
	if (!limit)
		return -ERANGE;
	while (i < LIMITS && strcmp(limit_names[i], name))
		i++;
	if (i == LIMITS)
		return -EINVAL;
	if ((i == LIMIT_READ_IOPS || i == LIMIT_WRITE_IOPS) && limit >= UINT_MAX)
		limit = NO_LIMIT;
	limits[i] = limit;
	return 0;
}

/* sscanf("%26s") word by word, each "name=value". */
static int set_limits(struct blkg *blkg, int what, const char *text)
{
	uint64_t limits[LIMITS];

	(void)what;
	memcpy(limits, blkg->limit, sizeof(limits));
	for (;;) {
		char word[27], *value = word, *name;
		size_t len;
		int error;

		text = text_skip_spaces(text);
		len = strcspn(text, " \t\n\v\f\r");
		if (!len)
			break;
		len = len < sizeof(word) ? len : sizeof(word) - 1;
		memcpy(word, text, len);
		word[len] = '\0';
		text += len;
		name = strsep(&value, "=");
		error = take_limit(limits, name, value);
		if (error)
			return error;
	}
	memcpy(blkg->limit, limits, sizeof(limits));
	return 0;
}

static int max_act(const struct request *request, char *text)
{
	return blkio_configure(request, text, NULL, set_limits, 0);
}

/* --- io.weight: blk-iocost's, which a disk has while io.cost.qos of the root has enabled it --- */

static int weight_show(const struct request *request, struct text *out)
{
	const struct blkcg *blkcg = blkcg_of(request->cgroup);

	text_add_pair(out, "default", blkcg->weight[WEIGHT_IOCOST]);
	for (const struct blkg *blkg = blkcg->blkgs; blkg; blkg = blkg->next) {
		if (!blkg->weight[WEIGHT_IOCOST])
			continue;
		blkio_print_device(out, blkg->device);
		text_printf(out, " %u\n", blkg->weight[WEIGHT_IOCOST]);
	}
	return 0;
}

static bool scan_weight(const char *text, uint64_t *weight)
{
	uint64_t value;

	if (number_scan_u64(text, &value))
		return false;
	*weight = (uint32_t)value;
	return *weight >= 1 && *weight <= 10000; /* CGROUP_WEIGHT_MIN, _MAX */
}

static int set_weight(struct blkg *blkg, int what, const char *value)
{
	uint64_t weight = 0;

	(void)what;
	if (strncmp(value, "default", strlen("default")) && !scan_weight(value, &weight))
		return -EINVAL;
	blkg->weight[WEIGHT_IOCOST] = (uint16_t)weight;
	return 0;
}

/* sscanf("default %u"), whose space stands for any or none; or the number alone. */
static int set_default_weight(struct cgroup *cgroup, const char *text)
{
	static const char word[] = "default";
	struct tree *tree = cgroup_tree(cgroup);
	uint64_t weight;

	if (!strncmp(text, word, strlen(word)))
		text += strlen(word);
	if (!scan_weight(text, &weight))
		return -EINVAL;
	tree_write_lock(tree);
	blkcg_of(cgroup)->weight[WEIGHT_IOCOST] = (uint16_t)weight;
	tree_unlock(tree);
	return 0;
}

static int weight_act(const struct request *request, char *text)
{
	if (!strchr(text, ':'))
		return set_default_weight(request->cgroup, text);
	return blkio_configure(request, text, blkio_costs_scheduler, set_weight, 0);
}

/* --- io.stat --- */

static void print_stat(struct text *out, uint32_t device, const struct blkio_stat *stat)
{
	const uint64_t *bytes = stat->figure[BLKIO_BYTES], *requests = stat->figure[BLKIO_REQUESTS];
	const uint64_t *merged = stat->figure[BLKIO_MERGED];

	if (!(bytes[BLKIO_READ] | bytes[BLKIO_WRITE] | bytes[BLKIO_DISCARD]))
		return;
	blkio_print_device(out, device);
	text_printf(out, " rbytes=%lu wbytes=%lu rios=%lu wios=%lu dbytes=%lu dios=%lu\n", bytes[BLKIO_READ],
		    bytes[BLKIO_WRITE], requests[BLKIO_READ] + merged[BLKIO_READ],
		    requests[BLKIO_WRITE] + merged[BLKIO_WRITE], bytes[BLKIO_DISCARD],
		    requests[BLKIO_DISCARD] + merged[BLKIO_DISCARD]);
}

static int stat_measure(const struct request *request, struct text *out)
{
	__attribute__((cleanup(blkio_free_disks))) struct blkio_disks disks;
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int error = blkio_read_disks(tree->machine, &disks);

	if (!error)
		error = blkio_refresh(cgroup, &disks, true);
	if (error)
		return error;
	tree_read_lock(tree);
	for (struct blkg *blkg = blkcg_of(cgroup)->blkgs; blkg; blkg = blkg->next) {
		const struct blkio_disk *disk = blkio_find_disk(&disks, blkg->device);
		struct blkio_stat stat;

		if (!disk)
			continue;
		stat = blkg_stat(cgroup, blkg, disk, true);
		print_stat(out, blkg->device, &stat);
	}
	tree_unlock(tree);
	return 0;
}

const struct cftype blkio_dfl_files[] = {
	{.name = "stat", .measure = stat_measure},
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = max_show, .act = max_act},
	{.name = "weight", .flags = CFTYPE_NOT_ON_ROOT, .show = weight_show, .act = weight_act},
	{.name = "bfq.weight",
	 .flags = CFTYPE_NOT_ON_ROOT,
	 .private = WEIGHT_BFQ,
	 .show = blkio_weight_device_show,
	 .act = blkio_weight_device_act},
	{.name = "cost.qos", .flags = CFTYPE_ONLY_ON_ROOT, .show = iocost_qos_show, .act = iocost_qos_act},
	{.name = "cost.model",
	 .flags = CFTYPE_ONLY_ON_ROOT,
	 .show = iocost_model_show,
	 .act = iocost_model_act},
	{.name = "latency",
	 .flags = CFTYPE_NOT_ON_ROOT | CFTYPE_OPTIONAL,
	 .show = blkio_latency_show,
	 .act = blkio_latency_act},
	{.name = "prio.class",
	 .flags = CFTYPE_OPTIONAL,
	 .show = blkio_class_show,
	 .store = blkio_class_store},
	{0},
};
