/* SPDX-License-Identifier: MIT */
/* The files of cpuset on cgroup v2. kernel/cgroup/cpuset.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cgroup.h"
#include "cpuset_partition.h"

enum list { CPUS, MEMS, EFFECTIVE_CPUS, EFFECTIVE_MEMS, EXCLUSIVE, EFFECTIVE_EXCLUSIVE, ISOLATED };

static const struct bitmap *list_of(const struct cgroup *cgroup, enum list list)
{
	const struct cpuset *cpuset = cpuset_of(cgroup);
	const struct bitmap *const lists[] = {
		[CPUS] = cpuset->cpus, [MEMS] = cpuset->mems,
		[EFFECTIVE_CPUS] = cpuset->v2.cpus, [EFFECTIVE_MEMS] = cpuset->v2.mems,
		[EXCLUSIVE] = cpuset->v2.exclusive, [EFFECTIVE_EXCLUSIVE] = cpuset->v2.xcpus,
		[ISOLATED] = cpuset_top(cgroup)->isolated,
	};

	return lists[list];
}

static int list_measure(const struct request *request, struct text *out)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int error = cpuset_follow_machine(cgroup->hierarchy, FOLLOW_CPUS | FOLLOW_MEMS);

	if (error)
		return error;
	tree_read_lock(tree);
	error = cpuset_add_list(out, list_of(cgroup, request->file->type->private));
	tree_unlock(tree);
	return error;
}

/* Under the tree lock, exclusive. */
static int set_list(struct cgroup *cgroup, enum list list, const struct bitmap *map)
{
	if (cgroup->dead || !cgroup_has_css(cgroup, &cpuset_controller))
		return -ENODEV;
	return list == CPUS ? partition_set_cpus(cgroup, map) :
	       list == MEMS ? partition_set_mems(cgroup, map) : partition_set_exclusive(cgroup, map);
}

static int list_act(const struct request *request, char *text)
{
	struct bitmap *map __attribute__((cleanup(bitmap_freep))) = NULL;
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	enum list list = request->file->type->private;
	int error;

	/* The root's masks are never replaced: their size needs no lock. */
	map = bitmap_new(list_of(cgroup->hierarchy->root, list == MEMS ? MEMS : CPUS)->nr);
	error = map ? bitmap_parselist(text_strip(text), map) : -ENOMEM;
	if (!error)
		error = cpuset_follow_machine(cgroup->hierarchy, FOLLOW_CPUS | FOLLOW_MEMS | FOLLOW_LIMITS);
	if (error)
		return error;
	cgroup_settle_members(cgroup);
	tree_write_lock(tree);
	error = set_list(cgroup, list, map);
	tree_unlock(tree);
	return error;
}

/* --- cpuset.cpus.partition --- */

static const char *const state_names[] = {
	[PARTITION_MEMBER] = "member", [PARTITION_ROOT] = "root", [PARTITION_ISOLATED] = "isolated"};

static int partition_show(const struct request *request, struct text *out)
{
	const struct partition *partition = &cpuset_of(request->cgroup)->v2;
	const char *why = partition_error_text(partition->error);

	text_add(out, state_names[abs(partition->state)]);
	if (partition->state < 0)
		text_add(out, " invalid");
	if (partition->state < 0 && why)
		text_printf(out, " (%s)", why);
	text_add(out, "\n");
	return 0;
}

static int partition_act(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	int state = PARTITION_ISOLATED;

	text = text_strip(text);
	while (state >= PARTITION_MEMBER && strcmp(state_names[state], text))
		state--;
	if (state < PARTITION_MEMBER)
		return -EINVAL;
	cgroup_settle_members(cgroup);
	tree_write_lock(tree);
	if (!cgroup->dead && cgroup_has_css(cgroup, &cpuset_controller))
		partition_set_state(cgroup, state, request->caller.task_uid == 0);
	tree_unlock(tree);
	return 0;
}

static uint64_t partition_event(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpuset_of(cgroup)->v2.turns;
}

/*
 * --- keeping it: what is effective depends on the order in which all was written, so that it is kept too ---
 */

void cpuset_v2_save(const struct cpuset *cpuset, struct text *out)
{
	const struct partition *partition = &cpuset->v2;

	cpuset_put_mask(out, partition->exclusive);
	cpuset_put_mask(out, partition->cpus);
	cpuset_put_mask(out, partition->mems);
	cpuset_put_mask(out, partition->xcpus);
	bytes_put_u64(out, (uint64_t)(int64_t)partition->state);
	bytes_put_u64(out, partition->error);
	bytes_put_u64(out, partition->remote);
	if (cpuset->top) {
		cpuset_put_mask(out, cpuset->top->subpartitions);
		cpuset_put_mask(out, cpuset->top->isolated);
	}
}

static int get_masks(struct bytes *in, struct bitmap *const *masks, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = cpuset_get_mask(in, masks[i]);
	return error;
}

int cpuset_v2_restore(struct cpuset *cpuset, struct bytes *in)
{
	struct partition *partition = &cpuset->v2;
	struct bitmap *const masks[] = {partition->exclusive, partition->cpus, partition->mems,
					partition->xcpus};
	int error = get_masks(in, masks, sizeof(masks) / sizeof(masks[0]));
	int64_t state = (int64_t)bytes_get_u64(in);
	uint64_t why = bytes_get_u64(in);

	partition->remote = bytes_get_u64(in);
	if (!error && cpuset->top)
		error = get_masks(
			in, (struct bitmap *const[]){cpuset->top->subpartitions, cpuset->top->isolated}, 2);
	if (error)
		return error;
	if (in->wrong || state < -PARTITION_ISOLATED || state > PARTITION_ISOLATED ||
	    why > PARTITION_REMOTE_BELOW)
		return -EINVAL;
	partition->state = (int)state;
	partition->error = (enum partition_error)why;
	return 0;
}

#define LIST(file, list, most)                                                                     \
	{.name = file, .flags = CFTYPE_NOT_ON_ROOT, .private = list,                               \
	 .max_write_len = CPUSET_WRITE_LEN(most), .measure = list_measure, .act = list_act}
#define EFFECTIVE(file, where, list) {.name = file, .flags = where, .private = list, .measure = list_measure}

const struct cftype cpuset_dfl_files[] = {
	LIST("cpus", CPUS, BITMAP_MAX_BITS),
	LIST("mems", MEMS, CPUSET_NODES_MAX),
	EFFECTIVE("cpus.effective", 0, EFFECTIVE_CPUS),
	EFFECTIVE("mems.effective", 0, EFFECTIVE_MEMS),
	{.name = "cpus.partition", .flags = CFTYPE_NOT_ON_ROOT, .show = partition_show,
	 .act = partition_act, .event = partition_event},
	LIST("cpus.exclusive", EXCLUSIVE, BITMAP_MAX_BITS),
	EFFECTIVE("cpus.exclusive.effective", CFTYPE_NOT_ON_ROOT, EFFECTIVE_EXCLUSIVE),
	EFFECTIVE("cpus.isolated", CFTYPE_ONLY_ON_ROOT, ISOLATED),
	{0},
};
