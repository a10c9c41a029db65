/* SPDX-License-Identifier: MIT */
/* Who descends from whom, so that signals can be sent in that order. */
#include "descent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "hash.h"
#include "machine_task.h"

/* A process, and how far it is below the first one. */
struct ancestor {
	pid_t pid, parent; /* parent 0: none that can be seen */
	bool is_known; /* its depth is */
	unsigned depth;
	UT_hash_handle hh;
};

int descent_add(struct descent *descent, const struct task_list *list, size_t place)
{
	size_t wanted = descent->count + list->count;

	if (wanted > descent->capacity) {
		struct descent_task *tasks = realloc(descent->tasks, 2 * wanted * sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		descent->tasks = tasks;
		descent->capacity = 2 * wanted;
	}
	for (size_t i = 0; i < list->count; i++)
		descent->tasks[descent->count++] =
			(struct descent_task){.id = list->tasks[i], .place = place};
	return 0;
}

void descent_free(struct descent *descent)
{
	free(descent->tasks);
	*descent = (struct descent){0};
}

/* Each process is read once. NULL: no memory. */
static struct ancestor *find(struct ancestor **known, const struct machine *machine, pid_t pid)
{
	struct machine_task_stat stat;
	struct ancestor *ancestor;

	HASH_FIND_INT(*known, &pid, ancestor);
	if (ancestor)
		return ancestor;
	ancestor = calloc(1, sizeof(*ancestor));
	if (!ancestor)
		return NULL;
	ancestor->pid = pid;
	if (!machine_task_stat(machine, pid, 0, &stat))
		ancestor->parent = stat.ppid;
	HASH_ADD_INT(*known, pid, ancestor);
	return HASH_KEPT(hh, ancestor);
}

/*
 * Up to one whose depth is known, and down again. Numbers are given anew while
 * we read: who seems to be his own ancestor is at the top.
 */
static int find_depth(struct ancestor **known, const struct machine *machine, pid_t pid,
		      unsigned *depth)
{
	struct ancestor *first = find(known, machine, pid), *ancestor = first;
	unsigned above = 0, at;

	while (ancestor && !ancestor->is_known && ancestor->parent && above <= HASH_COUNT(*known)) {
		ancestor = find(known, machine, ancestor->parent);
		above++;
	}
	if (!ancestor)
		return -ENOMEM;
	*depth = at = above + ancestor->depth;
	for (; first && first != ancestor && !first->is_known; at--) {
		first->is_known = true;
		first->depth = at;
		first = find(known, machine, first->parent);
	}
	ancestor->is_known = true;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct descent_task *left = a, *right = b;

	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	if (left->id.tgid != right->id.tgid)
		return left->id.tgid < right->id.tgid ? -1 : 1;
	return (left->id.tid > right->id.tid) - (left->id.tid < right->id.tid);
}

int descent_sort(struct descent *descent, const struct machine *machine)
{
	struct ancestor *known = NULL, *ancestor, *next;
	int error = 0;

	for (size_t i = 0; i < descent->count && !error; i++)
		error = find_depth(&known, machine, descent->tasks[i].id.tgid,
				   &descent->tasks[i].depth);
	HASH_ITER(hh, known, ancestor, next) {
		HASH_DEL(known, ancestor);
		free(ancestor);
	}
	if (!error && descent->count)
		qsort(descent->tasks, descent->count, sizeof(*descent->tasks), compare);
	return error;
}
