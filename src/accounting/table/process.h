/* SPDX-License-Identifier: MIT */
/* Tasks and processes: what is kept of each, and the lists that they are in. No /proc, no clock. */
#ifndef ACCOUNTING_PROCESS_H
#define ACCOUNTING_PROCESS_H

#include "hash.h"
#include "parts.h"

/* A task's place in one hierarchy. The group is NULL for the root: roots list nobody. */
struct task_link {
	struct task *task;
	struct group *group;
	struct task_link *prev, *next; /* utlist: group->tasks or group->zombies */
};

/* What only grows of a task: who has less, but its number, is another thread that has exec'd. */
struct task_marks {
	uint64_t faults; /* minor and major */
	uint64_t waited; /* ns, for a processor; 0 where the kernel does not tell */
};

/* A thread of a process that has a thread in some group other than the roots. */
struct task {
	struct task_id id; /* start_time 0: not known yet */
	struct process *process;
	struct task *prev, *next; /* process->tasks */
	bool zombie; /* has exited: nobody's member, but a pid still */
	char *left_path; /* of its group, which ended (group_leave_path()); NULL: it lives */
	uint64_t gone_at; /* ns: when /proc first had it no more, though its exit was not told; 0: it has */
	bool measured; /* run is known; else the first reading is where counting starts */
	uint64_t run; /* ns, as read last; counted already */
	unsigned cpu; /* it was seen on last */
	struct task_marks marks; /* as seen last */
	UT_hash_handle hh; /* accounting->tasks, by id.tid */
	struct task_link links[]; /* accounting->hierarchies */
};

struct process {
	pid_t tgid;
	struct task *tasks;
	unsigned live; /* of its tasks */
	unsigned claims; /* links of its tasks to groups */
	bool complete; /* all its threads and children that matter are in the table */
	struct process *parent, *children, *prev, *next; /* as far as they are in the table */
	struct orphan orphan;
	struct keeping kept;
	struct unsaved unsaved;
	struct counted counted;
	struct io_account io;
	struct reaped reaped;
	struct memory_account memory;
	struct sharing sharing;
	struct high_water high_water;
	struct read_state read;
	struct origin origin;
	UT_hash_handle hh; /* accounting->processes, by tgid */
};

/* --- task.c; all under the lock --- */

/* NULL when no group claims its process. */
struct task *task_find(struct accounting *accounting, pid_t tid);

/* A new task, in the root of every hierarchy; nobody has the number. NULL: no memory. */
struct task *task_add(struct accounting *accounting, const struct task_id *id);
/* Takes it out of the table: a zombie that is gone. Its process stays, if without tasks. */
void task_remove(struct accounting *accounting, struct task *task);

/* A task that has the number and started then is this one: nobody who has it later. */
bool id_started(const struct task_id *id, uint64_t start_time);
/* The one that has the number, and is the same as far as its start time is known; or NULL. */
struct task *task_known(struct accounting *accounting, const struct task_id *id);
/* The same task as `id` names, as far as its start time is known. */
bool task_is(const struct task *task, const struct task_id *id);
/* Whether it is in any group. */
bool task_is_claimed(const struct accounting *accounting, const struct task *task);

/* Adds to a list; after an error nothing more. */
void list_add(struct task_list *list, const struct task_id *id);
/* The same for all of group->tasks or group->zombies. */
void list_links(const struct task_link *links, struct task_list *list);

/* --- process.c; all under the lock; `now` as now_ns() --- */

struct process *process_find(struct accounting *accounting, pid_t tgid);
/* The same, made where there is none. NULL: no memory. */
struct process *process_get(struct accounting *accounting, pid_t tgid);
/* Takes it out of the table: it has no task any more. */
void process_remove(struct accounting *accounting, struct process *process);
/* The leader, or who stands for it when it is gone. */
struct task *process_leader(const struct process *process);

/* It is about to enter a group: stays for a while though none has it. */
void process_keep(struct accounting *accounting, struct process *process, uint64_t now);
/* No more, or not for that. */
void process_unkeep(struct accounting *accounting, struct process *process);
/*
 * A group has a thread of it, or it will; or its parent is in a group: what a
 * child uses elsewhere must be told from what the parent's other children use.
 */
bool process_is_wanted(const struct process *process);

void child_add(struct process *parent, struct process *child);
void child_remove(struct process *child);
/* Its parent ended: tasks_refresh() will tell whose child it is, live or a zombie. */
void orphan_note(struct accounting *accounting, struct process *process, uint64_t now);
void orphan_forget(struct accounting *accounting, struct process *process);

#endif
