/* SPDX-License-Identifier: MIT */
/* Which cgroups are the roots of a cgroup namespace. */
#include "cgroup_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "fair.h"
#include "machine_namespace.h"
#include "peer_number.h"
#include "share.h"
#include "view.h"

#define MAX_KNOWN 4096 /* each keeps a descriptor open */
#define SPARE 32 /* as many may be gone, beside as many as there are, before they are looked for */
#define MAX_EXPECTED 256 /* calls of unshare(2) that nothing was heard of since */

struct namespace {
	ino_t inode;
	uid_t user; /* of its first task that was seen */
	int file; /* of the namespace: as long as it is open no other gets that inode */
	bool has_process; /* as of the last look at all */
	struct text roots;
};

struct expectation {
	uid_t user;
	int task; /* its directory of /proc: a number would become another's */
	pid_t tid; /* as it was then */
	struct text roots;
};

/* Protects what follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The oldest first. Of more than there is room for, the oldest of the user who has most are forgotten. */
static struct namespace known[MAX_KNOWN];
static unsigned known_count;
static unsigned known_most = SPARE; /* then those that are gone are looked for */
static struct expectation expected[MAX_EXPECTED];
static unsigned expected_count;

#define NAME "ns/cgroup"

/* 0: the task has ended, or the kernel has no such namespaces. */
static ino_t namespace_of(const struct peer *peer)
{
	struct stat st;

	return peer_proc_stat(peer, NAME, &st) ? 0 : st.st_ino;
}

static ino_t our_namespace(void)
{
	struct stat st;

	return stat("/proc/self/" NAME, &st) ? 0 : st.st_ino;
}

static struct namespace *find(ino_t inode)
{
	for (unsigned i = 0; i < known_count; i++) {
		if (known[i].inode == inode)
			return &known[i];
	}
	return NULL;
}

static void forget(unsigned i)
{
	close(known[i].file);
	text_free(&known[i].roots);
	array_remove(known, i, --known_count, sizeof(known[0]));
}

static void note_process(ino_t inode, void *unused)
{
	struct namespace *namespace = find(inode);

	(void)unused;
	if (namespace)
		namespace->has_process = true;
}

/* Finds out which ones have processes. False: it cannot be told. */
static bool look_at_all(const struct machine *machine)
{
	for (unsigned i = 0; i < known_count; i++)
		known[i].has_process = false;
	return !machine_cgroup_namespaces(machine, note_process, NULL);
}

/* Makes room for another: by those that are gone, or else by one. */
static void make_room(const struct machine *machine)
{
	if (known_count < known_most)
		return;
	if (look_at_all(machine)) {
		for (unsigned i = known_count; i-- > 0;) {
			if (!known[i].has_process)
				forget(i);
		}
	}
	known_most = 2 * known_count + SPARE;
	if (known_most > MAX_KNOWN)
		known_most = MAX_KNOWN;
	if (known_count == MAX_KNOWN)
		forget(fair_victim(&known[0].user, sizeof(known[0]), known_count));
}

static void drop(unsigned i)
{
	close(expected[i].task);
	text_free(&expected[i].roots);
	array_remove(expected, i, --expected_count, sizeof(expected[0]));
}

/* Where the maker of the namespace was, if it still is in it. */
static bool take_expected(const struct machine *machine, ino_t inode, struct text *roots)
{
	for (unsigned i = expected_count; i-- > 0;) {
		if (machine_cgroup_namespace(machine, expected[i].tid, expected[i].task) != inode)
			continue;
		*roots = expected[i].roots;
		expected[i].roots = (struct text){0};
		drop(i);
		return true;
	}
	return false;
}

static int learn(struct view *view, const struct peer *peer, ino_t inode)
{
	struct namespace namespace = {.inode = inode, .user = share_user(peer)};
	int error = 0;

	namespace.file = peer_proc_open(peer, NAME, O_RDONLY);
	if (namespace.file < 0)
		return namespace.file;
	if (!take_expected(view->machine, inode, &namespace.roots))
		error = view_memberships(view, peer, &namespace.roots);
	if (error) {
		text_free(&namespace.roots);
		close(namespace.file);
		return error;
	}
	make_room(view->machine);
	known[known_count++] = namespace;
	return 0;
}

int cgroup_namespace_roots(struct view *view, const struct peer *peer, struct text *roots)
{
	ino_t inode = namespace_of(peer);
	int error = 0;

	text_clear(roots);
	if (!inode || inode == our_namespace())
		return 0;
	pthread_mutex_lock(&lock);
	if (!find(inode))
		error = learn(view, peer, inode);
	if (!error) {
		const struct text *found = &find(inode)->roots;

		text_add_bytes(roots, found->data, found->len);
	}
	pthread_mutex_unlock(&lock);
	return error ? error : roots->error;
}

static void expect(const struct expectation *expectation)
{
	pthread_mutex_lock(&lock);
	if (expected_count == MAX_EXPECTED)
		drop(fair_victim(&expected[0].user, sizeof(expected[0]), expected_count));
	expected[expected_count++] = *expectation;
	pthread_mutex_unlock(&lock);
}

void cgroup_namespace_expect(struct view *view, const struct peer *peer)
{
	int task = peer_proc_open(peer, ".", O_PATH | O_DIRECTORY);
	struct text roots = {0};

	if (task < 0)
		return;
	/* The one it is in now has to be known before it leaves it. */
	if (!cgroup_namespace_roots(view, peer, &roots) && !view_memberships(view, peer, &roots)) {
		expect(&(struct expectation){share_user(peer), task, peer->tid, roots});
		return;
	}
	text_free(&roots);
	close(task);
}
