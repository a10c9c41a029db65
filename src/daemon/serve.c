/* SPDX-License-Identifier: MIT */
/* What runs while the filesystem is mounted: the threads, and libfuse's loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "accounting.h"
#include "advice.h"
#include "daemon.h"
#include "state.h"

void explain_threads(void)
{
	fprintf(stderr, "fuse_cgroupfs: its threads cannot be had%s\n", advice_on(EAGAIN));
}

/*
 * As many as can run, and two at least. The kernel wakes the one that slept
 * longest: with more, each request finds a cold cache.
 */
static unsigned thread_count(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online > 2 ? (unsigned)online : 2;
}

static int serve(struct fuse *fuse, const struct options *options)
{
	struct fuse_loop_config *config;
	int result;

	if (options->single_thread)
		return fuse_loop(fuse);
	config = fuse_loop_cfg_create();
	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config, options->clone_fd);
	fuse_loop_cfg_set_max_threads(config, thread_count());
	result = fuse_loop_mt(fuse, config);
	fuse_loop_cfg_destroy(config);
	return result;
}

/* Fork and exit are followed from here on; false, and said why, when not as asked for. */
static bool start_accounting(struct front_end *front, enum accounting_source source)
{
	sigset_t all, before;
	int error;

	/* Its threads inherit the mask: signals are the main thread's, which waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = accounting_start(front->accounting, source);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == -EAGAIN || error == -ENOMEM)
		explain_threads();
	else if (error && source == ACCOUNTING_TRACER)
		fprintf(stderr, "fuse_cgroupfs: -o accounting=tracer: %s: it is fuse_cgroup_run's, which "
				"tells on a pipe of its own\n", strerror(-error));
	else if (error)
		fprintf(stderr, "fuse_cgroupfs: -o accounting=events: %s: it needs CAP_PERFMON, or "
				"CAP_NET_ADMIN in the first pid namespace; accounting=scan does without\n",
			strerror(-error));
	return !error;
}

/* Whose parent ends it: fuse_cgroup_run, which takes the mount out of the table. It is not to be watched. */
static bool ends_with_parent(void)
{
	int number = 0;

	return !prctl(PR_GET_PDEATHSIG, &number) && number;
}

/* The threads beside those that take requests; false, and said why, when one cannot be had. */
static bool start_threads(struct front_end *front, const char *path, struct watch **watch)
{
	bool watches = front->platform->unmounts_silently && !ends_with_parent();

	if (watches)
		*watch = watch_start(path);
	if (front->tree->unified)
		front->notifier = notifier_start(front, path);
	if (state_start(front->state) && (*watch || !watches) && (front->notifier || !front->tree->unified))
		return true;
	explain_threads();
	return false;
}

bool serve_until_signal(struct fuse *fuse, const struct options *options, struct front_end *front,
			const char *path, bool *unmounted)
{
	struct watch *watch = NULL;
	bool served = false;

	if (!start_accounting(front, options->source))
		return false;
	if (start_threads(front, path, &watch)) {
		served = serve(fuse, options) >= 0;
		if (!served && !front->answering)
			explain_threads();
	}
	*unmounted = watch_stop(watch, fuse_session_fd(fuse_get_session(fuse)));
	return served;
}
