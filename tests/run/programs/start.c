/* SPDX-License-Identifier: MIT */
/* Starts a command by vfork, posix_spawn, clone3 or fork: start HOW COMMAND... */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t start(const char *how, char **command)
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};
	pid_t pid = -1;

	if (!strcmp(how, "posix_spawn"))
		return posix_spawnp(&pid, command[0], NULL, NULL, command, environ) ? -1 : pid;
	if (!strcmp(how, "vfork"))
		pid = vfork();
	else if (!strcmp(how, "clone3"))
		pid = (pid_t)syscall(__NR_clone3, &arguments, sizeof(arguments));
	else if (!strcmp(how, "fork"))
		pid = fork();
	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 2 ? start(argv[1], argv + 2) : -1;
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
