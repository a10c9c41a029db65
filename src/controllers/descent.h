/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_DESCENT_H
#define CONTROLLERS_DESCENT_H

#include <stddef.h>

#include "accounting.h"
#include "machine.h"

/*
 * Tasks of several cgroups in the order of their descent. No locks; the
 * caller owns it and gives it back by descent_free(). Zeroed is empty.
 */
struct descent {
	struct descent_task {
		struct task_id id;
		size_t place; /* the adder's own */
		unsigned depth; /* how many processes are above its own, as far as can be seen */
	} *tasks;
	size_t count, capacity;
};

/* Adds the tasks, which may be none. 0 or -ENOMEM, then none is added. */
int descent_add(struct descent *descent, const struct task_list *list, size_t place);
/* Ancestors before descendants, a process' threads together. Reads /proc. 0 or -ENOMEM. */
int descent_sort(struct descent *descent, const struct machine *machine);
void descent_free(struct descent *descent);

#endif
