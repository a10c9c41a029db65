/* Notices an unmount where the kernel does not tell (platform->unmounts_silently). */
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

#define INTERVAL_MS 500

struct watch {
	char *path;
	sem_t stop;
	pthread_t thread;
};

/* Whether the line of mountinfo is of the mount point: its fifth word (proc_pid_mountinfo(5)). */
static bool is_line_of(char *line, const char *path)
{
	char *rest = line, *word = NULL;

	for (int i = 0; i < 5; i++)
		word = strsep(&rest, " ");
	return word && !strcmp(word, path);
}

/* By the table: a request to our own mount might find nobody to answer it. */
static bool is_mounted(const struct watch *watch)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	bool found = !table; /* not to be known: as it was */
	char *line = NULL;
	size_t size = 0;

	while (table && !found && getline(&line, &size, table) > 0)
		found = is_line_of(line, watch->path);
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

	if (!is_mounted(watch))
		return NULL; /* written otherwise there: cannot be watched */
	do {
		if (is_stopped(watch))
			return NULL;
	} while (is_mounted(watch));
	log_debug("%s was unmounted", watch->path);
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
	watch->path = strdup(path);
	if (!watch->path) {
		free(watch);
		return NULL;
	}
	sem_init(&watch->stop, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&watch->thread, NULL, watch_mount, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return watch;
	free(watch->path);
	free(watch);
	return NULL;
}

void watch_stop(struct watch *watch)
{
	if (!watch)
		return;
	sem_post(&watch->stop);
	pthread_join(watch->thread, NULL);
	sem_destroy(&watch->stop);
	free(watch->path);
	free(watch);
}
