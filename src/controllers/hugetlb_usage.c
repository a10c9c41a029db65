/* SPDX-License-Identifier: MIT */
/*
 * What cgroups hold of huge pages. The root's is the machine's, from sysfs. A
 * child's is what its members have mapped: each file's pages once, however
 * many of them map it, as the kernel charges a page once.
 */
#include "hugetlb_cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "hash.h"
#include "machine_device.h"
#include "machine_hugetlb.h"

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- files that members have mapped --- */

struct mapped_file {
	struct {
		uint64_t inode;
		uint32_t major, minor;
	} key;
	uint64_t page_size;
	uint64_t own; /* pages that one process alone has mapped privately */
	uint64_t shared; /* pages that several may have: the most that one has */
	uint64_t reserved; /* the largest mapping; 0: none is reserved, and each page is when it is touched */
	UT_hash_handle hh;
};

struct mapped {
	uint64_t page_size; /* the size that is looked for */
	struct mapped_file *files;
};

static struct mapped_file *file_get(struct mapped *mapped, const struct machine_hugetlb_map *map)
{
	struct mapped_file *file, wanted;

	memset(&wanted, 0, sizeof(wanted)); /* padding is compared too */
	wanted.key.inode = map->inode;
	wanted.key.major = map->major;
	wanted.key.minor = map->minor;
	HASH_FIND(hh, mapped->files, &wanted.key, sizeof(wanted.key), file);
	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->key = wanted.key;
	HASH_ADD(hh, mapped->files, key, sizeof(file->key), file);
	return HASH_KEPT(hh, file);
}

/* Of a file that several map, a shared page is in each of them, one written privately in one alone. */
static int add_map(const struct machine_hugetlb_map *map, void *arg)
{
	struct mapped *mapped = arg;
	struct mapped_file *file;

	if (map->page_size != mapped->page_size)
		return 0;
	file = file_get(mapped, map);
	if (!file)
		return -ENOMEM;
	if (map->shared) {
		file->shared = max(file->shared, map->private_bytes + map->shared_bytes);
	} else {
		file->own += map->private_bytes;
		file->shared = max(file->shared, map->shared_bytes);
	}
	if (map->reserved)
		file->reserved = max(file->reserved, map->size);
	return 0;
}

static int add_members(struct cgroup *cgroup, struct mapped *mapped)
{
	const struct machine *machine = cgroup_tree(cgroup)->machine;
	struct task_list list;
	int error = accounting_list(&cgroup->group, &list);

	for (size_t i = 0; i < list.count && !error; i++) {
		if (list.tasks[i].tid != list.tasks[i].tgid)
			continue; /* its process has the memory */
		error = machine_task_hugetlb(machine, list.tasks[i].tgid, add_map, mapped);
		if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
			error = 0; /* it has ended, or may not be looked at: it counts nothing */
	}
	free(list.tasks);
	return error;
}

static struct hugetlb_file file_of(const struct mapped_file *file)
{
	uint64_t used = file->own + file->shared;

	return (struct hugetlb_file){
		.inode = file->key.inode, .major = file->key.major, .minor = file->key.minor,
		.held = {[HUGETLB_USAGE] = used, [HUGETLB_RSVD] = file->reserved ? file->reserved : used}};
}

/* What the size's cgroup had of a file before the controller. Under the tree lock. */
static const struct hugetlb_file *find_before(const struct hugetlb_size *size,
					      const struct hugetlb_file *file)
{
	for (size_t i = 0; i < size->before_count; i++) {
		if (!memcmp(&size->before[i], file, offsetof(struct hugetlb_file, held)))
			return &size->before[i];
	}
	return NULL;
}

/* Sums what was not there before. Under the tree lock. */
static void sum_files(const struct hugetlb_size *size, const struct mapped *mapped,
		      uint64_t held[HUGETLB_COUNTER_NR])
{
	const struct mapped_file *each;

	held[HUGETLB_USAGE] = held[HUGETLB_RSVD] = 0;
	for (each = mapped->files; each; each = each->hh.next) {
		const struct hugetlb_file file = file_of(each), *before = find_before(size, &file);

		for (unsigned i = 0; i < HUGETLB_COUNTER_NR; i++) {
			uint64_t past = before ? before->held[i] : 0;

			held[i] += file.held[i] > past ? file.held[i] - past : 0;
		}
	}
}

static void free_files(struct mapped *mapped)
{
	struct mapped_file *file, *next;

	HASH_ITER(hh, mapped->files, file, next) {
		HASH_DEL(mapped->files, file);
		free(file);
	}
}

/* --- a subtree --- */

/* Nobody is listed in the root. */
static bool lists_members(const struct cgroup *cgroup, const struct cgroup *top)
{
	(void)top;
	return !cgroup_is_root(cgroup);
}

/* What the members of a subtree's cgroups, or of its first alone, have mapped; free_files() frees it. */
static int map_members(struct cgroup *top, bool alone, struct mapped *mapped)
{
	struct cgroup **list;
	size_t count;
	int error = 0;

	if (alone)
		return add_members(top, mapped);
	list = cgroup_hold_subtree(top, lists_members, &count);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count && !error; i++)
		error = add_members(list[i], mapped);
	cgroup_put_all(list, count);
	return error;
}

static int held_by_members(struct cgroup *top, bool alone, const struct hugetlb_size *size,
			   uint64_t held[HUGETLB_COUNTER_NR])
{
	struct mapped mapped = {.page_size = size->page_size};
	int error = map_members(top, alone, &mapped);

	tree_read_lock(cgroup_tree(top));
	sum_files(size, &mapped, held);
	tree_unlock(cgroup_tree(top));
	free_files(&mapped);
	return error;
}

/* --- the machine --- */

/* nr_hugepages counts surplus pages too; reserved pages are free until they are used. */
static int held_by_machine(const struct machine *machine, uint64_t page_size,
			   uint64_t held[HUGETLB_COUNTER_NR])
{
	struct machine_hugepages pages;
	uint64_t used;
	int error = machine_hugepages(machine, &pages);

	held[HUGETLB_USAGE] = held[HUGETLB_RSVD] = 0;
	if (error)
		return error == -ENOENT ? 0 : error;
	for (size_t i = 0; i < pages.nr; i++) {
		if (pages.size[i].size != page_size)
			continue;
		used = pages.size[i].nr > pages.size[i].free ? pages.size[i].nr - pages.size[i].free : 0;
		held[HUGETLB_USAGE] = used * page_size;
		held[HUGETLB_RSVD] = (used + pages.size[i].resv) * page_size;
	}
	machine_hugepages_free(&pages);
	return 0;
}

static void raise_watermark(_Atomic uint64_t *watermark, uint64_t value)
{
	uint64_t seen = atomic_load(watermark);

	while (seen < value && !atomic_compare_exchange_weak(watermark, &seen, value))
		;
}

int hugetlb_held(struct cgroup *cgroup, unsigned size, uint64_t held[HUGETLB_COUNTER_NR])
{
	struct hugetlb_size *own = &hugetlb_cgroup_of(cgroup)->size[size];
	int error = held_by_machine(cgroup_tree(cgroup)->machine, own->page_size, held);

	/* Where the machine uses none, nobody needs to be asked. */
	if (!error && !cgroup_is_root(cgroup) && held[HUGETLB_RSVD])
		error = held_by_members(cgroup, false, own, held);
	for (unsigned i = 0; i < HUGETLB_COUNTER_NR && !error; i++)
		raise_watermark(&own->watermark[i], held[i]);
	return error;
}

/* All that is mapped now is from before. */
static void set_before(struct cgroup *cgroup, struct hugetlb_size *size, const struct mapped *mapped)
{
	struct hugetlb_file *before = calloc(HASH_COUNT(mapped->files) + 1, sizeof(*before));
	const struct mapped_file *each;

	tree_write_lock(cgroup_tree(cgroup));
	free(size->before);
	size->before = before;
	size->before_count = 0;
	for (each = mapped->files; each && before; each = each->hh.next)
		before[size->before_count++] = file_of(each);
	tree_unlock(cgroup_tree(cgroup));
}

void hugetlb_start(struct cgroup *cgroup, void *state)
{
	struct hugetlb_cgroup *own = state;

	for (unsigned i = 0; i < own->nr; i++) {
		struct mapped mapped = {.page_size = own->size[i].page_size};
		uint64_t used[HUGETLB_COUNTER_NR];

		if (held_by_machine(cgroup_tree(cgroup)->machine, mapped.page_size, used) ||
		    !used[HUGETLB_RSVD])
			continue;
		if (!map_members(cgroup, false, &mapped))
			set_before(cgroup, &own->size[i], &mapped);
		free_files(&mapped);
	}
}

int hugetlb_held_local(struct cgroup *cgroup, unsigned size, uint64_t *held)
{
	const struct hugetlb_size *own = &hugetlb_cgroup_of(cgroup)->size[size];
	uint64_t machine[HUGETLB_COUNTER_NR], members[HUGETLB_COUNTER_NR];
	int error;

	error = held_by_machine(cgroup_tree(cgroup)->machine, own->page_size, machine);
	*held = machine[HUGETLB_USAGE];
	if (error || !machine[HUGETLB_USAGE])
		return error;
	error = held_by_members(cgroup, !cgroup_is_root(cgroup), own, members);
	if (error)
		return error;
	if (!cgroup_is_root(cgroup))
		*held = members[HUGETLB_USAGE];
	else
		*held -= members[HUGETLB_USAGE] < *held ? members[HUGETLB_USAGE] : *held;
	return 0;
}
