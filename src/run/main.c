/* SPDX-License-Identifier: MIT */
/* fuse_cgroup_run(1): runs a command that takes our tree for the kernel's cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advice.h"
#include "calls.h"
#include "catchers.h"
#include "cgroup_version.h"
#include "cgroupfs.h"
#include "channel.h"
#include "command.h"
#include "descriptors.h"
#include "filter.h"
#include "identity.h"
#include "namespace.h"
#include "options.h"
#include "supervisor.h"

#define DESCRIPTORS 65536 /* of 8 users with as many calls at once as share.h permits each */
#define FILE_LEAST (1u << 20) /* bytes: of a table, or of what the daemon keeps */

static void stay(int number)
{
	(void)number;
}

/*
 * What the caller may use up and permits is the command's: who serves it needs what it needs.
 * False, with a message: it is not to be had.
 */
static bool leave_limits(void)
{
	static const int left[] = {RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE};
	struct rlimit limit;

	identity_expect_umask(umask(022));
	for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		if (!setrlimit(left[i], &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) ||
		    getrlimit(left[i], &limit))
			continue;
		limit.rlim_cur = limit.rlim_max; /* as far as it may */
		setrlimit(left[i], &limit);
	}
	descriptors_allow(DESCRIPTORS);
	signal(SIGXFSZ, SIG_IGN); /* one file that is too large is no reason to end */
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur >= FILE_LEAST)
		return true;
	fprintf(stderr,
		"fuse_cgroup_run: files may have %ju bytes at most (ulimit -H -f), and the tables need "
		"%u: raise it\n",
		(uintmax_t)limit.rlim_cur, FILE_LEAST);
	return false;
}

/*
 * The supervisor's process: out of the terminal's reach, so that Ctrl-C is the command's alone, and with
 * no file but its channel and standard error, as it may outlive who waits for their end.
 */
static void become_supervisor(const struct run_options *options, int channel)
{
	setsid();
	descriptors_to_null(STDIN_FILENO, STDOUT_FILENO);
	descriptors_fill();
	descriptors_close((int[]){channel, options->program, options->outside}, 3);
	if (!leave_limits())
		exit(EXIT_OURS);
	signal(SIGPIPE, SIG_IGN);
	/* It ends with the last process it serves; a handler, as what is ignored the daemon would inherit. */
	signal(SIGTERM, stay);
	signal(SIGINT, stay);
	signal(SIGHUP, stay);
	command_restore_signals();
	signal(SIGCHLD, SIG_DFL);
	exit(supervisor_run(options, channel));
}

/* Whether /proc knows processes by the numbers that the kernel gives us. */
static bool has_proc(void)
{
	char number[16] = "";

	return readlink("/proc/self", number, sizeof(number) - 1) > 0 && atoi(number) == getpid();
}

/* The tree's place without symbolic links, and the command's working directory if that is there. */
static bool find_places(struct run_options *options)
{
	static char at[PATH_MAX], directory[PATH_MAX];

	if (!namespace_find(options->at, at))
		return false;
	options->at = at;
	if (getcwd(directory, sizeof(directory)) && namespace_is_below(directory, at))
		options->directory = directory;
	return true;
}

static bool leave_namespace(struct run_options *options)
{
	int here = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (here >= 0)
		options->outside = descriptors_move_up(here);
	return find_places(options) && namespace_enter();
}

static int run(struct run_options *options, struct sock_fprog *filter)
{
	pid_t supervisor;
	int ends[2];

	if (!has_proc()) {
		fprintf(stderr, "fuse_cgroup_run: /proc is missing or of another pid namespace: mount it "
				"(unshare has --mount-proc)\n");
		return EXIT_OURS;
	}
	/*
	 * While its path leads there: it may not in the namespace to come, nor when another has to be
	 * started.
	 */
	if (!options->root && !cgroupfs_find(&options->program))
		return EXIT_OURS;
	if (!options->redirect && !leave_namespace(options))
		return EXIT_OURS;
	command_block_signals();
	supervisor = channel_open(ends) ? fork() : -1;
	if (supervisor < 0) {
		fprintf(stderr, "fuse_cgroup_run: no process can be started: %s%s\n", strerror(errno),
			advice_on(errno));
		return EXIT_OURS;
	}
	if (!supervisor) {
		close(ends[0]);
		filter_free(filter); /* it is the command's process that installs it */
		become_supervisor(options, ends[1]);
	}
	close(ends[1]);
	if (channel_receive(ends[0]).word != CHANNEL_READY)
		return EXIT_OURS;
	return command_run(options, filter, ends[0], supervisor);
}

int main(int argc, char **argv)
{
	struct run_options options;
	struct sock_fprog *filter;
	int status;

	switch (run_options_parse(&options, argc, argv)) {
	case RUN_OPTIONS_DONE:
		return 0;
	case RUN_OPTIONS_WRONG:
		return EXIT_OURS;
	case RUN_OPTIONS_RUN:
		break;
	}
	options.unified = cgroup_version_is_v2(&options);
	options.catcher = options.backend ? catcher_find(options.backend) : catcher_choose();
	if (!options.catcher) {
		fprintf(stderr, "fuse_cgroup_run: --backend must be notify or trace, not %s; "
				"--help shows the options\n", options.backend);
		return EXIT_OURS;
	}
	options.needed = options.catcher->traps | catchers_kernel_traps() |
			 (options.unified ? TRAP_UNIFIED : 0);
	filter = filter_new(options.catcher->action, options.redirect,
			    options.needed);
	if (!filter) {
		fprintf(stderr, "fuse_cgroup_run: the seccomp filter: %s%s\n", strerror(errno),
			advice_on(errno));
		return EXIT_OURS;
	}
	status = run(&options, filter);
	filter_free(filter);
	return status;
}
