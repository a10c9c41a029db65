/* SPDX-License-Identifier: MIT */
/*
 * Removing the kernel's cgroups, by a thread of its own: gVisor's rmdir takes the lock of all mounts, and who
 * has that may wait for a request to us (PrepareDeleteDentry() of pkg/sentry/vfs/dentry.go).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "log.h"
#include "number.h"

#define ATTEMPTS 8 /* tasks may fork meanwhile */

/* Those who are in it go where they are in ours. */
static void evict(const struct native_dir *dir)
{
	char text[4096 + 1];
	ssize_t len;
	const char *at = text, *end;

	len = pread(dir->tasks, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	while (*at) {
		uint64_t number = number_simple_u64(at, 10, &end);

		if (end == at)
			break;
		native_attach(dir->parent, (pid_t)number, false);
		at = text_skip_spaces(end);
	}
}

/* What was counted in it is missing in those above it from now on. */
static void hand_on(const struct native_dir *dir, const uint64_t counted[NATIVE_FIGURES])
{
	for (struct native_dir *above = dir->parent; above; above = above->parent) {
		for (enum native_figure figure = 0; figure < NATIVE_FIGURES; figure++)
			above->counters[figure].removed += counted[figure];
	}
}

static void remove_dir(struct native_dir *dir)
{
	uint64_t counted[NATIVE_FIGURES] = {0};
	int error = EBUSY;

	for (int i = 0; i < ATTEMPTS && (error == EBUSY || error == ENOTEMPTY); i++) {
		evict(dir);
		for (enum native_figure figure = 0; figure < NATIVE_FIGURES; figure++)
			dir_count(dir, figure, &counted[figure]);
		error = unlinkat(dir->parent->fd, dir->name, AT_REMOVEDIR) ? errno : 0;
	}
	if (!error && dir->native->forgets)
		hand_on(dir, counted);
	if (error)
		log_warning("native: %s cannot be removed: %s", dir->name, strerror(error));
	native_put(dir);
}

static struct native_dir *next_dir(struct native *native)
{
	struct native_dir *dir;

	pthread_mutex_lock(&native->lock);
	while (!native->queue && !native->stop)
		pthread_cond_wait(&native->queued, &native->lock);
	dir = native->queue;
	if (dir)
		native->queue = dir->next;
	pthread_mutex_unlock(&native->lock);
	return dir;
}

static void *remover_run(void *argument)
{
	struct native *native = argument;
	struct native_dir *dir;

	while ((dir = next_dir(native))) {
		remove_dir(dir);
		pthread_mutex_lock(&native->lock);
		native->waiting--;
		pthread_cond_broadcast(&native->done);
		pthread_mutex_unlock(&native->lock);
	}
	return NULL;
}

void native_remove(struct native_dir *dir)
{
	struct native *native = dir->native;
	struct native_dir **end = &native->queue;

	pthread_mutex_lock(&native->lock);
	while (*end)
		end = &(*end)->next;
	*end = dir;
	dir->next = NULL;
	native->waiting++;
	pthread_cond_signal(&native->queued);
	pthread_mutex_unlock(&native->lock);
}

void remover_wait(struct native *native)
{
	pthread_mutex_lock(&native->lock);
	while (native->waiting)
		pthread_cond_wait(&native->done, &native->lock);
	pthread_mutex_unlock(&native->lock);
}

/* Signals are the main thread's, which waits for them. */
int remover_start(struct native *native)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = -pthread_create(&native->remover, NULL, remover_run, native);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

void remover_stop(struct native *native)
{
	pthread_mutex_lock(&native->lock);
	native->stop = true;
	pthread_cond_signal(&native->queued);
	pthread_mutex_unlock(&native->lock);
	pthread_join(native->remover, NULL);
}
