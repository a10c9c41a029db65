/* SPDX-License-Identifier: MIT */
/* Many threads at once ask for the filesystem's type and read tables, with signals all the while. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#define THREADS 64
#define TIMES 200

static _Atomic unsigned wrong;

static bool is_right(unsigned i)
{
	struct statfs fs;
	char text[64];
	int fd;

	if (statfs(i % 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", &fs) ||
	    fs.f_type != (i % 2 ? 0x01021994 : 0x27e0eb))
		return false;
	if (i % 8)
		return true;
	fd = open(i % 16 ? "/proc/thread-self/cgroup" : "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text)) != sizeof(text))
		return false;
	return !close(fd);
}

static void *ask(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < TIMES; i++)
		wrong += !is_right(i);
	return NULL;
}

static void ignore(int number)
{
	(void)number;
}

int main(void)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	pthread_t threads[THREADS];

	sigaction(SIGURG, &action, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, ask, NULL))
			exit(2);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned j = 0; j < 100; j++)
			pthread_kill(threads[i], SIGURG);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%u\n", wrong);
	return 0;
}
