/* SPDX-License-Identifier: MIT */
/* memory.numa_stat: the pages of each list by node (memcg_numa_stat_show). */
#include "mem_cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "number.h"

enum lru { LRU_FILE, LRU_ANON, LRU_UNEVICTABLE, LRU_NR };

/* Pages of one node, the cgroup's own and with those below. */
struct node_lru {
	unsigned node;
	uint64_t local[LRU_NR], total[LRU_NR];
};

struct node_lrus {
	struct node_lru *node;
	unsigned nr;
};

/* 0 or a negative errno. */
static int lru_of_machine(const struct machine *machine, struct node_lru *node)
{
	const uint64_t page = number_page_size();
	struct machine_meminfo info = {0};
	int error = machine_node_meminfo(machine, node->node, &info);

	if (error == -ENOENT && !node->node)
		error = machine_meminfo(machine, &info); /* no node files: one node */
	if (error && error != -ENOENT)
		return error;
	node->total[LRU_FILE] =
		(info.value[MACHINE_MEM_ACTIVE_FILE] + info.value[MACHINE_MEM_INACTIVE_FILE]) / page;
	node->total[LRU_ANON] =
		(info.value[MACHINE_MEM_ACTIVE_ANON] + info.value[MACHINE_MEM_INACTIVE_ANON]) / page;
	node->total[LRU_UNEVICTABLE] = info.value[MACHINE_MEM_UNEVICTABLE] / page;
	return 0;
}

static int machine_lrus(const struct machine *machine, struct node_lrus *lrus)
{
	struct bitmap *nodes;
	int error = machine_nodes(machine, MACHINE_NODES_MEMORY, &nodes);

	if (error)
		return error;
	*lrus = (struct node_lrus){.node = calloc(bitmap_weight(nodes) + 1, sizeof(*lrus->node))};
	error = lrus->node ? 0 : -ENOMEM;
	for (unsigned n = bitmap_next(nodes, 0); n < nodes->nr && !error; n = bitmap_next(nodes, n + 1)) {
		lrus->node[lrus->nr].node = n;
		error = lru_of_machine(machine, &lrus->node[lrus->nr++]);
	}
	bitmap_free(nodes);
	if (error) {
		free(lrus->node);
		*lrus = (struct node_lrus){0};
	}
	return error;
}

/*
 * Where a cgroup's pages are is not to be had cheaply: on the nodes as the machine's of that list are.
 * Gives out exactly `pages`: each node the rest's share among the nodes that are left.
 */
static void spread(const struct node_lrus *machine, enum lru list, uint64_t pages, uint64_t *out)
{
	uint64_t weights = 0, part;

	for (unsigned i = 0; i < machine->nr; i++)
		weights += machine->node[i].total[list];
	for (unsigned i = 0; i < machine->nr; i++) {
		uint64_t weight = machine->node[i].total[list];

		part = i + 1 == machine->nr ? pages : number_scale(pages, weight, weights);
		out[i] = part;
		pages -= part;
		weights -= weight;
	}
}

int memory_spread(const struct machine *machine, uint64_t value, bool file, uint64_t **parts,
		  unsigned **nodes, unsigned *nr)
{
	struct node_lrus lrus;
	int error = machine_lrus(machine, &lrus);

	*parts = NULL;
	*nodes = NULL;
	if (error)
		return error;
	*nr = lrus.nr;
	*parts = calloc(lrus.nr + 1, sizeof(**parts));
	*nodes = calloc(lrus.nr + 1, sizeof(**nodes));
	if (*parts && *nodes) {
		spread(&lrus, file ? LRU_FILE : LRU_ANON, value, *parts);
		for (unsigned i = 0; i < lrus.nr; i++)
			(*nodes)[i] = lrus.node[i].node;
	} else {
		error = -ENOMEM;
	}
	free(lrus.node);
	return error;
}

static void stat_lists(const struct memory_stat *stat, uint64_t lists[LRU_NR])
{
	const uint64_t page = number_page_size();

	lists[LRU_FILE] = (stat->item[MEMORY_ACTIVE_FILE] + stat->item[MEMORY_INACTIVE_FILE]) / page;
	lists[LRU_ANON] = (stat->item[MEMORY_ACTIVE_ANON] + stat->item[MEMORY_INACTIVE_ANON]) / page;
	lists[LRU_UNEVICTABLE] = stat->item[MEMORY_UNEVICTABLE] / page;
}

static uint64_t less(uint64_t value, uint64_t part)
{
	return value > part ? value - part : 0;
}

/* The root's nodes are the machine's; its own pages are those that are not in groups below. */
static void lrus_of_root(struct node_lrus *lrus, const struct memory_stat *below, uint64_t *parts)
{
	uint64_t lists[LRU_NR];

	stat_lists(below, lists);
	for (enum lru list = 0; list < LRU_NR; list++) {
		spread(lrus, list, lists[list], parts);
		for (unsigned i = 0; i < lrus->nr; i++)
			lrus->node[i].local[list] = less(lrus->node[i].total[list], parts[i]);
	}
}

static void lrus_of_group(struct node_lrus *lrus, const struct memory_stat *local,
			  const struct memory_stat *total, uint64_t *parts)
{
	uint64_t own[LRU_NR], all[LRU_NR];

	stat_lists(local, own);
	stat_lists(total, all);
	for (enum lru list = 0; list < LRU_NR; list++) {
		spread(lrus, list, own[list], parts);
		for (unsigned i = 0; i < lrus->nr; i++)
			lrus->node[i].local[list] = parts[i];
		spread(lrus, list, all[list], parts);
		for (unsigned i = 0; i < lrus->nr; i++)
			lrus->node[i].total[list] = parts[i];
	}
}

static int sample_lrus(struct cgroup *cgroup, struct node_lrus *lrus)
{
	struct memory_usage own = {0}, all = {0};
	struct memory_stat local, total;
	uint64_t *parts;
	int error;

	error = memory_usage_of(cgroup, &own, &all);
	if (!error)
		error = machine_lrus(cgroup_tree(cgroup)->machine, lrus);
	if (error)
		return error;
	parts = calloc(lrus->nr + 1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	memory_stat_of_usage(own, &local);
	memory_stat_of_usage(all, &total);
	if (cgroup_is_root(cgroup))
		lrus_of_root(lrus, &total, parts);
	else
		lrus_of_group(lrus, &local, &total, parts);
	free(parts);
	return 0;
}

static uint64_t list_pages(const uint64_t lists[LRU_NR], int list)
{
	return list < LRU_NR ? lists[list] : lists[LRU_FILE] + lists[LRU_ANON] + lists[LRU_UNEVICTABLE];
}

static void add_line(struct text *out, const struct node_lrus *lrus, const char *name, int list,
		     bool total)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < lrus->nr; i++)
		sum += list_pages(total ? lrus->node[i].total : lrus->node[i].local, list);
	text_printf(out, "%s%s=%lu", total ? "hierarchical_" : "", name, sum);
	for (unsigned i = 0; i < lrus->nr; i++)
		text_printf(out, " N%u=%lu", lrus->node[i].node,
			    list_pages(total ? lrus->node[i].total : lrus->node[i].local, list));
	text_add(out, "\n");
}

/* memcg_numa_stat_show() */
int memory_numa_stat_measure(const struct request *request, struct text *out)
{
	struct node_lrus lrus = {0};
	int error = sample_lrus(request->cgroup, &lrus);

	for (int total = 0; total <= 1 && !error; total++) {
		add_line(out, &lrus, "total", LRU_NR, total);
		add_line(out, &lrus, "file", LRU_FILE, total);
		add_line(out, &lrus, "anon", LRU_ANON, total);
		add_line(out, &lrus, "unevictable", LRU_UNEVICTABLE, total);
	}
	free(lrus.node);
	return error;
}
