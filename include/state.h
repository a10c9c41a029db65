/* SPDX-License-Identifier: MIT */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"

/*
 * The state directory: what the next daemon goes on with when this one was
 * killed or replaced. docs/state.md has the files and what is kept.
 *
 * Whatever changes the tree is done between state_begin() and state_end(),
 * which lets one change in at a time: so the journal has them in the order
 * that they happened. Only a write that looks at processes (a row's `act`) is done
 * before: one may hang, and as entries are whole states, their order is enough.
 * state_end() returns when what changed is kept. All
 * functions but state_open() take NULL for "no state directory" and do nothing then.
 *
 * Its lock is outside the tree's.
 */
struct state;

/*
 * Takes the directory, which is made (0700) when it is missing, for this
 * daemon alone, and brings `tree` to what was kept there: before
 * accounting_start() and before the tree is served. NULL when that cannot be:
 * *problem is then one line that says why and what to do; free() it.
 */
struct state *state_open(const char *directory, struct tree *tree, char **problem);

/*
 * After accounting_start(): takes up the processes again, and starts the
 * thread that keeps what happens while nobody asks; false when there can be none.
 * NULL keeps nothing: true. Reads /proc.
 */
bool state_start(struct state *state);

/* The daemon ends in order: keeps all, to the disk. Before the tree is freed. */
void state_close(struct state *state);

/* Around a change: see above. */
void state_begin(struct state *state);
void state_end(struct state *state);

/* Between the two. */

/* What the path names was made, renamed to this, or had attributes changed. */
void state_keep_path(struct state *state, const char *path);
/* The same of an open file, whose path is not known. */
void state_keep_attributes(struct state *state, struct cgroup *cgroup);
/* A file of the cgroup was written to: it and what is above and below may have changed. */
void state_keep_values(struct state *state, struct cgroup *cgroup);
/* The cgroup with this number was removed, which the path named. */
void state_keep_removal(struct state *state, const char *path, uint64_t number);

/*
 * A figure of the cgroup was made, and is about to be shown: it is kept when
 * this returns. Not between state_begin() and state_end().
 */
void state_shown(struct state *state, struct cgroup *cgroup);

#endif
