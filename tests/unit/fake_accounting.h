/* SPDX-License-Identifier: MIT */
/* Accounting of a fake machine's tasks. */
#ifndef FAKE_ACCOUNTING_H
#define FAKE_ACCOUNTING_H

#include "fake_tasks.h"
#include "../../src/accounting/sources/sources.h"

/* Of an empty machine; *machine is to be closed after it is freed. */
static inline struct accounting *fake_accounting_new(struct fake_machine *fake,
						     struct machine **machine)
{
	fake_open(fake);
	fake_put(fake, "proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n");
	*machine = machine_open(fake->root);
	return accounting_new(*machine);
}

static inline void fake_accounting_free(struct accounting *accounting, struct machine *machine,
					struct fake_machine *fake)
{
	accounting_free(accounting);
	machine_close(machine);
	fake_close(fake);
}

static inline struct task_id fake_id(const struct fake_task *task)
{
	return (struct task_id){.tid = task->tid, .tgid = task->tgid, .start_time = task->start};
}

/* The process with this number in the table. */
static inline struct process *fake_process(struct accounting *accounting, pid_t tgid)
{
	struct process *process;

	pthread_mutex_lock(&accounting->lock);
	process = process_find(accounting, tgid);
	pthread_mutex_unlock(&accounting->lock);
	assert_non_null(process);
	return process;
}

static inline void fake_move(struct accounting *accounting, const struct fake_task *task,
			     struct group *group)
{
	struct task_id id = fake_id(task);

	assert_int_equal(accounting_settle(accounting, &id, 1), 0);
	assert_int_equal(accounting_move(group, &id, 1), 0);
}

/* As if enough time had passed for every process to be read anew. */
static inline void fake_let_time_pass(struct accounting *accounting)
{
	struct process *process;

	for (process = accounting->processes; process; process = process->hh.next) {
		memset(process->read.at, 0, sizeof(process->read.at));
		process->read.run_at = 0;
	}
}

/* Every process is read anew. */
static inline void fake_measure_all(struct accounting *accounting, unsigned kinds)
{
	uint64_t round = 0;
	bool ran;

	fake_let_time_pass(accounting);
	while (!round)
		assert_int_equal(accounting_measure_next(accounting, kinds, &round, &ran), 0);
}

#endif
