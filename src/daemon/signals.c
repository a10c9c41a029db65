/* The signals that end the daemon. */
#include <signal.h>
#include <unistd.h>

#include "daemon.h"

#define AGAIN_SECONDS 1

static struct fuse *ending; /* what a signal ends; set before the handlers are */

/*
 * libfuse's loops look whether they are to end and only then wait, so that they
 * miss a signal between the two: fuse_loop_mt() until the next request. Hence
 * the alarm, which comes until the loop has ended.
 */
static void end_loop(int number)
{
	(void)number;
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

void signals_end(struct fuse *fuse)
{
	ending = fuse;
	signal(SIGPIPE, SIG_IGN);
	handle(SIGALRM, end_loop);
	handle(SIGTERM, end_loop);
	handle(SIGINT, end_loop);
	handle(SIGHUP, end_loop);
}

void signals_ignore(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	alarm(0);
}
