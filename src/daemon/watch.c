/* Notices an unmount where the kernel does not tell (platform->unmounts_silently). */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"

#define INTERVAL_MS 500

struct watch {
	char *path;
	dev_t device; /* of our mount */
	pthread_t thread;
};

static bool is_mounted(const struct watch *watch)
{
	struct stat st;

	return !stat(watch->path, &st) && st.st_dev == watch->device;
}

/* Ends the program as SIGTERM does, once the mount is gone. */
static void *watch_mount(void *argument)
{
	const struct timespec interval = {.tv_nsec = INTERVAL_MS * 1000000l};
	struct watch *watch = argument;
	struct stat st;

	if (stat(watch->path, &st)) /* answered by the loop: waits until it runs */
		return NULL;
	watch->device = st.st_dev;
	do
		nanosleep(&interval, NULL);
	while (is_mounted(watch));
	log_info("%s was unmounted", watch->path);
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
	pthread_cancel(watch->thread);
	pthread_join(watch->thread, NULL);
	free(watch->path);
	free(watch);
}
