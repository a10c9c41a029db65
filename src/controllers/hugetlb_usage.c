/* SPDX-License-Identifier: MIT */
/*
 * What cgroups hold of huge pages. The root's is the machine's, from sysfs. A
 * child's is what its members have mapped: each file's pages once, however
 * many of them map it, as the kernel charges a page once.
 */
#include "hugetlb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

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
		unsigned major, minor;
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
	return file;
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

/* Sums and frees the files. */
static void sum_files(struct mapped *mapped, uint64_t held[HUGETLB_COUNTER_NR])
{
	struct mapped_file *file, *next;

	held[HUGETLB_USAGE] = held[HUGETLB_RSVD] = 0;
	HASH_ITER(hh, mapped->files, file, next) {
		uint64_t used = file->own + file->shared;

		held[HUGETLB_USAGE] += used;
		held[HUGETLB_RSVD] += file->reserved ? file->reserved : used;
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

/* What the members of a subtree's cgroups, or of its first alone, hold. */
static int held_by_members(struct cgroup *top, bool alone, uint64_t page_size,
			   uint64_t held[HUGETLB_COUNTER_NR])
{
	struct mapped mapped = {.page_size = page_size};
	struct cgroup **list;
	size_t count;
	int error = 0;

	if (alone) {
		error = add_members(top, &mapped);
	} else {
		list = cgroup_hold_subtree(top, lists_members, &count);
		if (!list)
			return -ENOMEM;
		for (size_t i = 0; i < count && !error; i++)
			error = add_members(list[i], &mapped);
		cgroup_put_all(list, count);
	}
	sum_files(&mapped, held);
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
		error = held_by_members(cgroup, false, own->page_size, held);
	for (unsigned i = 0; i < HUGETLB_COUNTER_NR && !error; i++)
		raise_watermark(&own->watermark[i], held[i]);
	return error;
}

int hugetlb_held_local(struct cgroup *cgroup, unsigned size, uint64_t *held)
{
	const uint64_t page_size = hugetlb_cgroup_of(cgroup)->size[size].page_size;
	uint64_t machine[HUGETLB_COUNTER_NR], members[HUGETLB_COUNTER_NR];
	int error;

	error = held_by_machine(cgroup_tree(cgroup)->machine, page_size, machine);
	*held = machine[HUGETLB_USAGE];
	if (error || !machine[HUGETLB_USAGE])
		return error;
	error = held_by_members(cgroup, !cgroup_is_root(cgroup), page_size, members);
	if (error)
		return error;
	if (!cgroup_is_root(cgroup))
		*held = members[HUGETLB_USAGE];
	else
		*held -= members[HUGETLB_USAGE] < *held ? members[HUGETLB_USAGE] : *held;
	return 0;
}
