/* SPDX-License-Identifier: MIT */
/* Jobs between the tracer and the threads that find answers. */
#include "trace_jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"

#define THREADS 8 /* that stay when they have nothing to do */

/* Set before the first thread is there. */
static enum trace_wish (*do_job)(struct trace_job *job);
static void (*wake_tracer)(void);

struct job_list {
	struct trace_job *first, **end;
};

/* Protects what follows, and what is said so of a job. */
static pthread_mutex_t lock = LOCK_INITIALIZER;
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

/* False: the job's task is gone, and nobody else knows of the job. Under the lock. */
static bool wish(struct trace_job *job, enum trace_wish what)
{
	assert_locked(&lock);
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

static void serve_one(struct trace_job *job)
{
	enum trace_wish what = do_job(job);
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

bool trace_jobs_start(enum trace_wish (*work)(struct trace_job *job), void (*wake)(void))
{
	do_job = work;
	wake_tracer = wake;
	return start_thread();
}
