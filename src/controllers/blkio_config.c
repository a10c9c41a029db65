/* SPDX-License-Identifier: MIT */
/* blkio: what is set for a device, "MAJ:MIN VALUE" (blkg_conf_prep), and a cgroup's weights. */
#include <errno.h>
#include <string.h>

#include "blkcg.h"
#include "machine_block.h"
#include "machine_device.h"
#include "number.h"

#define DEVICE_MAJOR(device) ((device) >> 20)
#define DEVICE_MINOR(device) ((device) & 0xfffff)

static const struct {
	uint16_t min, max;
	const char *scheduler; /* whose weights for a disk are there only while it has the disk */
} weight_kinds[WEIGHTS] = {
	[WEIGHT_CFQ] = {10, 1000, NULL},
	[WEIGHT_CFQ_LEAF] = {10, 1000, NULL},
	[WEIGHT_BFQ] = {1, 1000, "bfq"},
	[WEIGHT_IOCOST] = {1, 10000, NULL},
};

void blkio_print_device(struct text *out, uint32_t device)
{
	text_add_u64(out, DEVICE_MAJOR(device));
	text_add(out, ":");
	text_add_u64(out, DEVICE_MINOR(device));
}

static void print_setting(struct text *out, uint32_t device, uint64_t value)
{
	blkio_print_device(out, device);
	text_add(out, " ");
	text_add_u64(out, value);
	text_add(out, "\n");
}

const char blkio_costs_scheduler[] = "iocost";

static int check_disk(const struct machine *machine, uint32_t device, const char *scheduler)
{
	unsigned int major = DEVICE_MAJOR(device), minor = DEVICE_MINOR(device);

	if (!machine_block_exists(machine, major, minor) ||
	    machine_block_is_partition(machine, major, minor))
		return -ENODEV;
	if (scheduler && scheduler != blkio_costs_scheduler &&
	    !machine_block_has_scheduler(machine, major, minor, scheduler))
		return -EOPNOTSUPP;
	return 0;
}

/* Nothing weighs a disk by blk-iocost before its costs were set in the root. */
static bool lacks_costs(const struct request *request, uint32_t device)
{
	const struct blkg *blkg = blkg_find(blkcg_of(request->cgroup->hierarchy->root), device);

	return !blkg || !blkg->cost;
}

/* As in the kernel the disk gets its blkg even if the value then turns out to be wrong. */
int blkio_configure(const struct request *request, const char *text, const char *scheduler,
		    blkg_setter set, int what)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	unsigned int major, minor;
	struct blkg *blkg;
	int error;

	error = number_scan_dev(&text, &major, &minor);
	if (!error)
		error = check_disk(tree->machine, machine_device(major, minor), scheduler);
	if (error)
		return error;
	tree_write_lock(tree);
	if (request->cgroup->dead)
		error = -ENODEV;
	else if (scheduler == blkio_costs_scheduler && lacks_costs(request, machine_device(major, minor)))
		error = -EOPNOTSUPP;
	else if (!(blkg = blkg_get(request->cgroup, machine_device(major, minor))))
		error = -ENOMEM;
	else
		error = set(blkg, what, text);
	tree_unlock(tree);
	return error;
}

/* tg_set_conf(): 0 is no limit; operations are kept in 32 bits, whatever was written. */
static int set_limit(struct blkg *blkg, int what, const char *value)
{
	uint64_t limit;

	if (number_scan_u64(value, &limit))
		return -EINVAL;
	if (!limit)
		limit = NO_LIMIT;
	if (what == LIMIT_READ_IOPS || what == LIMIT_WRITE_IOPS) {
		limit = (uint32_t)limit;
		if (limit == UINT32_MAX)
			limit = NO_LIMIT;
	}
	blkg->limit[what] = limit;
	return 0;
}

int blkio_limit_act(const struct request *request, char *text)
{
	return blkio_configure(request, text, NULL, set_limit, request->file->type->private);
}

int blkio_limit_show(const struct request *request, struct text *out)
{
	int what = request->file->type->private;

	for (struct blkg *blkg = blkcg_of(request->cgroup)->blkgs; blkg; blkg = blkg->next) {
		if (blkg->limit[what] != NO_LIMIT)
			print_setting(out, blkg->device, blkg->limit[what]);
	}
	return 0;
}

/* CFQ's root has no siblings to be weighed against: its weight is its leaf_weight. */
static enum blkio_weight weight_kind(const struct cgroup *cgroup, const struct cgroup_file *file)
{
	enum blkio_weight kind = file->type->private;

	return kind == WEIGHT_CFQ && cgroup_is_root(cgroup) ? WEIGHT_CFQ_LEAF : kind;
}

uint64_t blkio_weight_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return blkcg_of(cgroup)->weight[weight_kind(cgroup, file)];
}

static bool weight_in_range(enum blkio_weight kind, uint64_t weight)
{
	return weight >= weight_kinds[kind].min && weight <= weight_kinds[kind].max;
}

/* bfq_io_set_weight_legacy() takes back weights for single disks, CFQ's __cfq_set_weight() not. */
int blkio_weight_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t weight)
{
	enum blkio_weight kind = weight_kind(cgroup, file);
	struct blkcg *blkcg = blkcg_of(cgroup);

	if (!weight_in_range(kind, weight))
		return -ERANGE;
	blkcg->weight[kind] = weight;
	for (struct blkg *blkg = blkcg->blkgs; blkg && kind == WEIGHT_BFQ; blkg = blkg->next)
		blkg->weight[kind] = 0;
	return 0;
}

/* bfq_io_set_device_weight() and __cfqg_set_weight_device(); CFQ takes 0 for "default". */
static int set_device_weight(struct blkg *blkg, int what, const char *value)
{
	size_t word = strlen("default");
	uint64_t weight = 0;

	if (!number_scan_u64(value, &weight)) {
		if (!weight_in_range(what, weight) && (weight || what == WEIGHT_BFQ))
			return -ERANGE;
	} else if (strncmp(value, "default", word) || *text_skip_spaces(value + word)) {
		return -EINVAL;
	}
	blkg->weight[what] = weight;
	return 0;
}

/* "WEIGHT" or "default WEIGHT": where bfq_io_set_weight() takes the cgroup's own weight. */
static bool scan_default_weight(const char *text, uint64_t *weight)
{
	size_t word = strlen("default");
	const char *end;

	*weight = number_simple_u64(text, 0, &end);
	return !*end || (!strncmp(text, "default", word) && !number_scan_u64(text + word, weight));
}

int blkio_weight_device_act(const struct request *request, char *text)
{
	enum blkio_weight kind = weight_kind(request->cgroup, request->file);
	struct tree *tree = cgroup_tree(request->cgroup);
	uint64_t weight;
	int error;

	if (kind == WEIGHT_BFQ)
		text = text_strip(text);
	if (kind != WEIGHT_BFQ || !scan_default_weight(text, &weight))
		return blkio_configure(request, text, weight_kinds[kind].scheduler, set_device_weight,
				 kind);
	tree_write_lock(tree);
	error = request->cgroup->dead ? -ENODEV
				      : blkio_weight_write(request->cgroup, request->file, weight);
	tree_unlock(tree);
	return error;
}

int blkio_weight_device_show(const struct request *request, struct text *out)
{
	enum blkio_weight kind = weight_kind(request->cgroup, request->file);
	struct blkcg *blkcg = blkcg_of(request->cgroup);

	if (kind == WEIGHT_BFQ)
		text_add_pair(out, "default", blkcg->weight[kind]);
	for (struct blkg *blkg = blkcg->blkgs; blkg; blkg = blkg->next) {
		if (blkg->weight[kind])
			print_setting(out, blkg->device, blkg->weight[kind]);
	}
	return 0;
}
