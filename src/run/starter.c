/* SPDX-License-Identifier: MIT */
/* Starting the daemon, on another's behalf. */
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "channel.h"
#include "descriptors.h"

/* In a user namespace of an ordinary user exec() takes the capabilities that mounting needs: keep them. */
static void keep_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (geteuid() == 0 || syscall(__NR_capget, &header, data))
		return;
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	if (syscall(__NR_capset, &header, data))
		return;
	for (unsigned i = 0; i < 64; i++) {
		if (data[i / 32].permitted & 1u << i % 32)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
	}
}

/* Ends with its parent, which may have ended before. */
static void end_with(pid_t parent, int number)
{
	prctl(PR_SET_PDEATHSIG, number);
	if (getppid() != parent)
		_exit(1);
}

/* A path as an option's value: libfuse takes a comma for its end, and a backslash for an escape's start. */
static void add_value(char *option, const char *path)
{
	char *out = option + strlen(option);

	for (; *path; path++) {
		if (*path == ',' || *path == '\\')
			*out++ = '\\';
		*out++ = *path;
	}
	*out = '\0';
}

static void become_daemon(const struct cgroupfs *cgroupfs, pid_t parent)
{
	char state[2 * PATH_MAX + 32] = "-ostate=";
	char *arguments[] = {CGROUPFS_PROGRAM, "-f", state, (char *)cgroupfs->mount, NULL};
	sigset_t none;

	add_value(state, cgroupfs->directory);
	strcat(state, cgroupfs->unified ? "/" CGROUPFS_STATE ",v2" : "/" CGROUPFS_STATE);
	if (cgroupfs->news >= 0) {
		strcat(state, ",accounting=tracer");
		dup2(cgroupfs->news, STDIN_FILENO);
	}
	end_with(parent, SIGTERM);
	keep_capabilities();
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* by its name there a script is read, and a sanitizer starts anew */
	fcntl(cgroupfs->program, F_SETFD, 0);
	execveat(cgroupfs->program, "", arguments, environ, AT_EMPTY_PATH);
	dprintf(STDERR_FILENO, CGROUPFS_PROGRAM ": %s\n", strerror(errno));
	_exit(127);
}

static int start_daemon(const struct cgroupfs *cgroupfs)
{
	pid_t parent = getpid(), daemon = fork();
	int pidfd;

	if (!daemon)
		become_daemon(cgroupfs, parent);
	pidfd = daemon < 0 ? -1 : (int)syscall(__NR_pidfd_open, daemon, 0);
	if (pidfd < 0)
		dprintf(STDERR_FILENO, CGROUPFS_PROGRAM ": %s\n", strerror(errno));
	if (pidfd < 0 && daemon > 0)
		kill(daemon, SIGKILL);
	return pidfd;
}

/* In quiet: what is said goes to the log. */
static void become_starter(const struct cgroupfs *cgroupfs, int end, pid_t parent)
{
	dup2(cgroupfs->log, STDERR_FILENO);
	descriptors_close((int[]){end, cgroupfs->program, cgroupfs->news}, 3);
	if (chdir("/"))
		_exit(1);
	end_with(parent, SIGKILL);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for daemons but by their pidfd */
	while (channel_receive(end).word == CHANNEL_START) {
		int pidfd = start_daemon(cgroupfs);

		channel_send(end, CHANNEL_STARTED, pidfd);
		if (pidfd >= 0)
			close(pidfd);
	}
	_exit(0);
}

int starter_open(const struct cgroupfs *cgroupfs)
{
	pid_t parent = getpid(), starter;
	int ends[2];

	if (!channel_open(ends))
		return -1;
	starter = fork();
	if (!starter)
		become_starter(cgroupfs, ends[1], parent);
	close(ends[1]);
	if (starter > 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

int starter_start_daemon(int starter)
{
	channel_send(starter, CHANNEL_START, -1);
	return channel_receive(starter).descriptor;
}

void starter_close(int starter)
{
	close(starter);
	wait(NULL);
}
