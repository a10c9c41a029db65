/* What the files of accounting share among themselves. */
#ifndef ACCOUNTING_INTERNAL_H
#define ACCOUNTING_INTERNAL_H

#include <pthread.h>

#include <uthash.h>

#include "accounting.h"
#include "machine.h"
#include "machine_task.h"

struct process;

/* A task's place in one hierarchy. The group is NULL for the root: roots list nobody. */
struct task_link {
	struct task *task;
	struct group *group;
	struct task_link *prev, *next; /* utlist: group->tasks or group->zombies */
};

/* A thread that is or was in some group other than the roots. */
struct task {
	struct task_id id; /* start_time 0: not known yet */
	struct process *process;
	struct task *prev, *next; /* process->tasks */
	bool zombie; /* has exited: nobody's member, but a pid still */
	UT_hash_handle hh; /* accounting->tasks, by id.tid */
	struct task_link links[]; /* accounting->hierarchies */
};

struct process {
	pid_t tgid;
	struct task *tasks;
	UT_hash_handle hh; /* accounting->processes, by tgid */
};

struct accounting {
	const struct machine *machine;
	/* Protects everything below and every group. Never held while /proc is read. */
	pthread_mutex_t lock;
	unsigned hierarchies; /* highest number in use + 1 */
	unsigned kinds[ACCOUNTING_MAX_HIERARCHIES]; /* enum usage_kind */
	struct group *roots[ACCOUNTING_MAX_HIERARCHIES];
	struct task *tasks; /* uthash by tid */
	struct process *processes; /* uthash by tgid */
};

/* --- membership.c; all under the lock --- */

/* NULL when no group claims it. */
struct task *task_find(struct accounting *accounting, pid_t tid);

/* A new task, in the root of every hierarchy; NULL: no memory. Whoever had the number is gone. */
struct task *task_new(struct accounting *accounting, const struct task_id *id);

/* Puts a task into a group of a hierarchy; NULL is the root. */
void task_enter(struct task *task, unsigned hierarchy, struct group *group);

/* It has exited, but is not reaped. */
void task_end(struct accounting *accounting, struct task *task);

/* It is gone, and frees its number. */
void task_free(struct accounting *accounting, struct task *task);

/* True while some group claims it. */
bool task_is_claimed(const struct accounting *accounting, const struct task *task);

/* The same task as `id` names, as far as its start time is known. */
bool task_is(const struct task *task, const struct task_id *id);

/* --- liveness.c --- */

enum liveness { TASK_LIVES, TASK_ZOMBIE, TASK_GONE };

/* Reads /proc: without the lock. */
enum liveness task_look(const struct machine *machine, const struct task_id *id);

/* Looks at the members of the group itself, and at its zombies; forgets who is gone. Takes the lock. */
int group_refresh(struct group *group);

/* The ids in a list of links, as a new array; -ENOMEM. Under the lock. */
int links_copy(const struct task_link *links, struct task_list *list);

#endif
