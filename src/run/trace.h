/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Catching by SECCOMP_RET_TRACE and ptrace(2), for kernels without user
 * notification. One thread is the tracer: only it may ask anything of a
 * stopped task (trace.c), and it waits for nothing but the tasks. Answers are
 * found by other threads (trace_jobs.c), which have the tracer do what
 * they want done.
 */

/* A caught call that is being answered. Its task is stopped meanwhile. */
struct trace_job;

struct peer;

/*
 * Has the job's task make a system call of ours, within the one that was caught, and waits for its end. The
 * task is sent no signals meanwhile. Returns what the call does; -ESRCH also if the task is gone. Not for the
 * tracer's thread.
 */
int64_t trace_call(struct trace_job *job, int number, const uint64_t arguments[6]);

/*
 * The job's task gets the open file `file` (trace_file.c), which is closed here, by messages of its own to
 * itself. Returns its number there, or a negative errno.
 */
int64_t trace_give_file(struct trace_job *job, const struct peer *peer, int file, bool close_on_exec);

#endif
