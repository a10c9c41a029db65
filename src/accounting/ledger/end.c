/* SPDX-License-Identifier: MIT */
/* The end of a task and of its process: what was not counted yet is, and who has no reason to stay goes. */
#include "count.h"
#include "log.h"

/* What a task may have run after its figures at exit were taken, and since the tick before: ns. */
#define EXIT_GRACE 10000000u

static void count_end(struct accounting *accounting, struct task *task,
		      const struct counters *final)
{
	struct process *process = task->process;
	uint64_t explained = task->run ? 0 : process->counted.lost_run; /* most likely it was this one's */
	struct counters delta = {0};

	if (final && !task->measured) {
		task->run = final->value[COUNTER_RUN]; /* its life before it was a member */
		process->counted.measured = false;
	}
	if (!final) {
		process->counted.ended_run += task->run;
		task->run = 0;
		return;
	}
	process->read.at[0] = now_ns() - EXIT_GRACE; /* all but its last moments is known */
	for (enum counter i = COUNTER_USER; i < COUNTERS; i++)
		process->counted.recorded.value[i] += final->value[i];
	if (process->counted.measured)
		delta = counters_grow(&process->counted.seen, &process->counted.recorded);
	if (final->value[COUNTER_RUN] > task->run)
		count_run(accounting, task, final->value[COUNTER_RUN], &delta,
			  final->value[COUNTER_RUN] - task->run, &explained);
	process->counted.ended_run += task->run;
	task->run = 0;
	delta.value[COUNTER_USER] = delta.value[COUNTER_SYSTEM] = 0; /* went with the run time */
	io_count_requests(accounting, process, &delta);
	usage_count(accounting, process_leader(process)->links, &delta, task->cpu);
}

/*
 * Its children are orphans where exits are told of in their order. Else a child
 * may have ended before it, unseen yet, and is in what it gives to its parent:
 * the child is the grandparent's until it is seen to have another parent.
 */
static void leave_children(struct accounting *accounting, struct process *process,
			   struct process *parent)
{
	bool is_ordered = accounting_tells_exits(accounting);

	while (process->children) {
		struct process *child = process->children;

		family_leave(child);
		if (parent && parent->live && !is_ordered)
			child_add(parent, child);
		orphan_note(accounting, child, now_ns());
		process_forget_unwanted(accounting, child);
	}
}

static void process_end(struct accounting *accounting, struct process *process)
{
	struct process *parent = process->parent;

	memory_release(accounting, process);
	reaper_end(accounting, process);
	reap_credit(accounting, process);
	if (parent)
		/* who reaps it has it in its own figures */
		parent->io.written_here += process->io.written_here;
	family_leave(process);
	leave_children(accounting, process, parent);
}

void task_end(struct accounting *accounting, struct task *task, const struct counters *final)
{
	assert_locked(&accounting->lock);
	if (task->zombie)
		return;
	log_debug("accounting: task %d of process %d has ended", task->id.tid, task->id.tgid);
	process_unsaved(accounting, task->process);
	count_end(accounting, task, final);
	task_become_zombie(accounting, task);
	if (task->process->live)
		reaper_note(accounting, task->process); /* its files know what the thread used at last */
	else
		process_end(accounting, task->process);
}

void task_free(struct accounting *accounting, struct task *task)
{
	struct process *process = task->process;

	task_end(accounting, task, NULL);
	process_unsaved(accounting, process);
	if (process->tasks == task && !task->next)
		reap_claim(accounting, process);
	task_leave_all(accounting, task);
	task_remove(accounting, task);
	if (process->tasks)
		return;
	reap_done(accounting, process);
	process_remove(accounting, process);
}

void process_forget_unwanted(struct accounting *accounting, struct process *process)
{
	struct task *task, *next;

	assert_locked(&accounting->lock);
	if (process->claims)
		process_unkeep(accounting, process);
	else
		process->complete = false; /* who it forks now is not followed */
	if (process_is_wanted(process))
		return;
	for (task = process->tasks; task; task = next) {
		next = task->next; /* with the last one the process goes */
		task_free(accounting, task);
	}
}

#define GRACE 10000000000u /* ns: from a settling to its attach */

void processes_forget_kept(struct accounting *accounting)
{
	uint64_t now = now_ns();

	assert_locked(&accounting->lock);
	while (accounting->kept && now - accounting->kept->kept.at > GRACE) {
		struct process *process = accounting->kept;

		process_unkeep(accounting, process);
		process_forget_unwanted(accounting, process);
	}
}
