/* SPDX-License-Identifier: MIT */
/* A task's numbers in the pid namespaces that it is in. */
#include "task_numbers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of any thread since Linux 6.9 (PIDFD_THREAD), before of a process only. */
static int open_pidfd(pid_t tid)
{
	int pidfd = (int)syscall(__NR_pidfd_open, tid, O_EXCL);

	return pidfd < 0 ? (int)syscall(__NR_pidfd_open, tid, 0) : pidfd;
}

/* The pidfd's fdinfo, or "". */
static void read_info(int pidfd, char *text, size_t size)
{
	char path[48];
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	len = info < 0 ? -1 : read(info, text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	if (info >= 0)
		close(info);
}

unsigned task_numbers(pid_t tid, pid_t numbers[MACHINE_NSPID_MAX])
{
	int pidfd = open_pidfd(tid);
	unsigned count = 0;
	char text[1024], *at;

	if (pidfd < 0)
		return 0;
	read_info(pidfd, text, sizeof(text));
	close(pidfd);
	at = strstr(text, "\nNSpid:");
	for (at = at ? at + strlen("\nNSpid:") : NULL; at && *at == '\t' && count < MACHINE_NSPID_MAX;)
		numbers[count++] = (pid_t)strtol(at, &at, 10);
	return count;
}
