/* SPDX-License-Identifier: MIT */
/* The signals that end the daemon, and the end that none can hinder. */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"

#define AGAIN_SECONDS 1
#define END_SECONDS 4 /* from the signal until the loop has ended */

static sem_t told, ended; /* a signal came; the loop has ended */

static struct fuse *ending; /* what a signal ends; set before the handlers are */

/*
 * libfuse's loops look whether they are to end and only then wait, so that they
 * miss a signal between the two: fuse_loop_mt() until the next request. Hence
 * the alarm, which comes until the loop has ended.
 */
static void end_loop(int number)
{
	(void)number;
	sem_post(&told);
	fuse_exit(ending);
	alarm(AGAIN_SECONDS);
}

/* As for libfuse, what was ignored stays so: nohup(1). A wait must not be resumed. */
static void handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}, before;

	sigemptyset(&action.sa_mask);
	if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

static bool wait_for(sem_t *semaphore, const struct timespec *until)
{
	int failed;

	do
		failed = until ? sem_clockwait(semaphore, CLOCK_MONOTONIC, until) : sem_wait(semaphore);
	while (failed && errno == EINTR);
	return !failed;
}

/*
 * libfuse's loop ends once all requests have been answered. Should one never be (a state directory on a
 * file system that hangs), the mount goes all the same, and the process.
 */
static void *see_to_the_end(void *path)
{
	struct timespec until;

	wait_for(&told, NULL);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_SECONDS;
	if (wait_for(&ended, &until))
		return NULL;
	log_error("a request does not end: it is left");
	mount_point_leave(path);
	_exit(1);
}

static bool start_to_see(const char *path)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	sem_init(&told, 0, 0);
	sem_init(&ended, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&thread, NULL, see_to_the_end, (void *)path);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		pthread_detach(thread);
	return !error;
}

bool signals_end(struct fuse *fuse, const char *path)
{
	ending = fuse;
	if (!start_to_see(path))
		return false;
	signal(SIGPIPE, SIG_IGN);
	handle(SIGALRM, end_loop);
	handle(SIGTERM, end_loop);
	handle(SIGINT, end_loop);
	handle(SIGHUP, end_loop);
	return true;
}

void signals_ignore(void)
{
	sem_post(&ended);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	alarm(0);
}
