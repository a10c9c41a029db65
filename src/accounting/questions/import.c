/* SPDX-License-Identifier: MIT */
/* Taking in what the daemon before told. */
#include <errno.h>
#include <string.h>

#include "../ledger/charge.h"
#include "figures.h"

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
	GET_FIGURES(in, usage->peaks);
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

	guard(&accounting->lock);
	group->pids_peak = (unsigned)bytes_get_u64(in);
	group->pids_over = bytes_get_u64(in);
	group->pids_hits = bytes_get_u64(in);
	group->pids_hits_below = bytes_get_u64(in);
	usage = accounting->kinds[group->hierarchy] && group->parent ? usage_get(group) : NULL;
	if (usage)
		get_usage(usage, accounting->nr_cpu, in);
	if (usage || !accounting->kinds[group->hierarchy] || !group->parent)
		error = in->wrong ? -EINVAL : 0;
	return error;
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
	GET_FIGURES(in, process->counted.seen);
	GET_FIGURES(in, process->counted.recorded);
	process->counted.ended_run = bytes_get_u64(in);
	process->counted.lost_run = bytes_get_u64(in);
	GET_FIGURES(in, process->reaped.figures);
	GET_FIGURES(in, process->io.rest);
	GET_FIGURES(in, process->memory.held);
}

int accounting_import_process(struct accounting *accounting, struct bytes *in,
			      struct group *(*find)(void *context, uint64_t number), void *context)
{
	const struct finder finder = {.find = find, .context = context};
	pid_t tgid = (pid_t)bytes_get_u64(in), parent = (pid_t)bytes_get_u64(in);
	uint64_t flags = bytes_get_u64(in), count;
	struct process head = {.origin.pgrp = (pid_t)bytes_get_u64(in)}, *process;
	struct process *holder; /* of memory: not who has ended */
	struct bytes figures;

	head.origin.session = (pid_t)bytes_get_u64(in);
	head.origin.startstack = bytes_get_u64(in);
	bytes_get_string(in, head.origin.comm, sizeof(head.origin.comm));
	figures = *in;
	get_process(NULL, in); /* the tasks make the process: they come first */
	guard(&accounting->lock);
	count = bytes_get_u64(in);
	while (count-- && !in->wrong)
		get_task(accounting, tgid, in, &finder);
	process = process_find(accounting, tgid);
	if (process) {
		process->counted.measured = flags & PROCESS_MEASURED;
		process->io.measured = flags & PROCESS_MEASURED_IO;
		process->complete = flags & PROCESS_COMPLETE;
		process->origin.pgrp = head.origin.pgrp;
		process->origin.session = head.origin.session;
		process->origin.startstack = head.origin.startstack;
		memcpy(process->origin.comm, head.origin.comm, sizeof(head.origin.comm));
		get_process(process, &figures);
		process->unsaved.imported_parent = parent;
	}
	holder = process && process->live ? process : NULL;
	count = bytes_get_u64(in);
	while (count-- && !in->wrong)
		get_charge(holder, in, &finder);
	return in->wrong ? -EINVAL : 0;
}

void accounting_import_moment(struct accounting *accounting, const struct accounting_moment *seen)
{
	guard(&accounting->lock);
	accounting->imported_seen = *seen;
	accounting->resuming = true;
}

void accounting_resume(struct accounting *accounting)
{
	struct process *process;

	pthread_mutex_lock(&accounting->lock);
	for (process = accounting->processes; process; process = process->hh.next) {
		if (process->unsaved.imported_parent)
			process_set_parent(accounting, process, process->unsaved.imported_parent);
		process->unsaved.imported_parent = 0;
		if (!process->claims)
			/* for its parent's sake, or not for long */
			process_keep(accounting, process, now_ns());
	}
	/* Until the scan has seen them all, nothing later is: if it fails the next scan begins here, too. */
	if (accounting->resuming)
		accounting->seen = accounting->imported_seen;
	pthread_mutex_unlock(&accounting->lock);
	if (!accounting_is_idle(accounting))
		scan_all(accounting, &accounting->imported_seen);
	pthread_mutex_lock(&accounting->lock);
	accounting->resuming = false;
	pthread_mutex_unlock(&accounting->lock);
}
