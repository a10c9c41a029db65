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

#include "array.h"
#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "fair.h"
#include "machine_namespace.h"
#include "machine_task.h"

#define MAX_KNOWN 256
#define MAX_EXPECTED 256 /* of whom nothing was seen since */

struct namespace {
	ino_t inode;
	uid_t user; /* of its first task that was seen */
	int file; /* of the namespace: no other gets its inode meanwhile */
	struct cgroup *root; /* held */
	bool is_used; /* as make_room() looks */
};

struct expectation {
	uid_t user;
	int directory; /* of the task in /proc */
	pid_t tid; /* as it was then */
	struct cgroup *root; /* held */
};

struct delegation {
	pthread_mutex_t lock; /* protects what follows; the tree lock is inside it */
	ino_t own;
	/* The oldest first. Of too many the oldest of the user who has most are forgotten. */
	struct namespace known[MAX_KNOWN];
	unsigned known_count;
	struct expectation expected[MAX_EXPECTED];
	unsigned expected_count;
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

static void forget(struct delegation *delegation, unsigned i)
{
	struct namespace *known = delegation->known;

	close(known[i].file);
	cgroup_put(known[i].root);
	array_remove(known, i, --delegation->known_count, sizeof(known[0]));
}

static void drop(struct delegation *delegation, unsigned i)
{
	struct expectation *expected = delegation->expected;

	close(expected[i].directory);
	cgroup_put(expected[i].root);
	array_remove(expected, i, --delegation->expected_count, sizeof(expected[0]));
}

void delegation_free(struct delegation *delegation)
{
	if (!delegation)
		return;
	while (delegation->expected_count)
		drop(delegation, delegation->expected_count - 1);
	while (delegation->known_count)
		forget(delegation, delegation->known_count - 1);
	pthread_mutex_destroy(&delegation->lock);
	free(delegation);
}

static uid_t user_of(const struct machine *machine, pid_t tid)
{
	struct machine_task_status status;

	return machine_task_status(machine, tid, 0, &status) ? FAIR_NOBODY : status.uid[0];
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
	for (unsigned i = delegation->expected_count; i-- > 0;) {
		const struct expectation *latest = &delegation->expected[i];
		struct cgroup *root;

		if (machine_cgroup_namespace(machine, latest->tid, latest->directory) != inode)
			continue;
		root = cgroup_get(latest->root);
		drop(delegation, i);
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

/* Makes room for another: by those that no process is in, or else by one. */
static void make_room(struct delegation *delegation, const struct machine *machine)
{
	struct namespace *known = delegation->known;

	if (delegation->known_count < MAX_KNOWN)
		return;
	for (unsigned i = 0; i < MAX_KNOWN; i++)
		known[i].is_used = false;
	if (!machine_cgroup_namespaces(machine, note_used, delegation)) {
		for (unsigned i = MAX_KNOWN; i-- > 0;) {
			if (!known[i].is_used)
				forget(delegation, i);
		}
	}
	if (delegation->known_count == MAX_KNOWN)
		forget(delegation, fair_victim(&known[0].user, sizeof(known[0]), MAX_KNOWN));
}

/* The root of a namespace that is not known yet, held. */
static struct cgroup *learn(struct tree *tree, pid_t tid, int directory, ino_t inode)
{
	struct delegation *delegation = tree->delegation;
	struct cgroup *root = take_expected(delegation, tree->machine, inode);
	int file = machine_cgroup_namespace_open(directory);

	if (!root)
		root = place_of(tree, tid);
	if (file < 0)
		return root;
	make_room(delegation, tree->machine);
	delegation->known[delegation->known_count++] = (struct namespace){
		.inode = inode, .user = user_of(tree->machine, tid), .file = file, .root = cgroup_get(root)};
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

	if (directory < 0)
		return directory == -ENOENT ? -ESRCH : directory;
	pthread_mutex_lock(&delegation->lock);
	/* the one it is in now has to be known before it leaves it */
	cgroup_put(root_of(tree, tid, directory));
	if (delegation->expected_count == MAX_EXPECTED)
		drop(delegation, fair_victim(&delegation->expected[0].user, sizeof(delegation->expected[0]),
					     MAX_EXPECTED));
	delegation->expected[delegation->expected_count++] = (struct expectation){
		user_of(tree->machine, tid), directory, tid, place_of(tree, tid)};
	pthread_mutex_unlock(&delegation->lock);
	return 0;
}
