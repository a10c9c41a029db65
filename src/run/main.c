/* fuse_cgroup_run(1): runs a command that takes our tree for the kernel's cgroups. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "command.h"
#include "filter.h"
#include "namespace.h"
#include "options.h"
#include "supervisor.h"

static void stay(int number)
{
	(void)number;
}

/* The supervisor's process: out of the terminal's reach, so that Ctrl-C is the command's alone. */
static void become_supervisor(const struct run_options *options, int channel)
{
	setsid();
	signal(SIGPIPE, SIG_IGN);
	/* It ends with the last process it serves; a handler, as what is ignored the daemon would inherit. */
	signal(SIGTERM, stay);
	signal(SIGINT, stay);
	signal(SIGHUP, stay);
	command_restore_signals();
	signal(SIGCHLD, SIG_DFL);
	exit(supervisor_run(options, channel));
}

static int run(const struct run_options *options, const struct sock_fprog *filter)
{
	pid_t supervisor;
	int ends[2];

	if (!options->redirect && !namespace_enter())
		return EXIT_OURS;
	command_block_signals();
	supervisor = channel_open(ends) ? fork() : -1;
	if (supervisor < 0) {
		perror("fuse_cgroup_run");
		return EXIT_OURS;
	}
	if (!supervisor) {
		close(ends[0]);
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
	filter = filter_new(options.redirect);
	if (!filter) {
		fprintf(stderr, "fuse_cgroup_run: the seccomp filter: %s\n", strerror(errno));
		return EXIT_OURS;
	}
	status = run(&options, filter);
	filter_free(filter);
	return status;
}
