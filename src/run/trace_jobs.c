/* SPDX-License-Identifier: MIT */
/* Finding answers to calls whose tasks are stopped. */
#include "trace_jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "catcher.h"
#include "machine_task.h"
#include "peer.h"
#include "trace_again.h"

#define THREADS 8 /* that stay when they have nothing to do */

/* Set before the first thread is there. */
static const struct calls_context *context;
static void (*wake_tracer)(void);

struct job_list {
	struct trace_job *first, **end;
};

/* Protects what follows, and what is said so of a job. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_given = PTHREAD_COND_INITIALIZER, is_told = PTHREAD_COND_INITIALIZER;
static struct job_list given = {.end = &given.first}, wishing = {.end = &wishing.first};
static unsigned idle; /* threads that wait for jobs */
static unsigned waiting; /* jobs that wait for threads */

static void *serve(void *argument);

static void append(struct job_list *list, struct trace_job *job)
{
	job->next = NULL;
	*list->end = job;
	list->end = &job->next;
}

static struct trace_job *take_first(struct job_list *list)
{
	struct trace_job *job = list->first;

	if (job)
		list->first = job->next;
	if (!list->first)
		list->end = &list->first;
	return job;
}

static bool start_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, serve, NULL))
		return false;
	pthread_detach(thread);
	return true;
}

/* --- the tracer's side --- */

void trace_jobs_lock(void)
{
	pthread_mutex_lock(&lock);
}

void trace_jobs_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* Those who are at an answer may be waiting for this one: there is always a thread more. */
void trace_jobs_give(struct trace_job *job)
{
	bool enough;

	pthread_mutex_lock(&lock);
	append(&given, job);
	enough = ++waiting <= idle;
	pthread_cond_signal(&is_given);
	pthread_mutex_unlock(&lock);
	if (!enough)
		start_thread();
}

struct trace_job *trace_jobs_wish(void)
{
	struct trace_job *job;

	pthread_mutex_lock(&lock);
	job = take_first(&wishing);
	pthread_mutex_unlock(&lock);
	return job;
}

void trace_jobs_tell(struct trace_job *job, int64_t result)
{
	pthread_mutex_lock(&lock);
	job->result = result;
	job->wish = WISH_NONE;
	pthread_cond_broadcast(&is_told);
	pthread_mutex_unlock(&lock);
}

static void take_out(struct job_list *list, const struct trace_job *job)
{
	struct trace_job **link = &list->first;

	while (*link && *link != job)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = job->next;
	if (!*link)
		list->end = link;
}

void trace_jobs_forget(struct trace_job *job)
{
	if (!job)
		return;
	job->is_gone = true;
	take_out(&wishing, job);
	if (job->wish == WISH_NONE || job->wish == WISH_CALL)
		pthread_cond_broadcast(&is_told); /* it is not done */
	else
		free(job);
}

/* --- the threads' side --- */

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

	pthread_mutex_lock(&lock);
	same = !job->is_gone && (!job->may_be_replaced || is_stopped_still(job->tid));
	pthread_mutex_unlock(&lock);
	return same;
}

/* False: the job's task is gone, and nobody else knows of the job. Under the lock. */
static bool wish(struct trace_job *job, enum trace_wish what)
{
	if (job->is_gone)
		return false;
	job->wish = what;
	append(&wishing, job);
	wake_tracer();
	return true;
}

int64_t trace_call(struct trace_job *job, int number, const uint64_t arguments[6])
{
	int64_t result;

	pthread_mutex_lock(&lock);
	job->number = number;
	memcpy(job->arguments, arguments, sizeof(job->arguments));
	if (wish(job, WISH_CALL)) {
		while (job->wish != WISH_NONE && !job->is_gone)
			pthread_cond_wait(&is_told, &lock);
	}
	result = job->is_gone ? -ESRCH : job->result;
	pthread_mutex_unlock(&lock);
	return result;
}

static void find_answer(struct trace_job *job, struct answer *answer)
{
	struct call call = {
		.peer = peer_new(job->tid, is_same, (uint64_t)(uintptr_t)job),
		.number = registers_number(&job->before),
	};

	*answer = (struct answer){.kind = ANSWER_KERNEL};
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

static void serve_one(struct trace_job *job)
{
	enum trace_wish what = job->signal ? judge(job) : find_wish(job);
	bool is_known;

	pthread_mutex_lock(&lock);
	is_known = wish(job, what);
	pthread_mutex_unlock(&lock);
	if (!is_known)
		free(job);
}

static void *serve(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&lock);
	while (waiting || idle < THREADS) {
		struct trace_job *job;

		idle++;
		while (!(job = take_first(&given)))
			pthread_cond_wait(&is_given, &lock);
		idle--;
		waiting--;
		pthread_mutex_unlock(&lock);
		serve_one(job);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

bool trace_jobs_start(const struct calls_context *answers, void (*wake)(void))
{
	context = answers;
	wake_tracer = wake;
	return start_thread();
}
