/* SPDX-License-Identifier: MIT */
/* A model of tasks and groups on a fake machine: what they are and what they used. */
#ifndef MODEL_H
#define MODEL_H

#include "fixture.h"

#include "fake_accounting.h"

#define HIERARCHIES 2
#define GROUPS 12 /* of a hierarchy; 0 is the root */
#define TASKS 40

struct model_task {
	struct fake_task fake;
	bool used;
	int group[HIERARCHIES];
	uint64_t counted; /* of fake.run: what a reading has surely seen */
};

struct model_group {
	struct group group;
	bool used;
	int parent;
	uint64_t run, certain; /* ns here and below: all that was run, and what must have been counted */
	uint64_t shown; /* that accounting told last */
};

struct world {
	struct fake_machine fake;
	struct machine *machine;
	struct accounting *accounting;
	bool events; /* told, with figures at exit; else found */
	struct source teller;
	pid_t last_pid;
	uint64_t clock; /* ticks */
	struct model_task tasks[TASKS];
	struct model_group groups[HIERARCHIES][GROUPS];
	unsigned seed;
};

static inline unsigned dice(struct world *world, unsigned sides)
{
	return (unsigned)rand_r(&world->seed) % sides;
}

/* --- the model's tasks and their files --- */

static inline struct model_task *leader_of(struct world *world, const struct model_task *task)
{
	for (int i = 0; i < TASKS; i++) {
		if (world->tasks[i].used && world->tasks[i].fake.tid == task->fake.tgid)
			return &world->tasks[i];
	}
	return NULL;
}

static inline struct model_task *find_task(struct world *world, pid_t tid)
{
	for (int i = 0; i < TASKS; i++) {
		if (world->tasks[i].used && world->tasks[i].fake.tid == tid)
			return &world->tasks[i];
	}
	return NULL;
}

static inline unsigned live_threads(struct world *world, pid_t tgid)
{
	unsigned count = 0;

	for (int i = 0; i < TASKS; i++)
		count += world->tasks[i].used && world->tasks[i].fake.tgid == tgid &&
			 !world->tasks[i].fake.zombie;
	return count;
}

static inline void put_process(struct world *world, pid_t tgid)
{
	struct model_task *leader = find_task(world, tgid);
	uint64_t run = leader->fake.ended_run;

	for (int i = 0; i < TASKS; i++) {
		const struct model_task *task = &world->tasks[i];

		if (!task->used || task->fake.tgid != tgid)
			continue;
		run += task->fake.run;
		fake_put_thread(&world->fake, &task->fake);
		if (task != leader)
			fake_put_status(&world->fake, &task->fake, 1);
	}
	/* A leader that has exited is counted as long as there are threads. */
	fake_put_process(&world->fake, &leader->fake, run,
			 live_threads(world, tgid) + leader->fake.zombie);
}

/* The children of every process: all are its leader's here. */
static inline void put_children(struct world *world)
{
	for (int i = 0; i < TASKS; i++) {
		const struct model_task *parent = &world->tasks[i];
		char text[1024] = "";

		if (!parent->used || parent->fake.tid != parent->fake.tgid)
			continue;
		for (int j = 0; j < TASKS; j++) {
			const struct model_task *child = &world->tasks[j];

			if (child->used && child->fake.ppid == parent->fake.tid &&
			    child->fake.tid == child->fake.tgid)
				snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ",
					 child->fake.tid);
		}
		fake_put_children(&world->fake, parent->fake.tid, text);
	}
}

static inline void put_last_pid(struct world *world)
{
	char text[64];

	snprintf(text, sizeof(text), "0.00 0.00 0.00 1/1 %d\n", world->last_pid);
	fake_put(&world->fake, "proc/loadavg", text);
}

static inline struct model_task *new_task(struct world *world, pid_t tgid, pid_t ppid)
{
	for (int i = 0; i < TASKS; i++) {
		struct model_task *task = &world->tasks[i];

		if (task->used)
			continue;
		*task = (struct model_task){.used = true};
		/* Numbers come round quickly, so that they are reused. */
		do
			world->last_pid = world->last_pid >= 160 ? 2 : world->last_pid + 1;
		while (find_task(world, world->last_pid) && find_task(world, world->last_pid) != task);
		task->fake.tid = world->last_pid;
		task->fake.tgid = tgid ? tgid : task->fake.tid;
		task->fake.ppid = ppid;
		task->fake.start = ++world->clock;
		return task;
	}
	return NULL;
}

static inline struct task_id id_of(const struct model_task *task)
{
	return (struct task_id){.tid = task->fake.tid,
				.tgid = task->fake.tgid,
				.start_time = task->fake.start};
}

/* Any live task; a process alone when `leader`. */
static inline struct model_task *any_task(struct world *world, bool leader)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		struct model_task *task = &world->tasks[dice(world, TASKS)];

		if (task->used && !task->fake.zombie &&
		    (!leader || task->fake.tid == task->fake.tgid))
			return task;
	}
	return NULL;
}

/* Files are read anew only after a while: as if it had passed. */
static inline void let_time_pass(struct world *world)
{
	pthread_mutex_lock(&world->accounting->lock);
	fake_let_time_pass(world->accounting);
	for (int h = 0; h < HIERARCHIES; h++) {
		for (int g = 0; g < GROUPS; g++) {
			struct usage *usage = world->groups[h][g].group.usage;

			if (world->groups[h][g].used && usage)
				memset(usage->read_at, 0, sizeof(usage->read_at));
		}
	}
	pthread_mutex_unlock(&world->accounting->lock);
}

#endif
