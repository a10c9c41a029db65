/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_AGAIN_H
#define RUN_TRACE_AGAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct call;
struct peer;
struct registers;
struct trace_job;

/*
 * gVisor ends a call that waits for a FUSE filesystem with EINTR when a signal comes, although the filesystem
 * has been asked and will do it. Linux waits. Source: gVisor's pkg/sentry/fsimpl/fuse/request_response.go,
 * futureResponse.resolve().
 */

enum trace_verdict {
	VERDICT_AS_IT_IS, /* no call was interrupted, or one that Linux interrupts, too */
	VERDICT_AGAIN, /* the task is to make it again */
	VERDICT_DONE, /* it returns 0 */
	VERDICT_ASK, /* as trace_again_is_file() says: again or not */
};

/*
 * What becomes of the call that the task has just made, which stands where it learns of a signal. Of the
 * tracer's thread; waits for nothing.
 */
enum trace_verdict trace_again_judge(pid_t tid, const struct registers *registers);

/* Whether the call was one of a regular file. Asks that file's filesystem. Not for the tracer's thread. */
bool trace_again_is_file(const struct peer *peer, const struct registers *registers);

/*
 * Has the job's task make its caught call with all signals held back, so that it is made once, to its end.
 * Returns what it does; -ESRCH also if the task is gone. Not for the tracer's thread.
 */
int64_t trace_whole(struct trace_job *job, const struct call *call);

#endif
