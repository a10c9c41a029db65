/* SPDX-License-Identifier: MIT */
/*
 * The table: tasks, processes, groups, and the links between them. It is the lowest room of
 * accounting: it reads no files and knows no clock.
 */
#ifndef ACCOUNTING_TABLE_H
#define ACCOUNTING_TABLE_H

#include <pthread.h>

#include "accounting.h"
#include "lock.h"
#include "machine.h"
#include "process.h"

#define ABSENT_MAX 16
#define HUNG_MAX 16

struct tracer;

/*
 * Where forks and exits are learnt from. A source is used by several threads
 * at once and brings its own lock, outside accounting's. Who needs to know what it has to tell
 * asks by this: sources stand above those who ask.
 */
struct source {
	const char *name;
	struct accounting *accounting;
	bool tells_exits;
	bool tells_ticks; /* at exits: the ticks of each task */
	/* Learns of every fork and exit up to now. May read /proc. */
	void (*sync)(struct source *source);
	/* Learns of what it was told, without looking for more; NULL: that is nothing. May read /proc. */
	void (*hear)(struct source *source);
	/* There are members now where there were none. */
	void (*wake)(struct source *source);
	/* There will be more members; NULL: it does not matter. */
	void (*stir)(struct source *source);
	/* Ends it and frees it. */
	void (*close)(struct source *source);
};

/*
 * Locks, outermost first. `lock` is never held while /proc is read.
 *
 *   a source's own   its streams, or when it is to look again (events.c, scan_source.c)
 *   scanning         one scan at a time, and what it keeps
 *   settling         one settling at a time (settle.c, newcomer.c)
 *   looking          one look at the disks at a time (reading/disks.c)
 *   lock             the table, the ledger and every group
 */
struct accounting {
	const struct machine *machine;
	unsigned nr_cpu;
	pthread_mutex_t lock; /* protects everything below but what says otherwise, and every group */
	unsigned hierarchies; /* highest number in use + 1 */
	unsigned kinds[ACCOUNTING_MAX_HIERARCHIES]; /* enum usage_kind */
	unsigned tracked; /* enum usage_kind: of all of them */
	uint32_t counts_pids; /* a bit for each hierarchy where peaks and limits of pids matter */
	struct group *roots[ACCOUNTING_MAX_HIERARCHIES];
	/* Which of the kernel's hierarchies tells who is in ours. Constant after start. */
	struct {
		const char *controller; /* NULL: there is none */
		const char *top; /* what is our root there */
	} backed[ACCOUNTING_MAX_HIERARCHIES];
	bool is_backed; /* one is */
	struct group *places[ACCOUNTING_MAX_HIERARCHIES]; /* uthash by place: all groups, if one is backed */
	struct task *tasks; /* uthash by tid */
	struct process *processes; /* uthash by tgid */
	size_t zombies, zombies_kept; /* among the tasks: now, and after they were looked at last */
	struct {
		void (*forked)(void *context, const struct group *group, const struct task_id *task);
		void *context;
	} on_fork[ACCOUNTING_MAX_HIERARCHIES];
	struct {
		void (*tell)(void *context);
		void *context;
	} on_news;
	uint64_t memory_changed_at; /* ns: when some process' memory did last; its sharers' did too */
	uint64_t request_bytes[2]; /* mean of the machine's requests, reading and writing; 0: not known */
	struct disks *disks; /* ledger/disks.h */
	pthread_mutex_t looking; /* at the disks, one at a time; outside `lock` */

	/*
	 * A process is read once for all who ask at a time: a second one waits and finds it done
	 * (reading.h).
	 */
	uint64_t readings; /* how many have begun that were asked for */
	pthread_cond_t has_read; /* with `lock`: one has ended */

	/* Forks that accounting_on_fork() promised to tell, with their hierarchies. */
	struct fork_news {
		struct task_id id;
		unsigned hierarchy;
		const struct group *group;
	} *news;
	size_t news_count, news_capacity;

	uint64_t told_at; /* ns: until then all forks and exits that a source tells of are known */
	struct accounting_moment seen; /* who was made until then is in the table, if it is a member */
	/* In its place, as long as it is not known who was made since the daemon before had ended. */
	struct accounting_moment imported_seen;
	bool resuming;

	/* Of the scan: one at a time, outside `settling` and `lock`; protects what follows but `scans`. */
	pthread_mutex_t scanning;
	bool scan_failed; /* this one could not look at all: the next begins where it did */
	unsigned scans; /* how many there were; under `lock` */
	/* Of the newest numbers those that nobody had: given to tasks that are being made, or have ended. */
	pid_t absent[ABSENT_MAX];
	unsigned absent_count;
	struct accounting_moment absent_since; /* they are newer */
	/* New ones that did not let themselves be read yet (machine_patient.h). */
	struct hung_newcomer {
		struct task_id id;
		struct accounting_moment since; /* it is newer, if it is new */
	} hung[HUNG_MAX];
	unsigned hung_count;

	/* Processes with children or threads that ended since they were read. */
	struct process *reapers;

	/*
	 * From noting what parents were told of reaped children until it is paid, and
	 * while one that has ended is taken in: those who ended are looked at in between.
	 * Inside `scanning`, outside `looking` and `lock`.
	 */
	pthread_mutex_t settling;
	struct heir *heirs; /* ledger/reap.c: all of them */
	struct process *orphans; /* whose parent ended: who adopted them is to be seen */
	/* Read for accounting_settle(), in no group yet; oldest first. */
	struct process *kept;

	/* What accounting_export() has to tell. Kept up while `keeping`. */
	bool keeping;
	bool all_unsaved; /* any process may have changed */
	struct process *unsaved;
	struct group *unsaved_groups;
	pid_t *gone;
	size_t gone_count, gone_capacity;

	struct source *source; /* NULL until started; constant then */
	struct tracer *tracer; /* sources/tracer.h; NULL: there is none. Constant as well */
	struct source unstarted; /* in its place until then: a scan for each question */
};

/* --- table.c --- */

/* Whether there is anyone to follow. Takes the lock. */
bool accounting_is_idle(struct accounting *accounting);

/* --- place.c; all under the lock --- */

/* Puts a task into a group of a hierarchy; NULL is the root. */
void task_enter(struct task *task, unsigned hierarchy, struct group *group);
/* It is a zombie from here on: its groups' and its process' counts know it. */
void task_become_zombie(struct accounting *accounting, struct task *task);
/* It is in no group any more. */
void task_leave_all(struct accounting *accounting, struct task *task);
/*
 * A task was forked into the group: as pids_event(), v1 counts where it was forked, v2 where the limit
 * is and above.
 */
void count_over_limit(struct group *own);

/* --- news.c --- */

/* Remembers a fork for who wants to know of it. Under the lock. */
void note_fork(struct accounting *accounting, const struct task *task, unsigned hierarchy);
/* Calls who wants to know of forks. Takes the lock. */
void forks_announce(struct accounting *accounting);
/* Tells who waits for a group to become populated or empty, or for a limit. Under the lock. */
void tell_news(struct accounting *accounting);

/* --- unsaved.c; under the lock: cheap, and nothing while nobody keeps --- */

/* It may have changed. */
void process_unsaved(struct accounting *accounting, struct process *process);
void group_unsaved(struct group *group);
/* It is told. */
void process_saved(struct accounting *accounting, struct process *process);
/* It is about to be freed, or (a group) told. */
void process_gone(struct accounting *accounting, struct process *process);
void group_gone(struct group *group);
void unsaved_free(struct accounting *accounting);

#endif
