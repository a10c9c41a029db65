/* SPDX-License-Identifier: MIT */
/* Keeping what is known for the next daemon: groups and processes as bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "bytes.h"
#include "internal.h"

/* A structure that is nothing but 64-bit figures. */
#define PUT_FIGURES(out, structure) \
	put_figures((out), (const uint64_t *)(const void *)&(structure), \
		    sizeof(structure) / sizeof(uint64_t))
#define GET_FIGURES(in, structure) \
	get_figures((in), (uint64_t *)(void *)&(structure), sizeof(structure) / sizeof(uint64_t))

static void put_figures(struct text *out, const uint64_t *figures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes_put_u64(out, figures[i]);
}

static void get_figures(struct bytes *in, uint64_t *figures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		figures[i] = bytes_get_u64(in);
}

/* --- what changed --- */

void accounting_keep(struct accounting *accounting)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->keeping = true;
	pthread_mutex_unlock(&accounting->lock);
}

void process_unsaved(struct accounting *accounting, struct process *process)
{
	if (!accounting->keeping || process->is_unsaved)
		return;
	process->is_unsaved = true;
	DL_APPEND2(accounting->unsaved, process, unsaved_prev, unsaved_next);
}

static void process_saved(struct accounting *accounting, struct process *process)
{
	if (!process->is_unsaved)
		return;
	process->is_unsaved = false;
	DL_DELETE2(accounting->unsaved, process, unsaved_prev, unsaved_next);
}

void group_unsaved(struct group *group)
{
	struct accounting *accounting = group->accounting;

	if (!accounting->keeping || group->is_unsaved || !group->parent || group->retired)
		return;
	group->is_unsaved = true;
	DL_APPEND2(accounting->unsaved_groups, group, unsaved_prev, unsaved_next);
}

void group_gone(struct group *group)
{
	if (!group->is_unsaved)
		return;
	group->is_unsaved = false;
	DL_DELETE2(group->accounting->unsaved_groups, group, unsaved_prev, unsaved_next);
}

/* Remembers the number; without memory the process is found to be gone by the next daemon. */
void process_gone(struct accounting *accounting, struct process *process)
{
	process_saved(accounting, process);
	if (!accounting->keeping || !process->exported)
		return;
	if (accounting->gone_count == accounting->gone_capacity) {
		size_t capacity = accounting->gone_capacity ? 2 * accounting->gone_capacity : 64;
		pid_t *gone = reallocarray(accounting->gone, capacity, sizeof(*gone));

		if (!gone)
			return;
		accounting->gone = gone;
		accounting->gone_capacity = capacity;
	}
	accounting->gone[accounting->gone_count++] = process->tgid;
}

void export_free(struct accounting *accounting)
{
	free(accounting->gone);
	accounting->gone = NULL;
	accounting->gone_count = accounting->gone_capacity = 0;
}

bool accounting_has_changed(struct accounting *accounting)
{
	bool changed;

	pthread_mutex_lock(&accounting->lock);
	changed = accounting->unsaved || accounting->unsaved_groups || accounting->gone_count ||
		  accounting->all_unsaved;
	pthread_mutex_unlock(&accounting->lock);
	return changed;
}

/* --- groups --- */

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
	PUT_FIGURES(out, usage->peak);
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

static void get_disks(struct usage *usage, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);

	while (count-- && !in->wrong) {
		struct disk_usage disk = {.device = (uint32_t)bytes_get_u64(in)}, *own;

		GET_FIGURES(in, disk.local);
		GET_FIGURES(in, disk.total);
		own = in->wrong ? NULL : usage_of_disk(usage, disk.device);
		if (own)
			*own = disk;
	}
}

static void get_usage(struct usage *usage, unsigned nr_cpu, struct bytes *in)
{
	uint64_t count;

	GET_FIGURES(in, usage->cpu);
	GET_FIGURES(in, usage->total);
	usage->memory.pgfault = bytes_get_u64(in);
	usage->memory.pgmajfault = bytes_get_u64(in);
	usage->memory_total.pgfault = bytes_get_u64(in);
	usage->memory_total.pgmajfault = bytes_get_u64(in);
	GET_FIGURES(in, usage->peak);
	count = bytes_get_u64(in);
	for (uint64_t i = 0; i < count && !in->wrong && usage->per_cpu; i++) {
		struct cpu_time time, *cpu = &usage->per_cpu[i < nr_cpu ? i : 0];

		GET_FIGURES(in, time);
		cpu->user += time.user; /* of a CPU that is no more: the first one's */
		cpu->system += time.system;
	}
	get_disks(usage, in);
}

int accounting_import_group(struct group *group, struct bytes *in)
{
	struct accounting *accounting = group->accounting;
	struct usage *usage;
	int error = -ENOMEM;

	pthread_mutex_lock(&accounting->lock);
	group->pids_peak = (unsigned)bytes_get_u64(in);
	group->pids_over = bytes_get_u64(in);
	group->pids_hits = bytes_get_u64(in);
	group->pids_hits_below = bytes_get_u64(in);
	usage = accounting->kinds[group->hierarchy] && group->parent ? usage_get(group) : NULL;
	if (usage)
		get_usage(usage, accounting->nr_cpu, in);
	if (usage || !accounting->kinds[group->hierarchy] || !group->parent)
		error = in->wrong ? -EINVAL : 0;
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

/* --- processes --- */

enum process_flag { PROCESS_MEASURED = 1, PROCESS_MEASURED_IO = 2, PROCESS_COMPLETE = 4 };
enum task_flag { TASK_FLAG_ZOMBIE = 1, TASK_FLAG_MEASURED = 2 };

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
	const struct process *parent = process->parent ? process->parent : process->reaper;
	struct reaped reaped = process->reaped;
	const struct charge *charge;
	const struct task *task;
	unsigned count;

	/* What zombies used will be credited anew, when they are imported. */
	for (enum counter i = 0; i <= COUNTER_MAJOR_FAULTS; i++)
		reaped.credited.value[i] -= process->unreaped_known.value[i];
	bytes_put_u64(out, (uint64_t)process->tgid);
	bytes_put_u64(out, (uint64_t)(parent ? parent->tgid : process->imported_parent));
	bytes_put_u64(out, (process->measured ? PROCESS_MEASURED : 0) |
				   (process->measured_io ? PROCESS_MEASURED_IO : 0) |
				   (process->complete ? PROCESS_COMPLETE : 0));
	bytes_put_u64(out, (uint64_t)process->pgrp);
	bytes_put_u64(out, (uint64_t)process->session);
	bytes_put_u64(out, process->startstack);
	bytes_put_string(out, process->comm);
	PUT_FIGURES(out, process->seen);
	PUT_FIGURES(out, process->recorded);
	bytes_put_u64(out, process->ended_run);
	bytes_put_u64(out, process->lost_run);
	PUT_FIGURES(out, reaped);
	PUT_FIGURES(out, process->io_rest);
	PUT_FIGURES(out, process->memory);
	DL_COUNT(process->tasks, task, count);
	bytes_put_u64(out, count);
	DL_FOREACH(process->tasks, task)
		put_task(out, accounting, task, keeper);
	LL_COUNT(process->charges, charge, count);
	bytes_put_u64(out, count);
	LL_FOREACH(process->charges, charge) {
		const struct group *group = charge->group ? charge->group
							   : accounting->roots[charge->hierarchy];

		bytes_put_u64(out, group ? keeper->number(keeper->context, group) : 0);
		bytes_put_u64(out, charge->is_heirs);
		PUT_FIGURES(out, charge->held);
		PUT_FIGURES(out, charge->left);
	}
}

/* Where imported numbers lead to. */
struct finder {
	struct group *(*find)(void *context, uint64_t number);
	void *context;
};

static void get_task(struct accounting *accounting, pid_t tgid, struct bytes *in,
		     const struct finder *finder)
{
	struct task_id id = {.tgid = tgid, .tid = (pid_t)bytes_get_u64(in)};
	struct task *task = NULL;
	uint64_t flags, places;

	id.start_time = bytes_get_u64(in);
	id.forked_at = bytes_get_u64(in);
	flags = bytes_get_u64(in);
	if (!in->wrong && id.tid > 0)
		task = task_new(accounting, &id);
	if (task) {
		task->measured = flags & TASK_FLAG_MEASURED;
		task->run = bytes_get_u64(in);
		task->cpu = (unsigned)bytes_get_u64(in);
		if (flags & TASK_FLAG_ZOMBIE) {
			task->zombie = true;
			task->process->live--;
			accounting->zombies++;
		}
	} else {
		bytes_get_u64(in);
		bytes_get_u64(in);
	}
	places = bytes_get_u64(in);
	while (places-- && !in->wrong) {
		struct group *group = finder->find(finder->context, bytes_get_u64(in));

		if (task && group && !in->wrong)
			task_enter(task, group->hierarchy, group);
	}
}

static void get_charge(struct process *process, struct bytes *in, const struct finder *finder)
{
	struct group *group = finder->find(finder->context, bytes_get_u64(in));
	struct charge charge = {.is_heirs = bytes_get_u64(in)};

	GET_FIGURES(in, charge.held);
	GET_FIGURES(in, charge.left);
	if (!process || !group || in->wrong)
		return;
	charge.hierarchy = group->hierarchy;
	charge.group = group->parent ? group : NULL;
	memory_import(process, &charge);
}

static void get_process(struct process *process, struct bytes *in)
{
	struct process ignored;

	if (!process)
		process = &ignored; /* none of its tasks could be made */
	GET_FIGURES(in, process->seen);
	GET_FIGURES(in, process->recorded);
	process->ended_run = bytes_get_u64(in);
	process->lost_run = bytes_get_u64(in);
	GET_FIGURES(in, process->reaped);
	GET_FIGURES(in, process->io_rest);
	GET_FIGURES(in, process->memory);
}

int accounting_import_process(struct accounting *accounting, struct bytes *in,
			      struct group *(*find)(void *context, uint64_t number), void *context)
{
	const struct finder finder = {.find = find, .context = context};
	pid_t tgid = (pid_t)bytes_get_u64(in), parent = (pid_t)bytes_get_u64(in);
	uint64_t flags = bytes_get_u64(in), count;
	struct process head = {.pgrp = (pid_t)bytes_get_u64(in)}, *process;
	struct process *holder; /* of memory: not who has ended */
	struct bytes figures;

	head.session = (pid_t)bytes_get_u64(in);
	head.startstack = bytes_get_u64(in);
	bytes_get_string(in, head.comm, sizeof(head.comm));
	figures = *in;
	get_process(NULL, in); /* the tasks make the process: they come first */
	pthread_mutex_lock(&accounting->lock);
	count = bytes_get_u64(in);
	while (count-- && !in->wrong)
		get_task(accounting, tgid, in, &finder);
	process = process_find(accounting, tgid);
	if (process) {
		process->measured = flags & PROCESS_MEASURED;
		process->measured_io = flags & PROCESS_MEASURED_IO;
		process->complete = flags & PROCESS_COMPLETE;
		process->pgrp = head.pgrp;
		process->session = head.session;
		process->startstack = head.startstack;
		memcpy(process->comm, head.comm, sizeof(head.comm));
		get_process(process, &figures);
		process->imported_parent = parent;
	}
	holder = process && process->live ? process : NULL;
	count = bytes_get_u64(in);
	while (count-- && !in->wrong)
		get_charge(holder, in, &finder);
	pthread_mutex_unlock(&accounting->lock);
	return in->wrong ? -EINVAL : 0;
}

void accounting_import_moment(struct accounting *accounting, const struct accounting_moment *seen)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->imported_seen = *seen;
	accounting->resuming = true;
	pthread_mutex_unlock(&accounting->lock);
}

void accounting_resume(struct accounting *accounting)
{
	struct process *process;

	pthread_mutex_lock(&accounting->lock);
	for (process = accounting->processes; process; process = process->hh.next) {
		if (process->imported_parent)
			process_set_parent(accounting, process, process->imported_parent);
		process->imported_parent = 0;
		if (!process->claims)
			process_keep(accounting, process); /* for its parent's sake, or not for long */
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!accounting_is_idle(accounting))
		scan_all(accounting, &accounting->imported_seen);
	pthread_mutex_lock(&accounting->lock);
	accounting->resuming = false;
	pthread_mutex_unlock(&accounting->lock);
}

/* --- telling --- */

static int export_process(struct accounting *accounting, struct process *process,
			  const struct accounting_keeper *keeper, bool always)
{
	struct text bytes = {0};
	uint64_t hash;
	int error;

	process_saved(accounting, process);
	if (!process->exported && !process->claims && !process->parent)
		return 0; /* read for an attach that may come to nothing */
	put_process(&bytes, accounting, process, keeper);
	error = bytes.error;
	hash = bytes_hash(bytes.data, bytes.len);
	if (!error && (always || hash != process->exported))
		keeper->process(keeper->context, process->tgid, &bytes);
	process->exported = hash;
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

	pthread_mutex_lock(&accounting->lock);
	*seen = accounting->resuming ? accounting->imported_seen : accounting->seen;
	error = everything ? export_all(accounting, keeper) : export_changes(accounting, keeper);
	accounting->gone_count = 0;
	if (!error)
		accounting->all_unsaved = false;
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

void accounting_changed(struct group *group)
{
	pthread_mutex_lock(&group->accounting->lock);
	group_unsaved(group);
	pthread_mutex_unlock(&group->accounting->lock);
}
