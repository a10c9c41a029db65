/* SPDX-License-Identifier: MIT */
/* Notices an unmount where the kernel does not tell (platform->unmounts_silently). */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "text.h"

#define INTERVAL_MS 500

struct watch {
	const char *path;
	unsigned long mount; /* its number: another one on the same path is not ours; 0: unknown */
	sem_t stop;
	pthread_t thread;
};

/* Whether the line of mountinfo is of a mount on `path`: its fifth word (proc_pid_mountinfo(5)). */
static bool is_line_of(char *line, const char *path)
{
	char *rest = line, *word = NULL;

	for (int i = 0; i < 5; i++)
		word = strsep(&rest, " ");
	if (!word)
		return false;
	text_unescape(word);
	return !strcmp(word, path);
}

/* The number of the mount on `path`: the last is on top. 0: none. */
static unsigned long find_mount(const char *path)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	unsigned long found = 0;
	char *line = NULL;
	size_t size = 0;

	while (table && getline(&line, &size, table) > 0) {
		if (is_line_of(line, path))
			found = strtoul(line, NULL, 10);
	}
	free(line);
	if (table)
		fclose(table);
	return found;
}

/* By the table: a request to our own mount might find nobody to answer it. */
static bool is_mounted(unsigned long mount)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	bool found = !table; /* not to be known: as it was */
	char *line = NULL;
	size_t size = 0;

	while (table && !found && getline(&line, &size, table) > 0)
		found = strtoul(line, NULL, 10) == mount;
	free(line);
	if (table)
		fclose(table);
	return found;
}

/* Waits for the next look. */
static bool is_stopped(struct watch *watch)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += INTERVAL_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000l;
	until.tv_nsec %= 1000000000l;
	return !sem_timedwait(&watch->stop, &until);
}

/* Ends the program as SIGTERM does, once the mount is gone. */
static void *watch_mount(void *argument)
{
	struct watch *watch = argument;

	watch->mount = find_mount(watch->path);
	if (!watch->mount)
		return NULL; /* written otherwise there: cannot be watched */
	do {
		if (is_stopped(watch))
			return NULL;
	} while (is_mounted(watch->mount));
	log_debug("the filesystem was unmounted");
	kill(getpid(), SIGTERM);
	return NULL;
}

struct watch *watch_start(const char *path)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	sigset_t all, before;
	int error;

	if (!watch)
		return NULL;
	watch->path = path;
	sem_init(&watch->stop, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&watch->thread, NULL, watch_mount, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return watch;
	sem_destroy(&watch->stop);
	free(watch);
	return NULL;
}

/*
 * Who waits for an answer of ours holds a lock of gVisor's that the mount table
 * needs. Libfuse goes on to close what now is no connection.
 */
static void drop_connection(int fd)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing >= 0) {
		dup3(nothing, fd, O_CLOEXEC);
		close(nothing);
	}
}

bool watch_stop(struct watch *watch, int fd)
{
	bool gone;

	if (!watch)
		return false;
	drop_connection(fd);
	sem_post(&watch->stop);
	pthread_join(watch->thread, NULL);
	sem_destroy(&watch->stop);
	gone = watch->mount && !is_mounted(watch->mount);
	free(watch);
	return gone;
}
