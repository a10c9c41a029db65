/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_JOBS_H
#define RUN_TRACE_JOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"
#include "trace_registers.h"

/* Jobs between the tracer and the threads that find answers. */

enum trace_wish {
	WISH_NONE, /* the answer is being found */
	WISH_CALL, /* that the task makes the call `number` with `arguments` */
	WISH_KERNEL, /* the job is done: the kernel is to make the call that was caught */
	WISH_ARGUMENTS, /* the same, with `arguments` */
	WISH_AGAIN, /* the job is done: the call is to be made again */
	WISH_VALUE, /* the job is done: the call returns `result` */
};

struct trace_job {
	pid_t tid;
	bool may_be_replaced; /* an exec(2) by another thread may take the number over: see is_same() */
	bool is_gone; /* the task is; under the lock */
	struct registers before; /* the caught call */
	int signal; /* that has interrupted it, of which the task learns when it goes on; 0: it was caught */
	enum trace_wish wish; /* under the lock */
	int number;
	uint64_t arguments[6];
	int64_t result;
	bool has_called; /* it is at the end of a call of ours, no longer at the beginning of its own */
	uint64_t mask; /* of signals, the task's own; from its first call of ours on */
	struct trace_job *next; /* in the one list or the other */
};

/*
 * Starts the threads, which have `work` do each job and say what it wishes at its end; `wake` makes the
 * tracer look at trace_jobs_wish(). False: no thread can be made.
 */
bool trace_jobs_start(enum trace_wish (*work)(struct trace_job *job), void (*wake)(void));

/* A job for them. It comes back as a wish, but for one that is gone: they free it. */
void trace_jobs_give(struct trace_job *job);

/* The next job that wishes something; NULL: none does. When it is done it is the caller's to free. */
struct trace_job *trace_jobs_wish(void);

/* The call that was wished for has been made. */
void trace_jobs_tell(struct trace_job *job, int64_t result);

/* The job's task is gone. NULL is fine. The tracer must not touch the job any more. */
void trace_jobs_forget(struct trace_job *job);

/*
 * From when the tracer asks the kernel who is gone, until it has told trace_jobs_forget(), which is called
 * in between: nobody believes meanwhile that a number is still the same task's.
 */
void trace_jobs_lock(void);
void trace_jobs_unlock(void);

#endif
