/* SPDX-License-Identifier: MIT */
/*
 * Cgroup namespaces as boundaries of delegation (cgroup v2's nsdelegate). Which cgroup is the root of one no
 * file tells: it is where the task was that made it, of which fuse_cgroup_run tells before it does, or else
 * where its first task is that is seen.
 */
#include "delegation.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "machine_namespace.h"
#include "machine_task.h"

#define MAX_KNOWN 256
#define MAX_EXPECTED 32 /* of whom nothing was seen since: a ring */

struct namespace {
	ino_t inode;
	int file; /* of the namespace: no other gets its inode meanwhile */
	struct cgroup *root; /* held */
	bool is_used; /* as make_room() looks */
};

struct expectation {
	int directory; /* of the task in /proc */
	pid_t tid; /* as it was then */
	struct cgroup *root; /* held; NULL: this place is free */
};

struct delegation {
	pthread_mutex_t lock; /* protects what follows; the tree lock is inside it */
	ino_t own;
	struct namespace known[MAX_KNOWN];
	unsigned known_count;
	struct expectation expected[MAX_EXPECTED];
	unsigned expected_next;
};

struct delegation *delegation_new(const struct machine *machine)
{
	struct delegation *delegation = calloc(1, sizeof(*delegation));
	int directory = delegation ? machine_task_directory(machine, 0) : -1;

	if (!delegation)
		return NULL;
	pthread_mutex_init(&delegation->lock, NULL);
	if (directory >= 0) {
		delegation->own = machine_cgroup_namespace(machine, 0, directory);
		close(directory);
	}
	return delegation;
}

static void forget(struct namespace *namespace)
{
	close(namespace->file);
	cgroup_put(namespace->root);
}

static void drop(struct expectation *expectation)
{
	if (!expectation->root)
		return;
	close(expectation->directory);
	cgroup_put(expectation->root);
	expectation->root = NULL;
}

void delegation_free(struct delegation *delegation)
{
	if (!delegation)
		return;
	for (unsigned i = 0; i < MAX_EXPECTED; i++)
		drop(&delegation->expected[i]);
	for (unsigned i = 0; i < delegation->known_count; i++)
		forget(&delegation->known[i]);
	pthread_mutex_destroy(&delegation->lock);
	free(delegation);
}

/* Where the task is now, held. */
static struct cgroup *place_of(struct tree *tree, pid_t tid)
{
	struct task_id id = {.tid = tid};
	struct machine_task_stat stat;
	struct cgroup *cgroup;

	if (!machine_task_stat(tree->machine, tid, 0, &stat))
		id.start_time = stat.starttime;
	accounting_catch_up(tree->accounting);
	tree_read_lock(tree);
	cgroup = cgroup_get(cgroup_of_task(tree->unified, &id));
	tree_unlock(tree);
	return cgroup;
}

/* --- under its lock --- */

static struct namespace *find(struct delegation *delegation, ino_t inode)
{
	for (unsigned i = 0; i < delegation->known_count; i++) {
		if (delegation->known[i].inode == inode)
			return &delegation->known[i];
	}
	return NULL;
}

/* Where its maker was, held, if that is still in it. NULL: nobody who was expected has made it. */
static struct cgroup *take_expected(struct delegation *delegation, const struct machine *machine,
				     ino_t inode)
{
	for (unsigned i = 1; i <= MAX_EXPECTED; i++) {
		struct expectation *latest =
			&delegation->expected[(delegation->expected_next + MAX_EXPECTED - i) % MAX_EXPECTED];
		struct cgroup *root;

		if (!latest->root ||
		    machine_cgroup_namespace(machine, latest->tid, latest->directory) != inode)
			continue;
		root = cgroup_get(latest->root);
		drop(latest);
		return root;
	}
	return NULL;
}

static void note_used(ino_t inode, void *arg)
{
	struct namespace *namespace = find(arg, inode);

	if (namespace)
		namespace->is_used = true;
}

/* Forgets those that no process is in. False: all are used. */
static bool make_room(struct delegation *delegation, const struct machine *machine)
{
	unsigned kept = 0;

	if (delegation->known_count < MAX_KNOWN)
		return true;
	for (unsigned i = 0; i < MAX_KNOWN; i++)
		delegation->known[i].is_used = false;
	if (machine_cgroup_namespaces(machine, note_used, delegation))
		return false;
	for (unsigned i = 0; i < MAX_KNOWN; i++) {
		if (delegation->known[i].is_used)
			delegation->known[kept++] = delegation->known[i];
		else
			forget(&delegation->known[i]);
	}
	delegation->known_count = kept;
	return kept < MAX_KNOWN;
}

/* The root of a namespace that is not known yet, held. Known are so many only: of others it is not kept. */
static struct cgroup *learn(struct tree *tree, pid_t tid, int directory, ino_t inode)
{
	struct delegation *delegation = tree->delegation;
	struct cgroup *root = take_expected(delegation, tree->machine, inode);
	int file = make_room(delegation, tree->machine) ? machine_cgroup_namespace_open(directory) : -1;

	if (!root)
		root = place_of(tree, tid);
	if (file >= 0)
		delegation->known[delegation->known_count++] =
			(struct namespace){.inode = inode, .file = file, .root = cgroup_get(root)};
	return root;
}

static struct cgroup *root_of(struct tree *tree, pid_t tid, int directory)
{
	ino_t inode = machine_cgroup_namespace(tree->machine, tid, directory);
	struct namespace *namespace;

	if (!inode || !tree->delegation->own || inode == tree->delegation->own)
		return NULL;
	namespace = find(tree->delegation, inode);
	return namespace ? cgroup_get(namespace->root) : learn(tree, tid, directory, inode);
}

/* --- what others ask --- */

struct cgroup *delegation_root(struct tree *tree, pid_t tid)
{
	int directory = tid ? machine_task_directory(tree->machine, tid) : -1;
	struct cgroup *root;

	if (directory < 0)
		return NULL; /* it is not to be seen from here */
	pthread_mutex_lock(&tree->delegation->lock);
	root = root_of(tree, tid, directory);
	pthread_mutex_unlock(&tree->delegation->lock);
	close(directory);
	return root;
}

int delegation_expect(struct tree *tree, pid_t tid)
{
	struct delegation *delegation = tree->delegation;
	int directory = machine_task_directory(tree->machine, tid);
	struct expectation *next;

	if (directory < 0)
		return directory == -ENOENT ? -ESRCH : directory;
	pthread_mutex_lock(&delegation->lock);
	/* the one it is in now has to be known before it leaves it */
	cgroup_put(root_of(tree, tid, directory));
	next = &delegation->expected[delegation->expected_next];
	drop(next);
	*next = (struct expectation){directory, tid, place_of(tree, tid)};
	delegation->expected_next = (delegation->expected_next + 1) % MAX_EXPECTED;
	pthread_mutex_unlock(&delegation->lock);
	return 0;
}
