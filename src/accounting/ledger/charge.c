/* SPDX-License-Identifier: MIT */
/* Charges: which group holds how much of a process' memory. */
#include <stdlib.h>

#include <utlist.h>

#include "charge.h"

uint64_t *held_field(struct memory_usage *memory, unsigned i)
{
	uint64_t *const fields[] = {&memory->anon, &memory->anon_huge, &memory->file, &memory->shmem,
				    &memory->swap, &memory->kernel, &memory->stacks};

	return fields[i];
}

void charge_set(struct charge *charge, const struct memory_usage *now)
{
	struct memory_usage target = *now;

	for (struct group *group = charge->group; group && group->parent; group = group->parent) {
		struct usage *usage = usage_get(group);

		if (!usage)
			continue;
		for (unsigned i = 0; i < HELD_FIELDS; i++) {
			uint64_t change = *held_field(&target, i) - *held_field(&charge->held, i);

			if (group == charge->group && !charge->is_heirs)
				*held_field(&usage->memory, i) += change;
			*held_field(&usage->memory_total, i) += change;
		}
		memory_raise_peaks(usage, 0);
	}
	charge->held = target;
}

bool is_own_charge(const struct charge *charge, unsigned hierarchy, const struct group *group)
{
	return charge->hierarchy == hierarchy && charge->group == group && !charge->is_heirs;
}

struct charge *charge_new(struct process *process, unsigned hierarchy, struct group *group)
{
	struct charge *charge;

	if (group && !usage_get(group))
		return NULL;
	charge = calloc(1, sizeof(*charge));
	if (!charge)
		return NULL;
	charge->process = process;
	charge->hierarchy = hierarchy;
	charge->group = group;
	LL_APPEND(process->memory.charges, charge); /* oldest first */
	if (group)
		DL_APPEND2(group->usage->charges, charge, group_prev, group_next);
	return charge;
}

struct charge *charge_get(struct process *process, unsigned hierarchy, struct group *group)
{
	struct charge *charge;

	LL_FOREACH(process->memory.charges, charge) {
		if (is_own_charge(charge, hierarchy, group))
			return charge;
	}
	return charge_new(process, hierarchy, group);
}

/* It is in no group any more, and holds nothing. */
static void charge_leave(struct charge *charge)
{
	static const struct memory_usage nothing;

	charge_set(charge, &nothing);
	if (charge->group)
		DL_DELETE2(charge->group->usage->charges, charge, group_prev, group_next);
}

void charge_free(struct charge *charge)
{
	charge_leave(charge);
	LL_DELETE(charge->process->memory.charges, charge);
	free(charge);
}

bool holds_nothing(const struct memory_usage *memory)
{
	return !memory_usage_bytes(memory) && !memory->swap;
}

static void add_held(struct memory_usage *sum, const struct memory_usage *part)
{
	struct memory_usage held = *part;

	for (unsigned i = 0; i < HELD_FIELDS; i++)
		*held_field(sum, i) += *held_field(&held, i);
}

/* A process has one such charge in a group at most, however often groups end or restart. */
static struct charge *find_inherited(const struct charge *of, const struct group *heir)
{
	struct charge *charge;

	LL_FOREACH(of->process->memory.charges, charge) {
		if (charge != of && charge->is_heirs && charge->hierarchy == of->hierarchy &&
		    charge->group == heir)
			return charge;
	}
	return NULL;
}

void charge_inherit(struct charge *charge, struct group *heir)
{
	struct charge *same = find_inherited(charge, heir);
	struct memory_usage held = charge->held;

	if (same) {
		add_held(&same->left, &charge->left);
		charge_free(charge);
		add_held(&held, &same->held);
		charge_set(same, &held);
		return;
	}
	charge_leave(charge);
	charge->group = heir;
	charge->is_heirs = true;
	if (heir)
		DL_APPEND2(heir->usage->charges, charge, group_prev, group_next);
	charge_set(charge, &held);
}
