/* SPDX-License-Identifier: MIT */
/*
 * What reaped children used. When a process waits for a child, the kernel
 * adds the child's whole time, scaled to its true run time, to the parent's
 * cutime and cstime (wait_task_zombie). So a parent knows what its children
 * used that came and went between two looks at them, and the last moments of
 * those that were seen. What is known of a child already is credited, once it
 * is not a zombie any more; the rest is owed: to the parent's group, where a
 * child is born, and to those groups where children were when they ended.
 */
#include <stdlib.h>

#include <utlist.h>

#include "ledger.h"

/* Children that ended in other groups than their parent's, and were waited for since it was paid. */
struct heir {
	struct heir *next; /* of the parent */
	struct heir *all_prev, *all_next; /* accounting->heirs */
	unsigned children;
	uint64_t limit; /* ns that they can have run since they were read */
	struct task_link links[]; /* accounting->hierarchies; the groups only */
};

/* All that is known of a process and, through it, of its own reaped children. */
static void known_of(const struct process *process, struct counters *known)
{
	*known = process->counted.seen;
	known->value[COUNTER_RUN] = process->counted.ended_run + process->counted.lost_run;
	for (enum counter i = 0; i <= COUNTER_WRITTEN; i++)
		known->value[i] += process->reaped.figures.start.value[i] +
				   process->reaped.figures.credited.value[i] +
				   process->reaped.figures.paid.value[i];
}

static bool same_groups(const struct accounting *accounting, const struct task_link *a,
			const struct task_link *b)
{
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (accounting->kinds[i] && a[i].group != b[i].group)
			return false;
	}
	return true;
}

static struct heir *heir_get(struct accounting *accounting, struct process *parent,
			     const struct task_link *links)
{
	struct heir *heir;

	LL_FOREACH(parent->reaped.heirs, heir) {
		if (same_groups(accounting, heir->links, links))
			return heir;
	}
	heir = calloc(1, sizeof(*heir) + accounting->hierarchies * sizeof(heir->links[0]));
	if (!heir)
		return NULL;
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		heir->links[i].group = links[i].group;
	LL_PREPEND(parent->reaped.heirs, heir);
	DL_APPEND2(accounting->heirs, heir, all_prev, all_next);
	return heir;
}

static void heirs_free(struct accounting *accounting, struct process *parent)
{
	struct heir *heir, *next;

	LL_FOREACH_SAFE(parent->reaped.heirs, heir, next) {
		DL_DELETE2(accounting->heirs, heir, all_prev, all_next);
		free(heir);
	}
	parent->reaped.heirs = NULL;
}

void heirs_retire(struct group *group)
{
	struct group *parent = group->parent && group->parent->parent ? group->parent : NULL;
	struct heir *heir;

	assert_locked(&group->accounting->lock);
	DL_FOREACH2(group->accounting->heirs, heir, all_next) {
		if (heir->links[group->hierarchy].group == group)
			heir->links[group->hierarchy].group = parent;
	}
}

static void note_heir(struct accounting *accounting, struct process *parent,
		      const struct process *child)
{
	const struct task_link *links = process_leader(child)->links;
	struct heir *heir = NULL;

	parent->reaped.claimed_at = now_ns();
	if (!same_groups(accounting, links, process_leader(parent)->links))
		heir = heir_get(accounting, parent, links);
	if (!heir) {
		parent->reaped.own_ended++;
		return;
	}
	heir->children++;
	heir->limit += child->reaped.unread;
}

/* ns that it can have run, or have been told of, beyond what is known of it at its end. */
static uint64_t unread_of(const struct process *process)
{
	const struct reaped_figures *reaped = &process->reaped.figures;
	uint64_t unread = now_ns() - process->read.at[__builtin_ctz(USAGE_CPU)];

	if (reaped->now.value[COUNTER_FAULTS] > reaped->start.value[COUNTER_FAULTS])
		unread += 2 * MACHINE_TICK_NS; /* cut off its cutime and cstime */
	return unread;
}

void reap_claim(struct accounting *accounting, const struct process *process)
{
	struct process *parent = process->reaped.by;

	assert_locked(&accounting->lock);
	if (!parent)
		return;
	note_heir(accounting, parent, process);
	reaper_note(accounting, parent);
}

void reap_await(struct process *parent, struct process *child)
{
	struct counters known;

	known_of(child, &known);
	for (enum counter i = 0; i <= COUNTER_WRITTEN; i++) {
		parent->reaped.figures.credited.value[i] += known.value[i];
		parent->reaped.zombies_known.value[i] += known.value[i];
	}
	child->reaped.by = parent;
	DL_APPEND2(parent->reaped.zombies, child, reaped.prev, reaped.next);
}

void reap_done(struct accounting *accounting, struct process *process)
{
	struct process *reaper = process->reaped.by;
	struct counters known;

	assert_locked(&accounting->lock);
	if (!reaper)
		return;
	process_unsaved(accounting, reaper);
	known_of(process, &known); /* as it was: it has ended */
	for (enum counter i = 0; i <= COUNTER_WRITTEN; i++)
		reaper->reaped.zombies_known.value[i] -= known.value[i];
	DL_DELETE2(reaper->reaped.zombies, process, reaped.prev, reaped.next);
	process->reaped.by = NULL;
}

void reap_release(struct accounting *accounting, struct process *process)
{
	struct counters known;

	assert_locked(&accounting->lock);
	if (!process->reaped.by)
		return;
	known_of(process, &known);
	for (enum counter i = 0; i <= COUNTER_WRITTEN; i++)
		process->reaped.by->reaped.figures.credited.value[i] -= known.value[i];
	reap_done(accounting, process);
}

/*
 * Zombies that it has not waited for are not in what its parent will be told of it. The
 * parent is told of them too if it had waited for them unseen, else who adopted them.
 */
static void hand_over_unreaped(struct accounting *accounting, struct process *process)
{
	struct process *parent = process->parent, *child;

	for (enum counter i = 0; i <= COUNTER_WRITTEN; i++)
		process->reaped.figures.credited.value[i] -= process->reaped.zombies_known.value[i];
	while ((child = process->reaped.zombies)) {
		reap_done(accounting, child);
		if (parent && parent->live)
			reap_await(parent, child);
		orphan_note(accounting, child, now_ns());
	}
}

void reap_credit(struct accounting *accounting, struct process *process)
{
	struct process *parent = process->parent;

	assert_locked(&accounting->lock);
	if (!parent || !parent->live)
		return;
	reap_await(parent, process);
	process->reaped.unread = unread_of(process);
	reaper_note(accounting, parent);
}

void reaper_note(struct accounting *accounting, struct process *process)
{
	process_unsaved(accounting, process);
	process->read.has_rested = false;
	if (process->live)
		LIST_ENTER(accounting->reapers, process, reaped.listed);
}

void reaper_forget(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	LIST_LEAVE(accounting->reapers, process, reaped.listed);
}

void reaper_end(struct accounting *accounting, struct process *process)
{
	assert_locked(&accounting->lock);
	reaper_forget(accounting, process);
	heirs_free(accounting, process);
	hand_over_unreaped(accounting, process);
}

bool reap_owed(const struct process *process, struct counters *owed)
{
	bool any = false;

	*owed = (struct counters){0};
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++) {
		uint64_t counted = process->reaped.figures.start.value[i] +
				   process->reaped.figures.credited.value[i] +
				   process->reaped.figures.paid.value[i] -
				   process->reaped.zombies_known.value[i];

		if (process->reaped.figures.now.value[i] <= counted)
			continue;
		owed->value[i] = process->reaped.figures.now.value[i] - counted;
		any = true;
	}
	return any;
}

/*
 * Ticks are weights of the run time that they came with: no more than it.
 * Where taskstats tells them they are known: cutime has what cputime_adjust()
 * made of them, all user for a child that no tick fell into.
 */
static void limit_ticks(const struct accounting *accounting, struct counters *owed)
{
	uint64_t run = owed->value[COUNTER_RUN];
	uint64_t ticks = owed->value[COUNTER_USER] + owed->value[COUNTER_SYSTEM];

	if (accounting->source && accounting->source->tells_ticks) {
		owed->value[COUNTER_USER] = owed->value[COUNTER_SYSTEM] = 0;
	} else if (ticks > run) {
		owed->value[COUNTER_USER] = number_scale(owed->value[COUNTER_USER], run, ticks);
		owed->value[COUNTER_SYSTEM] = run - owed->value[COUNTER_USER];
	}
}

/* The heir's part, by the number of children, and not more than they can have run; taken off *owed. */
static struct counters take_part(const struct heir *heir, unsigned children, struct counters *owed)
{
	uint64_t whole = owed->value[COUNTER_RUN], run = number_scale(whole, heir->children, children);
	struct counters part;

	if (run > heir->limit)
		run = heir->limit;
	for (enum counter i = 0; i < COUNTERS; i++) {
		part.value[i] = number_scale(owed->value[i], run, whole);
		owed->value[i] -= part.value[i];
	}
	return part;
}

void reap_settle(struct accounting *accounting, struct process *process, uint64_t at)
{
	assert_locked(&accounting->lock);
	if (at <= process->reaped.claimed_at)
		return;
	heirs_free(accounting, process);
	process->reaped.own_ended = 0;
}

void reap_pay(struct accounting *accounting, struct process *process)
{
	const struct task *leader = process_leader(process);
	unsigned children = process->reaped.own_ended;
	struct counters owed;
	struct heir *heir;

	assert_locked(&accounting->lock);
	if (!leader || !process->live || !reap_owed(process, &owed))
		return;
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		process->reaped.figures.paid.value[i] += owed.value[i];
	limit_ticks(accounting, &owed);
	LL_FOREACH(process->reaped.heirs, heir)
		children += heir->children;
	LL_FOREACH(process->reaped.heirs, heir) {
		struct counters part = take_part(heir, children, &owed);

		children -= heir->children;
		usage_count(accounting, heir->links, &part, leader->cpu);
	}
	usage_count(accounting, leader->links, &owed, leader->cpu);
	heirs_free(accounting, process);
	process->reaped.own_ended = 0;
}
