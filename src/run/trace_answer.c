/* SPDX-License-Identifier: MIT */
/* Finding answers to calls whose tasks are stopped. */
#include "trace_answer.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "calls.h"
#include "catcher.h"
#include "machine_task.h"
#include "peer.h"
#include "trace_again.h"
#include "trace_jobs.h"

/* Set before the first thread is there. */
static const struct calls_context *context;

/* Whether the task stands in a stop of which the tracer knows. */
static bool is_stopped_still(pid_t tid)
{
	struct machine_task_stat stat;
	siginfo_t news = {0};

	return !machine_task_stat(context->machine, tid, 0, &stat) && stat.state == 't' &&
	       !waitid(P_PID, (id_t)tid, &news, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) &&
	       !news.si_pid;
}

/*
 * A peer_check. A traced task's number stays its own until the tracer has heard of its end. But for one case:
 * an exec(2) by another thread of a process ends its leader and takes the leader's number, and the
 * tracer hears of it when the new program is there. Then the task has either news for the tracer, or is not
 * stopped.
 */
static bool is_same(uint64_t call)
{
	const struct trace_job *job = (const struct trace_job *)(uintptr_t)call;
	bool same;

	trace_jobs_lock();
	same = !job->is_gone && (!job->may_be_replaced || is_stopped_still(job->tid));
	trace_jobs_unlock();
	return same;
}

static void find_answer(struct trace_job *job, struct answer *answer)
{
	struct call call = {
		.peer = peer_new(job->tid, is_same, (uint64_t)(uintptr_t)job),
		.number = registers_number(&job->before),
	};

	*answer = (struct answer){.kind = ANSWER_VALUE, .value = -ENOMEM};
	registers_arguments(&job->before, call.arguments);
	if (call.peer)
		catcher_answer(context, &call, answer);
	if (answer->kind == ANSWER_FILE)
		answer_value(answer, trace_give_file(job, call.peer, answer->file, answer->close_on_exec));
	else if (answer->kind == ANSWER_WHOLE)
		answer_value(answer, trace_whole(job, &call));
	peer_free(call.peer);
}

static enum trace_wish wish_of(const struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_KERNEL:
		return WISH_KERNEL;
	case ANSWER_ARGUMENTS:
		return WISH_ARGUMENTS;
	default:
		return WISH_VALUE;
	}
}

static enum trace_wish find_wish(struct trace_job *job)
{
	struct answer answer;

	find_answer(job, &answer);
	job->result = answer.value;
	memcpy(job->arguments, answer.arguments, sizeof(job->arguments));
	return wish_of(&answer);
}

static enum trace_wish judge(const struct trace_job *job)
{
	struct peer *peer = peer_new(job->tid, is_same, (uint64_t)(uintptr_t)job);
	bool again = peer && trace_again_is_file(peer, &job->before);

	peer_free(peer);
	return again ? WISH_AGAIN : WISH_KERNEL;
}

static enum trace_wish work(struct trace_job *job)
{
	return job->signal ? judge(job) : find_wish(job);
}

bool trace_answer_start(const struct calls_context *answers, void (*wake)(void))
{
	context = answers;
	return trace_jobs_start(work, wake);
}
