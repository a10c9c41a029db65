/* SPDX-License-Identifier: MIT */
/* A signal to a process, and to no other that has its number by now. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine_task.h"

int machine_process_signal(const struct machine *machine, pid_t pid, uint64_t start_time, int signal)
{
	struct machine_task_stat stat;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), error;

	if (pidfd < 0)
		return -errno;
	error = machine_task_stat(machine, pid, 0, &stat);
	if (error == -EBUSY && signal == SIGCONT)
		error = 0; /* who hangs would stop once it goes on: a stranger that hangs is not stopped */
	else if (!error && stat.starttime != start_time)
		error = -ESRCH;
	if (!error && syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0))
		error = -errno;
	close(pidfd);
	return error;
}
