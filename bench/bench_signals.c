/* SPDX-License-Identifier: MIT */
/*
 * Calls that a handler without SA_RESTART interrupts, which no caught call may show: PROCESSES at once
 * make so many CALLS each, with a signal every 200 us. Prints how many signals came and how many
 * calls failed with EINTR.
 *
 *     bench_signals open|statfs|table PROCESSES CALLS
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define INTERVAL_US 200

static struct {
	_Atomic unsigned long signals, interrupted;
} *counted;

static void handle(int number)
{
	(void)number;
	counted->signals++;
}

static int open_and_close(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int call(const char *what)
{
	struct statfs fs;

	if (!strcmp(what, "open"))
		return open_and_close("/etc/passwd");
	if (!strcmp(what, "table"))
		return open_and_close("/proc/self/mountinfo");
	return statfs("/sys/fs/cgroup/cpu", &fs);
}

static int repeat(const char *what, unsigned long calls)
{
	const struct sigaction action = {.sa_handler = handle};
	const struct itimerval often = {{0, INTERVAL_US}, {0, INTERVAL_US}}, never = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned long i = 0; i < calls; i++) {
		if (call(what) >= 0)
			continue;
		if (errno != EINTR)
			return 1;
		counted->interrupted++;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int status, failed = 0;

	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 4 || counted == MAP_FAILED)
		return 2;
	for (int i = 0; i < atoi(argv[2]); i++) {
		if (!fork())
			_exit(repeat(argv[1], strtoul(argv[3], NULL, 10)));
	}
	while (wait(&status) > 0)
		failed |= status;
	printf("%lu %lu\n", counted->signals, counted->interrupted);
	return failed != 0;
}
