/* SPDX-License-Identifier: MIT */
/*
 * Tells those who poll a file, and those who watch it with inotify, that it has news. A FUSE server can
 * raise IN_MODIFY in one way only: by writing to the file through its own mount, which op_write() takes for
 * what it is. So that is done by a thread of its own, which holds nothing meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "freezer.h"
#include "log.h"
#include "operations.h"
#include "own_mount.h"

#define REST_NS 10000000 /* CGROUP_FILE_NOTIFY_MIN_INTV: between two rounds */
#define PATIENCE_S 2 /* at the end */
#define LOOK_NS 1000000000 /* between looks for who has ended, where nobody tells */
#define FREEZING_NS 50000000 /* between looks whether those stand that are to freeze: nobody tells of that */

struct notifier {
	struct front_end *front;
	const char *mount; /* where the tree was mounted */
	dev_t device; /* of the mount */
	pthread_t thread;
	atomic_int tid; /* of the thread */
	sem_t woken;
	atomic_bool quit;
};

static void wake(void *context)
{
	struct notifier *notifier = context;
	int value;

	if (!sem_getvalue(&notifier->woken, &value) && value < 1)
		sem_post(&notifier->woken);
}

void notifier_wake(struct notifier *notifier)
{
	if (notifier)
		wake(notifier);
}

bool notifier_is(const struct notifier *notifier, pid_t tid)
{
	return tid == notifier->tid;
}

/*
 * Wakes who polls the file. Without the handle's lock, which one may hold who waits for a process: everybody
 * waits for handles_lock.
 */
static void wake_pollers(struct front_end *front, const struct cgroup *cgroup, const struct cgroup_file *file)
{
	struct fuse_pollhandle *waiter;
	struct handle *handle;

	pthread_mutex_lock(&front->handles_lock);
	DL_FOREACH(front->handles, handle) {
		if (handle->node.cgroup != cgroup || handle->node.file != file)
			continue;
		waiter = atomic_exchange(&handle->waiter, NULL);
		if (waiter) {
			fuse_notify_poll(waiter);
			fuse_pollhandle_destroy(waiter);
		}
	}
	pthread_mutex_unlock(&front->handles_lock);
}

/*
 * IN_MODIFY, by a write that does nothing. An ordinary user may not write what is not to be written: then
 * nobody is told.
 */
static void raise_modify(const struct notifier *notifier, struct cgroup *cgroup,
			 const struct cgroup_file *file)
{
	struct tree *tree = cgroup_tree(cgroup);
	struct text path = {0};
	int fd;

	tree_read_lock(tree);
	if (cgroup->parent)
		cgroup_add_path(cgroup, &path);
	tree_unlock(tree);
	text_add(&path, "/");
	text_add(&path, file->name);
	text_add_bytes(&path, "", 1);
	fd = path.error ? -1 : own_mount_open(tree->machine, notifier->mount, notifier->device, path.data);
	if (fd >= 0) {
		if (write(fd, "\n", 1) < 0)
			log_debug("notifier: %s: %s", path.data, strerror(errno));
		close(fd);
	}
	text_free(&path);
}

static void tell(void *context, struct cgroup *cgroup, const struct cgroup_file *file)
{
	struct notifier *notifier = context;

	wake_pollers(notifier->front, cgroup, file);
	raise_modify(notifier, cgroup, file);
}

/* Has accounting find out who has ended. */
static void look_for_ends(struct tree *tree)
{
	struct cgroup *cgroup;
	struct task_list list;

	tree_read_lock(tree);
	cgroup = cgroup_get(tree->unified->root);
	tree_unlock(tree);
	if (!accounting_list(&cgroup->group, &list))
		free(list.tasks);
	cgroup_put(cgroup);
}

static void wait_at_most(struct notifier *notifier, long ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	ns += until.tv_nsec;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	while (sem_timedwait(&notifier->woken, &until) && errno == EINTR)
		;
}

static void wait_for_news(struct notifier *notifier, bool freezing)
{
	const bool tells = accounting_tells_exits(notifier->front->accounting);

	if (freezing || !tells) {
		wait_at_most(notifier, freezing ? FREEZING_NS : LOOK_NS);
		if (!tells)
			look_for_ends(notifier->front->tree);
		return;
	}
	while (sem_wait(&notifier->woken) && errno == EINTR)
		;
}

static void *run(void *argument)
{
	struct notifier *notifier = argument;

	notifier->tid = gettid();
	notifier->device = own_mount_device(notifier->mount);
	while (!notifier->quit) {
		bool freezing;

		tree_tell_events(notifier->front->tree, tell, notifier);
		freezing = freezer_look_again(notifier->front->tree);
		nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
		wait_for_news(notifier, freezing);
	}
	return NULL;
}

struct notifier *notifier_start(struct front_end *front, const char *mount)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));
	sigset_t all, before;
	int error;

	if (!notifier)
		return NULL;
	notifier->front = front;
	notifier->mount = mount;
	sem_init(&notifier->woken, 0, 0);
	accounting_on_news(front->accounting, wake, notifier);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&notifier->thread, NULL, run, notifier);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return notifier;
	accounting_on_news(front->accounting, NULL, NULL);
	free(notifier);
	return NULL;
}

void notifier_stop(struct notifier *notifier)
{
	struct timespec until;

	if (!notifier)
		return;
	accounting_on_news(notifier->front->accounting, NULL, NULL);
	notifier->quit = true;
	sem_post(&notifier->woken);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (pthread_timedjoin_np(notifier->thread, NULL, &until))
		return; /* the mount lives on elsewhere, unserved: the thread ends with the process */
	sem_destroy(&notifier->woken);
	free(notifier);
}
