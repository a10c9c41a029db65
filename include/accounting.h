#ifndef ACCOUNTING_H
#define ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct machine;
struct task_link;
struct usage;

/*
 * Who is where, and what was used.
 *
 * Accounting knows tasks and groups, nothing of controllers, files or FUSE. A
 * group is what a cgroup is to accounting; core embeds one in each cgroup. A
 * task that no group claims is in the root group of each hierarchy.
 *
 * A task is one thread, and (tid, start time) is its identity: a reused
 * number is another task. Numbers are those of the daemon's pid namespace.
 *
 * All functions take accounting's own lock, which is inside the tree's: they
 * may be called with or without the tree lock. None holds it while it reads
 * a /proc file.
 */
struct accounting;

#define ACCOUNTING_MAX_HIERARCHIES 16

struct group {
	struct accounting *accounting;
	struct group *parent; /* NULL for the root of a hierarchy */
	unsigned hierarchy; /* below ACCOUNTING_MAX_HIERARCHIES */
	struct task_link *tasks; /* accounting's: the members */
	struct usage *usage; /* accounting's: what members, past and present, used */
};

struct task_id {
	pid_t tid;
	pid_t tgid;
	uint64_t start_time; /* ticks after boot, /proc/PID/stat field 22 */
};

/* A list of tasks; the caller frees `tasks` with free(). */
struct task_list {
	struct task_id *tasks;
	size_t count;
};

/*
 * Makes an accounting that reads `machine`, which must outlive it. Returns
 * NULL when memory is short. accounting_free() takes NULL.
 */
struct accounting *accounting_new(struct machine *machine);
void accounting_free(struct accounting *accounting);

/* Makes `group` a member-less group of its parent's hierarchy. 0 or -ENOMEM. */
int group_init(struct accounting *accounting, struct group *group,
	       unsigned hierarchy, struct group *parent);

/* The group ends (rmdir): what it used stays in its parent. */
void group_retire(struct group *group);

/* True while a task that has not exited is in the group itself (cgroup_is_populated). */
bool group_is_busy(struct group *group);

/*
 * Moves tasks into `group` within its hierarchy. A task that exited meanwhile
 * is passed over. What it used so far stays where it was. 0 or -ENOMEM.
 */
int accounting_move(struct group *group, const struct task_id *tasks, size_t count);

/*
 * Lists the tasks of the group itself, sorted by tid, without those that have
 * exited (zombies included, as css_task_iter leaves them out).
 * 0 or a negative errno, then the list is empty.
 */
int accounting_list(struct group *group, struct task_list *list);

#endif
