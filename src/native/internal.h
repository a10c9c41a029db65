/* SPDX-License-Identifier: MIT */
/* What the files of this room share. */
#ifndef NATIVE_INTERNAL_H
#define NATIVE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "native.h"

struct native {
	bool forgets;
	struct native_dir *roots; /* list by `next` */
	atomic_uint files; /* that are open */
	unsigned files_max; /* a third of those that the process may have */

	pthread_mutex_t lock; /* protects the queue */
	pthread_cond_t queued, done;
	struct native_dir *queue; /* of those that are to be removed, by `next`, oldest first */
	unsigned waiting; /* how many, with the one that is being removed */
	bool stop;
	pthread_t remover;
};

struct native_dir {
	struct native *native;
	struct native_dir *parent; /* held; NULL: a root */
	struct native_dir *next;
	char *name; /* in the parent; a root's is its controller's */
	atomic_uint references; /* its owner's, and its children's */
	unsigned files; /* of its own that are open */
	char *place; /* a root's, in its hierarchy; NULL: not known */
	int fd; /* the directory */
	int procs, tasks; /* cgroup.procs and tasks */
	int figures[NATIVE_FIGURES]; /* -1: it has no such file */
	int settings[NATIVE_SETTINGS]; /* the same */
	struct native_counter {
		atomic_uint_fast64_t removed; /* what was counted in those below that are gone */
		atomic_uint_fast64_t base; /* it was reset then */
		atomic_uint_fast64_t shown; /* the most that was answered since */
	} counters[NATIVE_FIGURES];
};

/* --- dir.c --- */

/* A directory that is open as `fd`, which it owns from here on, in any case. NULL with errno. */
struct native_dir *dir_open(struct native *native, struct native_dir *parent, const char *name, int fd);
/* What its file says now. */
bool dir_count(const struct native_dir *dir, enum native_figure figure, uint64_t *value);

/* --- place.c --- */

/*
 * Where in its hierarchy a root is, as a process of ours that is put there for a moment sees it; the caller
 * frees it. NULL: it is not known, as none may be put there.
 */
char *place_learn(const struct native_dir *root);

/* --- remove.c --- */

/* The thread that removes. 0 or -errno. The end removes all that wait. */
int remover_start(struct native *native);
void remover_stop(struct native *native);
/* Waits until none is to be removed. */
void remover_wait(struct native *native);

#endif
