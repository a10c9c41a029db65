/* SPDX-License-Identifier: MIT */
/* Telling what is known, for the next daemon: groups and processes as bytes. */
#include <utlist.h>

#include "../ledger/charge.h"
#include "figures.h"

void accounting_keep(struct accounting *accounting)
{
	guard(&accounting->lock);
	accounting->keeping = true;
}

bool accounting_has_changed(struct accounting *accounting)
{
	guard(&accounting->lock);
	return accounting->unsaved || accounting->unsaved_groups || accounting->gone_count ||
		  accounting->all_unsaved;
}

/* What is held is not told: charges are, and add up to it. */
static void put_group(struct text *out, const struct group *group)
{
	static const struct usage nothing;
	const struct usage *usage = group->usage ? group->usage : &nothing;
	unsigned nr_cpu = usage->per_cpu ? group->accounting->nr_cpu : 0;

	bytes_put_u64(out, group->pids_peak);
	bytes_put_u64(out, group->pids_over);
	bytes_put_u64(out, group->pids_hits);
	bytes_put_u64(out, group->pids_hits_below);
	PUT_FIGURES(out, usage->cpu);
	PUT_FIGURES(out, usage->total);
	bytes_put_u64(out, usage->memory.pgfault);
	bytes_put_u64(out, usage->memory.pgmajfault);
	bytes_put_u64(out, usage->memory_total.pgfault);
	bytes_put_u64(out, usage->memory_total.pgmajfault);
	PUT_FIGURES(out, usage->peaks);
	bytes_put_u64(out, nr_cpu);
	for (unsigned i = 0; i < nr_cpu; i++)
		PUT_FIGURES(out, usage->per_cpu[i]);
	bytes_put_u64(out, usage->disk_count);
	for (size_t i = 0; i < usage->disk_count; i++) {
		bytes_put_u64(out, usage->disks[i].device);
		PUT_FIGURES(out, usage->disks[i].local);
		PUT_FIGURES(out, usage->disks[i].total);
	}
}

static void put_task(struct text *out, const struct accounting *accounting,
		     const struct task *task, const struct accounting_keeper *keeper)
{
	unsigned places = 0;

	bytes_put_u64(out, (uint64_t)task->id.tid);
	bytes_put_u64(out, task->id.start_time);
	bytes_put_u64(out, task->id.forked_at);
	bytes_put_u64(out, (task->zombie ? TASK_FLAG_ZOMBIE : 0) |
				   (task->measured ? TASK_FLAG_MEASURED : 0));
	bytes_put_u64(out, task->run);
	bytes_put_u64(out, task->cpu);
	for (unsigned i = 0; i < accounting->hierarchies; i++)
		places += !!task->links[i].group;
	bytes_put_u64(out, places);
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (task->links[i].group)
			bytes_put_u64(out, keeper->number(keeper->context, task->links[i].group));
	}
}

static void put_process(struct text *out, const struct accounting *accounting,
			const struct process *process, const struct accounting_keeper *keeper)
{
	const struct process *parent = process->parent ? process->parent : process->reaped.by;
	struct reaped_figures reaped = process->reaped.figures;
	const struct charge *charge;
	const struct task *task;
	unsigned count;

	/* What zombies used will be credited anew, when they are imported. */
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		reaped.credited.value[i] -= process->reaped.zombies_known.value[i];
	bytes_put_u64(out, (uint64_t)process->tgid);
	bytes_put_u64(out, (uint64_t)(parent ? parent->tgid : process->unsaved.imported_parent));
	bytes_put_u64(out, (process->counted.measured ? PROCESS_MEASURED : 0) |
				   (process->io.measured ? PROCESS_MEASURED_IO : 0) |
				   (process->complete ? PROCESS_COMPLETE : 0));
	bytes_put_u64(out, (uint64_t)process->origin.pgrp);
	bytes_put_u64(out, (uint64_t)process->origin.session);
	bytes_put_u64(out, process->origin.startstack);
	bytes_put_string(out, process->origin.comm);
	PUT_FIGURES(out, process->counted.seen);
	PUT_FIGURES(out, process->counted.recorded);
	bytes_put_u64(out, process->counted.ended_run);
	bytes_put_u64(out, process->counted.lost_run);
	PUT_FIGURES(out, reaped);
	PUT_FIGURES(out, process->io.rest);
	PUT_FIGURES(out, process->memory.held);
	DL_COUNT(process->tasks, task, count);
	bytes_put_u64(out, count);
	DL_FOREACH(process->tasks, task)
		put_task(out, accounting, task, keeper);
	LL_COUNT(process->memory.charges, charge, count);
	bytes_put_u64(out, count);
	LL_FOREACH(process->memory.charges, charge) {
		const struct group *group = charge->group ? charge->group
							   : accounting->roots[charge->hierarchy];

		bytes_put_u64(out, group ? keeper->number(keeper->context, group) : 0);
		bytes_put_u64(out, charge->is_heirs);
		PUT_FIGURES(out, charge->held);
		PUT_FIGURES(out, charge->left);
	}
}

static int export_process(struct accounting *accounting, struct process *process,
			  const struct accounting_keeper *keeper, bool always)
{
	struct text bytes = {0};
	uint64_t hash;
	int error;

	process_saved(accounting, process);
	if (!process->unsaved.told && !process->claims && !process->parent)
		return 0; /* read for an attach that may come to nothing */
	put_process(&bytes, accounting, process, keeper);
	error = bytes.error;
	hash = bytes_hash(bytes.data, bytes.len);
	if (!error && (always || hash != process->unsaved.told))
		keeper->process(keeper->context, process->tgid, &bytes);
	process->unsaved.told = hash;
	text_free(&bytes);
	return error;
}

static int export_group(struct group *group, const struct accounting_keeper *keeper)
{
	struct text bytes = {0};
	int error;

	group_gone(group); /* from the list only */
	put_group(&bytes, group);
	error = bytes.error;
	if (!error)
		keeper->group(keeper->context, group, &bytes);
	text_free(&bytes);
	return error;
}

static int export_below(struct group *group, const struct accounting_keeper *keeper)
{
	struct group *child;
	int error = group->parent ? export_group(group, keeper) : 0;

	DL_FOREACH(group->children, child) {
		if (!error)
			error = export_below(child, keeper);
	}
	return error;
}

static int export_all(struct accounting *accounting, const struct accounting_keeper *keeper)
{
	struct process *process;
	int error = 0;

	for (unsigned i = 0; i < accounting->hierarchies && !error; i++) {
		if (accounting->roots[i])
			error = export_below(accounting->roots[i], keeper);
	}
	for (process = accounting->processes; process && !error; process = process->hh.next)
		error = export_process(accounting, process, keeper, true);
	return error;
}

static int export_changes(struct accounting *accounting, const struct accounting_keeper *keeper)
{
	struct process *process;
	int error = 0;

	while (accounting->unsaved_groups && !error)
		error = export_group(accounting->unsaved_groups, keeper);
	for (size_t i = 0; i < accounting->gone_count; i++)
		keeper->process(keeper->context, accounting->gone[i], NULL);
	process = accounting->all_unsaved ? accounting->processes : NULL;
	for (; process && !error; process = process->hh.next)
		error = export_process(accounting, process, keeper, false);
	while (accounting->unsaved && !error)
		error = export_process(accounting, accounting->unsaved, keeper, false);
	return error;
}

int accounting_export(struct accounting *accounting, const struct accounting_keeper *keeper,
		      bool everything, struct accounting_moment *seen)
{
	int error;

	guard(&accounting->lock);
	*seen = accounting->resuming ? accounting->imported_seen : accounting->seen;
	error = everything ? export_all(accounting, keeper) : export_changes(accounting, keeper);
	accounting->gone_count = 0;
	if (!error)
		accounting->all_unsaved = false;
	return error;
}

void accounting_changed(struct group *group)
{
	guard(&group->accounting->lock);
	group_unsaved(group);
}
