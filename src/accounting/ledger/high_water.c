/* SPDX-License-Identifier: MIT */
/* Peaks that nobody saw: the kernel keeps the highest number of resident pages of each process. */
#include "ledger.h"

static void raise_peaks(struct accounting *accounting, const struct process *process, uint64_t more)
{
	const struct task *leader = process_leader(process);

	for (unsigned i = 0; leader && i < accounting->hierarchies; i++) {
		struct group *group = accounting->kinds[i] & USAGE_MEMORY ? leader->links[i].group : NULL;

		for (; group && group->parent; group = group->parent) {
			struct usage *usage = usage_get(group);

			if (usage)
				memory_raise_peaks(usage, more);
		}
	}
}

static void tell(struct accounting *accounting, struct process *process, uint64_t high)
{
	struct high_water *water = &process->high_water;

	if (water->known && high > water->told && high > water->resident)
		raise_peaks(accounting, process, high - water->resident);
	if (!water->known || high > water->told)
		water->told = high;
	water->known = true;
}

void high_water_note(struct accounting *accounting, struct process *process, uint64_t high,
		     uint64_t resident)
{
	assert_locked(&accounting->lock);
	process->high_water.resident = resident;
	tell(accounting, process, high);
}

void high_water_end(struct accounting *accounting, struct process *process, uint64_t high)
{
	assert_locked(&accounting->lock);
	if (process->high_water.known)
		tell(accounting, process, high);
}

void high_water_fork(struct process *process, const struct process *parent)
{
	process->high_water = parent->high_water;
}

void high_water_exec(struct process *process)
{
	process->high_water = (struct high_water){.known = true};
}
