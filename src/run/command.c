/* SPDX-License-Identifier: MIT */
/* The command: started, sent signals, waited for. */
#include "command.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advice.h"
#include "catcher.h"
#include "channel.h"
#include "continued.h"
#include "descriptors.h"
#include "filter.h"
#include "number.h"
#include "options.h"
#include "pause.h"
#include "privilege.h"

/* What we were started with. Written once. */
static sigset_t mask_before;
static struct sigaction children_before;

void command_block_signals(void)
{
	const struct sigaction tell = {.sa_handler = SIG_DFL};
	sigset_t set;

	/*
	 * All, as all are passed on. Those that stop too, so that we stop after the command, if it
	 * does: a shell that had its prompt before would share its terminal with a command that still
	 * reads. A fault of our own the kernel does not let us block.
	 */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &mask_before);
	/* Were SIGCHLD ignored, the kernel would not tell of children, nor of their status. */
	sigaction(SIGCHLD, &tell, &children_before);
}

void command_restore_signals(void)
{
	sigaction(SIGCHLD, &children_before, NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

static void explain_filter(bool with_listener)
{
	if (errno == EBUSY)
		fprintf(stderr, "fuse_cgroup_run: another seccomp listener is at work here already "
				"(fuse_cgroup_run within fuse_cgroup_run?): the kernel permits one\n");
	else if (with_listener)
		fprintf(stderr,
			"fuse_cgroup_run: seccomp user notification: %s: this kernel or "
			"sandbox does not have it (Linux 5.9 does): try --backend=trace\n",
			strerror(errno));
	else
		fprintf(stderr, "fuse_cgroup_run: the seccomp filter: %s%s\n", strerror(errno),
			advice_on(errno));
}

static int install_filter(const struct sock_fprog *filter, bool with_listener)
{
	int listener = filter_install(filter, with_listener);

	if (listener >= 0)
		return listener;
	explain_filter(with_listener);
	_exit(EXIT_OURS);
}

/* What sched_getaffinity(2) says in a cpuset: that is what runtimes count processors by. */
static void take_processors(const char *list)
{
	struct bitmap *cpus = bitmap_new(CPU_SETSIZE);
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpus && !bitmap_parselist(list, cpus)) {
		for (unsigned cpu = bitmap_next(cpus, 0); cpu < cpus->nr;
		     cpu = bitmap_next(cpus, cpu + 1))
			CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	bitmap_free(cpus);
}

/* The child's part: under the filter, served, and then the command. */
static void become_command(const struct run_options *options, const struct sock_fprog *filter,
			   int channel, pid_t supervisor)
{
	bool has_listener = options->catcher->has_listener;
	int listener = has_listener ? install_filter(filter, true) : -1;
	bool sent;

	if (options->catcher->traces)
		prctl(PR_SET_PTRACER, supervisor); /* where Yama lets only ancestors trace */
	sent = channel_send(channel, CHANNEL_COMMAND, listener);
	if (has_listener)
		close(listener); /* a caught process that had it would wait for itself */
	if (!sent || channel_receive(channel).word != CHANNEL_GO)
		_exit(EXIT_OURS);
	if (!has_listener)
		install_filter(filter, false);
	if (options->limits.cpuset_cpus)
		take_processors(options->limits.cpuset_cpus);
	if (options->directory && chdir(options->directory)) {
		fprintf(stderr, "fuse_cgroup_run: the working directory, %s, is not in the tree: %s: start "
				"it elsewhere\n",
			options->directory, strerror(errno));
		_exit(EXIT_OURS);
	}
	command_restore_signals();
	execvp(options->command[0], options->command);
	fprintf(stderr, "fuse_cgroup_run: %s: %s\n", options->command[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

/* Everything that descends from it, as far as it has not been left to init. */
static void kill_tree(pid_t pid)
{
	char path[64];
	FILE *children;
	pid_t child;

	kill(pid, SIGSTOP); /* lest it forks meanwhile */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &child) == 1)
		kill_tree(child);
	if (children)
		fclose(children);
	kill(pid, SIGKILL);
}

/* The launcher's side of all. */
struct launcher {
	pid_t command, supervisor;
	int channel;
	int continued; /* continued.h */
};

/*
 * What a terminal sends goes to all of the group, the command too: only what somebody sent us is passed
 * on. A SIGPIPE of our own standard error is no one's, and the supervisor's SIGCONT is ours.
 */
static bool is_for_command(const siginfo_t *info, pid_t supervisor)
{
	return info->si_code <= 0 && info->si_pid != getpid() &&
	       (info->si_pid != supervisor || info->si_code == PAUSE_GIVEN_BACK);
}

/*
 * Whom the freezer holds no SIGCONT lets go on, as in the kernel; least of all the one by which the freezer
 * has let us go on, from another cgroup.
 */
static bool may_pass_on(const struct launcher *launcher, int number)
{
	bool asked = number == SIGCONT && channel_send(launcher->channel, CHANNEL_CONTINUE, -1);

	if (number == SIGCONT)
		continued_forget(); /* not before: if we are stopped here the supervisor knows of it by now */
	return !asked || channel_receive(launcher->channel).word != CHANNEL_FROZEN;
}

static void pass_on(const struct launcher *launcher, const siginfo_t *info)
{
	if (info->si_signo == SIGCHLD)
		return;
	if (is_for_command(info, launcher->supervisor)) {
		if (may_pass_on(launcher, info->si_signo))
			kill(launcher->command, info->si_signo);
	} else if (info->si_signo == SIGCONT) {
		continued_forget();
	}
}

/* We stop, too, if that is right. A SIGCONT that is here already is none of those that come meanwhile. */
static void tell_of_stop(const struct launcher *launcher)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	if (sigtimedwait(&set, &info, &(struct timespec){0}) > 0)
		pass_on(launcher, &info);
	channel_send(launcher->channel, CHANNEL_PAUSED, launcher->continued);
}

static void tell_of_killed_supervisor(void)
{
	fprintf(stderr, "fuse_cgroup_run: its supervisor was killed: what the command asks would not be "
			"answered, so it is killed too\n");
}

/* Reaps who has ended; true, and the command's status, when it was the command. */
static bool reap(const struct launcher *launcher, int *status)
{
	pid_t pid;

	while ((pid = waitpid(-1, status, WNOHANG | WUNTRACED)) > 0) {
		if (pid == launcher->command && WIFSTOPPED(*status)) {
			tell_of_stop(launcher);
			continue;
		}
		if (pid == launcher->command)
			return true;
		/* One that ended by itself has said why, and answers nobody: the command has not begun. */
		if (pid == launcher->supervisor && WIFSIGNALED(*status)) {
			tell_of_killed_supervisor();
			kill_tree(launcher->command);
		}
	}
	return false;
}

static int wait_for_command(const struct launcher *launcher)
{
	siginfo_t info;
	sigset_t set;
	int status;

	sigfillset(&set);
	while (!reap(launcher, &status)) {
		if (sigwaitinfo(&set, &info) > 0)
			pass_on(launcher, &info);
	}
	return status;
}

/*
 * The command has ended: the supervisor cleans up, unless others are there whom it serves on. One that was
 * killed and traces takes the command along, whose end then may be heard of first.
 */
static void end_supervisor(const struct launcher *launcher, bool was_killed)
{
	int status;

	if (channel_send(launcher->channel, CHANNEL_ENDED, -1) &&
	    channel_receive(launcher->channel).word == CHANNEL_STAYS)
		return;
	if (waitpid(launcher->supervisor, &status, 0) > 0 && WIFSIGNALED(status) && was_killed)
		tell_of_killed_supervisor();
}

/* Ends as it ended. */
static int pass_status(int status)
{
	const struct rlimit no_core = {0, 0};
	sigset_t set;
	int number;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	number = WTERMSIG(status);
	setrlimit(RLIMIT_CORE, &no_core); /* the command's is enough */
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	return 128 + number;
}

int command_run(const struct run_options *options, const struct sock_fprog *filter, int channel,
		pid_t supervisor)
{
	struct launcher launcher = {.command = fork(), .supervisor = supervisor, .channel = channel};
	int status;

	if (launcher.command < 0) {
		fprintf(stderr, "fuse_cgroup_run: no process can be started: %s%s\n", strerror(errno),
			advice_on(errno));
		return EXIT_OURS;
	}
	if (!launcher.command)
		become_command(options, filter, channel, supervisor);
	/* Whose end somebody waits for is open as long as the command has it. */
	descriptors_close(&channel, 1);
	descriptors_to_null(STDIN_FILENO, STDOUT_FILENO);
	if (!privilege_keep_launchers()) {
		kill_tree(launcher.command);
		return EXIT_OURS;
	}
	launcher.continued = continued_watch();
	status = wait_for_command(&launcher);
	end_supervisor(&launcher, options->catcher->traces && WIFSIGNALED(status) &&
					  WTERMSIG(status) == SIGKILL);
	return pass_status(status);
}
