/* SPDX-License-Identifier: MIT */
/* Charges: which group holds how much of a process' memory. All under accounting's lock. */
#ifndef ACCOUNTING_CHARGE_H
#define ACCOUNTING_CHARGE_H

#include "ledger.h"

#define HELD_FIELDS 7

/* Memory of one process that one group of a hierarchy holds. */
struct charge {
	struct process *process;
	unsigned hierarchy;
	struct group *group; /* NULL: the root */
	bool is_heirs; /* of a group below that has ended: in the totals only */
	struct memory_usage held; /* now; without the counters */
	struct memory_usage left; /* when the process left the group: it holds no more than that */
	struct charge *next; /* process->charges */
	struct charge *group_prev, *group_next; /* utlist: group->usage->charges */
};

/* The fields of memory_usage that are held, not counted: i is below HELD_FIELDS. */
uint64_t *held_field(struct memory_usage *memory, unsigned i);
bool holds_nothing(const struct memory_usage *memory);

/* The process' charge in a group (NULL: the root), made when there is none. NULL: no memory. */
struct charge *charge_get(struct process *process, unsigned hierarchy, struct group *group);
/* One more, the process' newest. */
struct charge *charge_new(struct process *process, unsigned hierarchy, struct group *group);
/* It holds nothing any more, and is gone. */
void charge_free(struct charge *charge);
/* It becomes `now`: in its group and in the totals above. */
void charge_set(struct charge *charge, const struct memory_usage *now);
bool is_own_charge(const struct charge *charge, unsigned hierarchy, const struct group *group);
/* The total of `heir` (NULL: the root) has the charge from here on, and no more than it has `left`. */
void charge_inherit(struct charge *charge, struct group *heir);

#endif
