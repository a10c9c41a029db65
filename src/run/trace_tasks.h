/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_TASKS_H
#define RUN_TRACE_TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "hash.h"

struct machine;
struct trace_job;

/* The tasks that the tracer knows. All here is for its thread alone. */

/* What the kernel shows of a task when somebody seems to wait in vain. */
struct seen {
	unsigned looks; /* at it, this one included */
	pid_t process, parent;
	uint64_t utime; /* ticks */
	bool may_tell; /* it may be about to tell that it has made another */
	bool runs_on; /* it has run its program since the look before: by more than a tick */
};

struct task {
	pid_t tid, tgid; /* tgid 0: not known, as its fork is not told yet */
	bool has_threads; /* it has made some: of a process' leader, others are there */
	bool is_calling; /* a call of ours is being made */
	bool has_entered; /* and its beginning has been seen */
	int held; /* new, and in its first stop, by this signal, until its fork is told; 0: it is not */
	pid_t awaited; /* what it knows the task by that it has made, as long as that is not found; 0: none */
	uint64_t since; /* ms: it is held, or awaits one */
	struct seen seen;
	unsigned numbers; /* how many pid namespaces it has one in; 0: not looked at yet */
	struct trace_job *job; /* a call of its that is being answered, or NULL */
	UT_hash_handle hh;
};

/* By number; the table's own. */
extern struct task *tasks;

struct task *find_task(pid_t tid);
/* The same, made where there is none. NULL: no memory. */
struct task *get_task(pid_t tid);
/* The job is not the task's any more: it ends without a result. */
void forget_job(struct task *task);
/* After forks_forget(). */
void forget_task(struct task *task);

/* Each fails only if the task is gone. */
/* It goes on, with a signal if `number` is not 0. */
void resume_task(const struct task *task, int number);
/* From PTRACE_EVENT_STOP by `number`: a process that is stopped stays so until a signal lets it go on. */
void resume_from_stop(const struct task *task, int number);

/* --- trace_forks.c: no task does anything before its fork is told (trace_news.h) --- */

/*
 * A task has made another (PTRACE_EVENT_FORK, _VFORK, _CLONE), and goes on once that is told. `is_own`: the
 * kernel tells the new task's number as the maker knows it (gVisor), not as we do.
 */
void forks_see_maker(const struct machine *machine, struct task *maker, bool is_own);
/* A task is in PTRACE_EVENT_STOP by the signal `number`: it goes on, one that is new once it is told of. */
void forks_see_stop(const struct machine *machine, struct task *task, int number);
/* The task is about to be forgotten. */
void forks_forget(const struct task *task);
/* One has ended that had not stopped yet, and is not waited for (wait(2)) yet: its maker need not wait. */
void forks_see_unheard_end(const struct machine *machine, pid_t tid);
/*
 * To be called again and again, after forks_patience() (NULL: whenever there is news): who waits in vain goes
 * on, a new task being told of without its maker. That some other task has ended is no reason.
 */
void forks_look_again(const struct machine *machine);
const struct timespec *forks_patience(void);

#endif
