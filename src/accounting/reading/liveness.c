/* SPDX-License-Identifier: MIT */
/* Who of the known tasks still lives. */
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include "machine_patient.h"
#include "reading.h"

bool error_is_gone(int error)
{
	return error == -ESRCH || error == -ENOENT;
}

static enum liveness task_look(const struct machine *machine, const struct task_id *id,
			       struct machine_task_stat *stat)
{
	int error;

	if (machine_task_is_gone(machine, id->tgid, id->tid))
		return TASK_GONE;
	error = machine_task_stat(machine, id->tgid, id->tid, stat);
	if (error)
		return error_is_gone(error) ? TASK_GONE : TASK_UNKNOWN;
	if (!id_started(id, stat->starttime))
		return TASK_GONE;
	return stat->state == 'Z' || stat->state == 'X' ? TASK_ZOMBIE : TASK_LIVES;
}

int task_read_final(const struct machine *machine, const struct task_id *id,
		    struct counters *final)
{
	struct machine_task_schedstat sched;
	struct machine_task_stat stat;
	struct machine_task_io io = {0};
	int error = machine_task_stat(machine, id->tgid, id->tid, &stat);

	if (error || !id_started(id, stat.starttime))
		return error ? error : -ESRCH;
	*final = counters_of_stat(&stat);
	error = machine_task_schedstat(machine, id->tgid, id->tid, &sched);
	if (!error)
		final->value[COUNTER_RUN] = sched.run_ns;
	else if (!error_is_gone(error))
		return error;
	if (!machine_task_io(machine, id->tgid, id->tid, &io)) { /* not everybody's may be read */
		final->value[COUNTER_READ] = io.read_bytes;
		final->value[COUNTER_WRITTEN] = io.write_bytes;
	}
	return 0;
}

int task_read_marks(const struct machine *machine, const struct task_id *id,
		    const struct machine_task_stat *stat, struct task_marks *marks)
{
	struct machine_task_schedstat sched = {0};
	int error = machine_task_schedstat(machine, id->tgid, id->tid, &sched);

	*marks = (struct task_marks){.faults = stat->minflt + stat->majflt, .waited = sched.wait_ns};
	return error == -ENOENT ? 0 : error; /* gVisor has no such file */
}

/* What is to be known of a task, asked of it by a thread that may be lost. */
struct look {
	struct patient_head head;
	bool is_live; /* in: not known to have exited */
	bool is_threaded; /* in: others of its process are known */
	struct task_id id;
	uint64_t at; /* ns: when it was looked at */
	enum liveness liveness;
	struct machine_task_stat stat; /* unless it is gone */
	struct task_marks marks; /* of one that lives, and is_threaded */
	bool has_final;
	struct counters final;
};

static void ask_look(const struct machine *machine, void *question)
{
	struct look *look = question;
	int error;

	look->at = now_ns();
	look->liveness = task_look(machine, &look->id, &look->stat);
	if (look->liveness == TASK_LIVES && look->is_threaded &&
	    task_read_marks(machine, &look->id, &look->stat, &look->marks))
		look->liveness = TASK_UNKNOWN;
	if (look->liveness != TASK_ZOMBIE || !look->is_live)
		return;
	error = task_read_final(machine, &look->id, &look->final);
	look->has_final = !error;
	if (error && !error_is_gone(error))
		look->liveness = TASK_UNKNOWN; /* it ends once that is known */
}

static struct look *look_at_all(struct accounting *accounting, const struct task_list *list)
{
	static const struct patient_kind kind = {.size = sizeof(struct look), .ask = ask_look};
	struct look *looks = list->count ? calloc(list->count, sizeof(*looks)) : NULL;

	if (!looks)
		return NULL; /* no memory: all are as they were */
	pthread_mutex_lock(&accounting->lock);
	for (size_t i = 0; i < list->count; i++) {
		const struct task *task = task_find(accounting, list->tasks[i].tid);

		looks[i] = (struct look){.head.pid = list->tasks[i].tgid,
					 .is_live = task && !task->zombie,
					 .is_threaded = task && task->process->tasks->next,
					 .id = list->tasks[i],
					 .liveness = TASK_UNKNOWN};
	}
	pthread_mutex_unlock(&accounting->lock);
	patient_ask(accounting->machine, &kind, looks, list->count);
	for (size_t i = 0; i < list->count; i++) {
		/* one that does not answer is gone, or nobody has waited for it yet */
		if (looks[i].head.answered ||
		    machine_task_exists(accounting->machine, looks[i].id.tgid, looks[i].id.tid))
			continue;
		looks[i].liveness = TASK_GONE;
		looks[i].at = now_ns();
	}
	return looks;
}

bool task_may_forget(const struct accounting *accounting, struct task *task)
{
	assert_locked(&accounting->lock);
	if (!accounting_tells_exits(accounting) || task->zombie)
		return true;
	if (!task->gone_at)
		task->gone_at = now_ns();
	return accounting->told_at > task->gone_at;
}

void exec_look(struct accounting *accounting, pid_t tgid)
{
	const struct task_id leader = {.tid = tgid, .tgid = tgid};
	struct machine_task_stat stat;
	struct task_marks marks;

	if (accounting_tells_exits(accounting) ||
	    task_look(accounting->machine, &leader, &stat) != TASK_LIVES ||
	    task_read_marks(accounting->machine, &leader, &stat, &marks))
		return;
	guard(&accounting->lock);
	task_exec_seen(accounting, tgid, &marks);
}

/*
 * Marks one that is known to have changed, or to have been adopted. One that lives on after its exit
 * was told is on its way to be a zombie: do_exit() tells perf and taskstats before exit_notify().
 * Under the lock.
 */
static void note_look(struct accounting *accounting, const struct look *look, bool heals)
{
	const struct task_id *id = &look->id;
	bool is_marked = look->liveness == TASK_LIVES && look->is_threaded &&
			 !accounting_tells_exits(accounting);
	struct task *task;

	if (look->liveness == TASK_UNKNOWN)
		return;
	if (is_marked && id->tid == id->tgid)
		task_exec_seen(accounting, id->tgid, &look->marks);
	task = task_known(accounting, id);
	if (!task)
		return;
	if (look->liveness != TASK_GONE && id->tid == id->tgid &&
	    look->at >= task->process->orphan.adopted_at)
		process_set_parent(accounting, task->process, look->stat.ppid);
	if (is_marked)
		task->marks = look->marks;
	if (look->liveness == TASK_ZOMBIE)
		task_end(accounting, task, look->has_final ? &look->final : NULL);
	else if (look->liveness == TASK_GONE && (heals || task_may_forget(accounting, task)))
		task_free(accounting, task);
}

/* An orphan whose adopter is told now, as far as it ever will be. */
static void note_orphan(struct accounting *accounting, const struct look *look)
{
	struct process *process = process_find(accounting, look->id.tgid);
	const struct task *leader = process ? process_leader(process) : NULL;

	if (leader && leader->id.tid == look->id.tid && look->liveness != TASK_UNKNOWN &&
	    look->at >= process->orphan.adopted_at)
		orphan_forget(accounting, process);
}

/* How many of them were told of. */
static size_t refresh_each(struct accounting *accounting, const struct task_list *list, bool heals)
{
	struct look *looks = look_at_all(accounting, list);
	size_t told = 0;

	if (!looks)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		if (looks[i].liveness == TASK_GONE && looks[i].id.tid != looks[i].id.tgid)
			exec_look(accounting, looks[i].id.tgid);
	}
	pthread_mutex_lock(&accounting->lock);
	for (size_t i = 0; i < list->count; i++)
		note_orphan(accounting, &looks[i]); /* first: it may become one again */
	for (size_t i = 0; i < list->count; i++) {
		told += looks[i].liveness != TASK_UNKNOWN;
		note_look(accounting, &looks[i], heals);
	}
	pthread_mutex_unlock(&accounting->lock);
	free(looks);
	return told;
}

static void list_orphans(struct accounting *accounting, struct task_list *list)
{
	struct process *process, *next;

	guard(&accounting->lock);
	DL_FOREACH_SAFE2(accounting->orphans, process, next, orphan.listed.next) {
		if (process_leader(process))
			list_add(list, &process_leader(process)->id);
		else
			orphan_forget(accounting, process);
	}
}

void orphans_refresh(struct accounting *accounting)
{
	size_t told;

	do {
		struct task_list list = {0};

		list_orphans(accounting, &list); /* those that it has no room for are looked at later */
		/* those that had ended leave orphans in turn */
		told = refresh_each(accounting, &list, false);
		free(list.tasks);
	} while (told);
}

void tasks_refresh(struct accounting *accounting, const struct task_list *list)
{
	refresh_each(accounting, list, false);
	orphans_refresh(accounting);
}

void tasks_heal(struct accounting *accounting, const struct task_list *list)
{
	refresh_each(accounting, list, true);
	orphans_refresh(accounting);
}

#define ZOMBIES_MANY 128

void zombies_refresh(struct accounting *accounting)
{
	struct task_list list = {0};
	struct task *task;

	pthread_mutex_lock(&accounting->lock);
	if (accounting->zombies > ZOMBIES_MANY + 2 * accounting->zombies_kept) {
		for (task = accounting->tasks; task; task = task->hh.next) {
			if (task->zombie)
				list_add(&list, &task->id);
		}
	}
	pthread_mutex_unlock(&accounting->lock);
	if (!list.count)
		return;
	tasks_refresh(accounting, &list);
	free(list.tasks);
	pthread_mutex_lock(&accounting->lock);
	accounting->zombies_kept = accounting->zombies;
	pthread_mutex_unlock(&accounting->lock);
}
