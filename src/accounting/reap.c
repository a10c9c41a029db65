/*
 * What reaped children used. When a process waits for a child, the kernel
 * adds the child's whole time, scaled to its true run time, to the parent's
 * cutime and cstime (wait_task_zombie). So a parent knows what its children
 * used that came and went between two looks at them, and the last moments of
 * those that were seen. What is known of a child already is credited; the
 * rest is owed to the parent's group, where such a child was born.
 */
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

void reap_credit(struct process *process)
{
	struct process *parent = process->parent;
	struct counters known;

	if (!parent)
		return;
	known_of(process, &known);
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		parent->reaped.credited.value[i] += known.value[i];
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

/* Ticks are weights of the run time that they came with: no more than it. */
static void limit_ticks(struct counters *owed)
{
	uint64_t run = owed->value[COUNTER_RUN];
	uint64_t ticks = owed->value[COUNTER_USER] + owed->value[COUNTER_SYSTEM];

	if (ticks <= run)
		return;
	owed->value[COUNTER_USER] =
		(uint64_t)((__uint128_t)owed->value[COUNTER_USER] * run / ticks);
	owed->value[COUNTER_SYSTEM] = run - owed->value[COUNTER_USER];
}

void reap_pay(struct accounting *accounting, struct process *process)
{
	const struct task *leader = process_leader(process);
	struct counters owed;

	if (!leader || !reap_owed(process, &owed))
		return;
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		process->reaped.paid.value[i] += owed.value[i];
	limit_ticks(&owed);
	usage_count(accounting, leader->links, &owed, leader->cpu);
}
