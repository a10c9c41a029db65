/* SPDX-License-Identifier: MIT */
/* The hugetlb controller: limits and usage for each size of huge page (mm/hugetlb_cgroup.c). */
#include "hugetlb_cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "machine_device.h"
#include "number.h"

#define SIZES 16 /* HUGE_MAX_HSTATE is 5 at most */

static struct hugetlb_size *size_of(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return &hugetlb_cgroup_of(cgroup)->size[file->instance];
}

/* --- usage --- */

static int usage_measure(const struct request *request, struct text *out)
{
	uint64_t held[HUGETLB_COUNTER_NR];
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	if (error)
		return error;
	text_add_u64(out, held[request->file->type->private]);
	text_add(out, "\n");
	return 0;
}

static int max_usage_measure(const struct request *request, struct text *out)
{
	struct hugetlb_size *size = size_of(request->cgroup, request->file);
	uint64_t held[HUGETLB_COUNTER_NR];
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	if (error)
		return error;
	text_add_u64(out, atomic_load(&size->watermark[request->file->type->private]));
	text_add(out, "\n");
	return 0;
}

/* hugetlb_cgroup_reset() looks at nothing that is written; nor does it of a failcnt. */
static int max_usage_act(const struct request *request, char *text)
{
	struct hugetlb_size *size = size_of(request->cgroup, request->file);
	uint64_t held[HUGETLB_COUNTER_NR];
	unsigned counter = request->file->type->private;
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	(void)text;
	if (!error)
		atomic_store(&size->watermark[counter], held[counter]);
	return error;
}

/* Nothing is refused here, so nothing fails. */
static uint64_t failcnt_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)cgroup;
	(void)file;
	return 0;
}

static int failcnt_store(const struct request *request, char *text)
{
	(void)request;
	(void)text;
	return 0;
}

/* --- limits --- */

static uint64_t limit_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return size_of(cgroup, file)->max[file->type->private];
}

/* There is no reclaim of huge pages: a limit below usage is EBUSY (page_counter_set_max). */
static int check_usage(const struct request *request, uint64_t limit)
{
	uint64_t held[HUGETLB_COUNTER_NR];
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	if (error)
		return error;
	return held[request->file->type->private] > limit ? -EBUSY : 0;
}

/* hugetlb_cgroup_write(): `max` is the word for no limit. */
static int limit_set(const struct request *request, char *text, const char *max)
{
	struct hugetlb_size *size = size_of(request->cgroup, request->file);
	struct tree *tree = cgroup_tree(request->cgroup);
	uint64_t pages, limit;
	int error;

	if (cgroup_is_root(request->cgroup))
		return -EINVAL;
	error = number_parse_pages(text_strip(text), max, &pages);
	if (error)
		return error;
	limit = number_pages_to_bytes(pages);
	limit -= limit % size->page_size;
	error = check_usage(request, limit);
	if (error)
		return error;
	tree_write_lock(tree);
	if (request->cgroup->dead)
		error = -ENODEV;
	else
		size->max[request->file->type->private] = limit;
	tree_unlock(tree);
	return error;
}

static int limit_act(const struct request *request, char *text)
{
	return limit_set(request, text, "-1");
}

static int dfl_max_act(const struct request *request, char *text)
{
	return limit_set(request, text, "max");
}

/* Before any was set it is not in whole pages of that size, and so no "max" (hugetlb_cgroup_read_u64_max). */
static int dfl_max_show(const struct request *request, struct text *out)
{
	const struct hugetlb_size *size = size_of(request->cgroup, request->file);
	uint64_t limit = size->max[request->file->type->private];
	uint64_t none = number_pages_to_bytes(number_pages_max());

	if (limit == none - none % size->page_size)
		text_add(out, "max");
	else
		text_add_u64(out, limit);
	text_add(out, "\n");
	return 0;
}

/* Nothing is refused here, so no limit was ever met. */
static int dfl_events_show(const struct request *request, struct text *out)
{
	(void)request;
	text_add_pair(out, "max", 0);
	return 0;
}

/* --- numa_stat --- */

static uint64_t used_on_node(const struct machine *machine, unsigned node, uint64_t page_size)
{
	struct machine_hugepages pages;
	uint64_t used = 0;

	if (machine_node_hugepages(machine, node, &pages))
		return 0;
	for (size_t i = 0; i < pages.nr; i++) {
		if (pages.size[i].size == page_size && pages.size[i].nr > pages.size[i].free)
			used = (pages.size[i].nr - pages.size[i].free) * page_size;
	}
	machine_hugepages_free(&pages);
	return used;
}

/*
 * Where a cgroup's pages are is not to be had cheaply: on the nodes as the
 * machine's of that size are, whole pages, exactly as many as there are.
 */
static void add_nodes(struct text *out, const struct machine *machine, const struct bitmap *nodes,
		      uint64_t page_size, uint64_t bytes)
{
	uint64_t weights = 0, weight, part;

	for (unsigned n = bitmap_next(nodes, 0); n < nodes->nr; n = bitmap_next(nodes, n + 1))
		weights += used_on_node(machine, n, page_size);
	for (unsigned n = bitmap_next(nodes, 0); n < nodes->nr; n = bitmap_next(nodes, n + 1)) {
		weight = used_on_node(machine, n, page_size);
		part = number_scale(bytes, weight, weights);
		part -= part % page_size;
		if (part > bytes || bitmap_next(nodes, n + 1) >= nodes->nr)
			part = bytes;
		text_printf(out, " N%u=%lu", n, part);
		bytes -= part;
		weights = weights > weight ? weights - weight : 0;
	}
}

/* hugetlb_cgroup_read_numa_stat() */
static int numa_stat_measure(const struct request *request, struct text *out)
{
	const struct machine *machine = cgroup_tree(request->cgroup)->machine;
	const uint64_t page_size = size_of(request->cgroup, request->file)->page_size;
	uint64_t held[HUGETLB_COUNTER_NR], local;
	struct bitmap *nodes = NULL;
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	if (!error)
		error = hugetlb_held_local(request->cgroup, request->file->instance, &local);
	if (!error)
		error = machine_nodes(machine, MACHINE_NODES_MEMORY, &nodes);
	if (error)
		return error;
	text_printf(out, "total=%lu", local);
	add_nodes(out, machine, nodes, page_size, local);
	text_printf(out, "\nhierarchical_total=%lu", held[HUGETLB_USAGE]);
	add_nodes(out, machine, nodes, page_size, held[HUGETLB_USAGE]);
	text_add(out, "\n");
	bitmap_free(nodes);
	return 0;
}

/* v2 has the cgroup with all below it in one line. */
static int dfl_numa_stat_measure(const struct request *request, struct text *out)
{
	const struct machine *machine = cgroup_tree(request->cgroup)->machine;
	const uint64_t page_size = size_of(request->cgroup, request->file)->page_size;
	uint64_t held[HUGETLB_COUNTER_NR];
	struct bitmap *nodes = NULL;
	int error = hugetlb_held(request->cgroup, request->file->instance, held);

	if (!error)
		error = machine_nodes(machine, MACHINE_NODES_MEMORY, &nodes);
	if (error)
		return error;
	text_printf(out, "total=%lu", held[HUGETLB_USAGE]);
	add_nodes(out, machine, nodes, page_size, held[HUGETLB_USAGE]);
	text_add(out, "\n");
	bitmap_free(nodes);
	return 0;
}

/* --- the controller --- */

/* Core copies the names, and reads them before another tree is made. */
static const char *const *hugetlb_instances(struct tree *tree)
{
	static char names[SIZES][sizeof(((struct machine_hugepage *)0)->name)];
	static const char *list[SIZES + 1];
	struct machine_hugepages pages;
	size_t nr;

	list[0] = NULL;
	if (machine_hugepages(tree->machine, &pages))
		return list;
	nr = pages.nr < SIZES ? pages.nr : SIZES;
	for (size_t i = 0; i < nr; i++) {
		strcpy(names[i], pages.size[i].name);
		list[i] = names[i];
	}
	list[nr] = NULL;
	machine_hugepages_free(&pages);
	return list;
}

static int init_sizes(struct hugetlb_cgroup *state, unsigned nr)
{
	state->size = calloc(nr, sizeof(state->size[0]));
	if (!state->size && nr)
		return -ENOMEM;
	state->nr = nr;
	for (unsigned i = 0; i < nr; i++) {
		for (unsigned counter = 0; counter < HUGETLB_COUNTER_NR; counter++)
			state->size[i].max[counter] = number_pages_to_bytes(number_pages_max());
	}
	return 0;
}

/* Those of the machine; one without huge pages has no files for them. */
static int init_root(struct hugetlb_cgroup *state, const struct machine *machine)
{
	struct machine_hugepages pages = {0};
	int error = machine_hugepages(machine, &pages);

	if (error)
		return error == -ENOENT ? 0 : error;
	error = init_sizes(state, pages.nr < SIZES ? pages.nr : SIZES);
	for (unsigned i = 0; i < state->nr; i++)
		state->size[i].page_size = pages.size[i].size;
	machine_hugepages_free(&pages);
	return error;
}

static int hugetlb_css_init(struct cgroup *cgroup, void *css)
{
	struct hugetlb_cgroup *state = css;
	const struct hugetlb_cgroup *parent;
	int error;

	if (!cgroup->parent)
		return init_root(state, cgroup_tree(cgroup)->machine);
	parent = hugetlb_cgroup_of(cgroup->parent);
	error = init_sizes(state, parent->nr);
	for (unsigned i = 0; i < state->nr; i++)
		state->size[i].page_size = parent->size[i].page_size;
	return error;
}

static void hugetlb_css_exit(void *css)
{
	struct hugetlb_cgroup *state = css;

	for (unsigned i = 0; i < state->nr; i++)
		free(state->size[i].before);
	free(state->size);
}

static void hugetlb_save(struct cgroup *cgroup, struct text *out)
{
	struct hugetlb_cgroup *state = hugetlb_cgroup_of(cgroup);

	bytes_put_u64(out, state->nr);
	for (unsigned i = 0; i < state->nr; i++) {
		bytes_put_u64(out, state->size[i].page_size);
		for (unsigned counter = 0; counter < HUGETLB_COUNTER_NR; counter++) {
			bytes_put_u64(out, state->size[i].max[counter]);
			bytes_put_u64(out, atomic_load(&state->size[i].watermark[counter]));
		}
		bytes_put(out, state->size[i].before,
			  state->size[i].before_count * sizeof(struct hugetlb_file));
	}
}

static struct hugetlb_size *find_size(struct hugetlb_cgroup *state, uint64_t page_size)
{
	for (unsigned i = 0; i < state->nr; i++) {
		if (state->size[i].page_size == page_size)
			return &state->size[i];
	}
	return NULL;
}

static int get_before(struct hugetlb_size *size, struct bytes *in)
{
	struct bytes part = bytes_get(in);

	if (part.wrong || part.len % sizeof(struct hugetlb_file))
		return -EINVAL;
	free(size->before);
	size->before_count = 0;
	size->before = malloc(part.len + 1);
	if (!size->before)
		return -ENOMEM;
	memcpy(size->before, part.data, part.len);
	size->before_count = part.len / sizeof(struct hugetlb_file);
	return 0;
}

/* By the size of the pages: a kernel may come up with other ones. */
static int hugetlb_restore(struct cgroup *cgroup, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);

	while (count-- && !in->wrong) {
		struct hugetlb_size ignored = {0}, *size;
		int error;

		size = find_size(hugetlb_cgroup_of(cgroup), bytes_get_u64(in));
		if (!size)
			size = &ignored;
		for (unsigned counter = 0; counter < HUGETLB_COUNTER_NR; counter++) {
			size->max[counter] = bytes_get_u64(in);
			atomic_store(&size->watermark[counter], bytes_get_u64(in));
		}
		error = get_before(size, in);
		free(ignored.before);
		if (error)
			return error;
	}
	return in->wrong ? -EINVAL : 0;
}

#define COUNTER_FILES(prefix, counter)                                               \
	{.name = prefix "failcnt", .private = counter,                               \
	 .read_u64 = failcnt_read, .store = failcnt_store},                          \
	{.name = prefix "limit_in_bytes", .private = counter,                        \
	 .read_u64 = limit_read, .act = limit_act},                                  \
	{.name = prefix "max_usage_in_bytes", .private = counter,                    \
	 .measure = max_usage_measure, .act = max_usage_act},                        \
	{.name = prefix "usage_in_bytes", .private = counter, .measure = usage_measure}

static const struct cftype hugetlb_files[] = {
	COUNTER_FILES("", HUGETLB_USAGE),
	COUNTER_FILES("rsvd.", HUGETLB_RSVD),
	{.name = "numa_stat", .measure = numa_stat_measure},
	{0},
};

#define DFL_COUNTER_FILES(prefix, counter)                                                     \
	{.name = prefix "max", .flags = CFTYPE_NOT_ON_ROOT, .private = counter,                \
	 .show = dfl_max_show, .act = dfl_max_act},                                            \
	{.name = prefix "current", .flags = CFTYPE_NOT_ON_ROOT, .private = counter, .measure = usage_measure}

static const struct cftype hugetlb_dfl_files[] = {
	DFL_COUNTER_FILES("", HUGETLB_USAGE),
	DFL_COUNTER_FILES("rsvd.", HUGETLB_RSVD),
	{.name = "events", .flags = CFTYPE_NOT_ON_ROOT, .show = dfl_events_show},
	{.name = "events.local", .flags = CFTYPE_NOT_ON_ROOT, .show = dfl_events_show},
	{.name = "numa_stat", .flags = CFTYPE_NOT_ON_ROOT, .measure = dfl_numa_stat_measure},
	{0},
};

const struct controller hugetlb_controller = {
	.name = "hugetlb",
	.legacy_files = hugetlb_files,
	.dfl_files = hugetlb_dfl_files,
	.instances = hugetlb_instances,
	.css_size = sizeof(struct hugetlb_cgroup),
	.css_init = hugetlb_css_init,
	.css_start = hugetlb_start,
	.css_exit = hugetlb_css_exit,
	.save = hugetlb_save,
	.restore = hugetlb_restore,
};
