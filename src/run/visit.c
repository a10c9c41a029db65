/* SPDX-License-Identifier: MIT */
/* Threads in other mount namespaces. */
#include "visit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

struct job {
	int namespace;
	int (*work)(void *argument);
	void *argument;
	int result;
};

static int enter(int namespace)
{
	/* The root and the working directory, which come with the namespace, are the thread's own first. */
	return unshare(CLONE_FS) || setns(namespace, CLONE_NEWNS) ? -errno : 0;
}

static void *run(void *argument)
{
	struct job *job = argument;

	job->result = job->namespace >= 0 ? enter(job->namespace) : 0;
	if (!job->result)
		job->result = job->work(job->argument);
	return NULL;
}

int visit(int namespace, int (*work)(void *argument), void *argument)
{
	struct job job = {namespace, work, argument, 0};
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, &job);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return job.result;
}

struct shut_in {
	const char *path;
	int namespace, root;
};

/* From the namespace's own root on, which a chroot hides. Where it cannot be, more is kept than is needed. */
static void drop_others(const struct shut_in *shut_in)
{
	if (!fchdir(shut_in->root) && !syscall(__NR_pivot_root, ".", "."))
		umount2(".", MNT_DETACH);
}

static int shut_in(void *argument)
{
	struct shut_in *shut_in = argument;

	if (unshare(CLONE_NEWNS))
		return -errno;
	shut_in->namespace = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	shut_in->root = open(shut_in->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (shut_in->namespace < 0 || shut_in->root < 0 || setns(shut_in->namespace, CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	drop_others(shut_in);
	return 0;
}

int visit_shut_in(const char *path, int *root)
{
	struct shut_in made = {path, -1, -1};
	int error = visit(-1, shut_in, &made);

	*root = made.root;
	if (!error)
		return made.namespace;
	if (made.namespace >= 0)
		close(made.namespace);
	if (made.root >= 0)
		close(made.root);
	return error;
}
