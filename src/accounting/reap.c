/*
 * What reaped children used. When a process waits for a child, the kernel
 * adds the child's whole time, scaled to its true run time, to the parent's
 * cutime and cstime (wait_task_zombie). So a parent knows what its children
 * used that came and went between two looks at them, and the last moments of
 * those that were seen. What is known of a child already is credited; the
 * rest is owed to the parent's group, where such a child was born.
 */
#include <utlist.h>

#include "internal.h"

/* All that is known of a process and, through it, of its own reaped children. */
static void known_of(const struct process *process, struct counters *known)
{
	*known = process->seen;
	known->value[COUNTER_RUN] = process->ended_run + process->lost_run;
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		known->value[i] += process->reaped.start.value[i] +
				   process->reaped.credited.value[i] +
				   process->reaped.paid.value[i];
}

void reap_credit(struct accounting *accounting, struct process *process)
{
	struct process *parent = process->parent;
	struct counters known;

	if (!parent)
		return;
	known_of(process, &known);
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		parent->reaped.credited.value[i] += known.value[i];
	reaper_note(accounting, parent);
}

void reaper_note(struct accounting *accounting, struct process *process)
{
	if (process->is_reaper || !process->live)
		return;
	process->is_reaper = true;
	DL_APPEND2(accounting->reapers, process, reaper_prev, reaper_next);
}

void reaper_forget(struct accounting *accounting, struct process *process)
{
	if (!process->is_reaper)
		return;
	process->is_reaper = false;
	DL_DELETE2(accounting->reapers, process, reaper_prev, reaper_next);
}

bool reap_owed(const struct process *process, struct counters *owed)
{
	bool any = false;

	*owed = (struct counters){0};
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++) {
		uint64_t counted = process->reaped.start.value[i] +
				   process->reaped.credited.value[i] +
				   process->reaped.paid.value[i];

		if (process->reaped.now.value[i] <= counted)
			continue;
		owed->value[i] = process->reaped.now.value[i] - counted;
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
		owed->value[COUNTER_USER] =
			(uint64_t)((__uint128_t)owed->value[COUNTER_USER] * run / ticks);
		owed->value[COUNTER_SYSTEM] = run - owed->value[COUNTER_USER];
	}
}

void reap_pay(struct accounting *accounting, struct process *process)
{
	const struct task *leader = process_leader(process);
	struct counters owed;

	if (!leader || !reap_owed(process, &owed))
		return;
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		process->reaped.paid.value[i] += owed.value[i];
	limit_ticks(accounting, &owed);
	usage_count(accounting, leader->links, &owed, leader->cpu);
}
