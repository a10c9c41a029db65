/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_FREEZING_H
#define CONTROLLERS_FREEZING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

/* What the files of v1 and v2 ask of the freezer. */

/* What freezes a cgroup, itself or an ancestor, and whether all of it stands still. */
enum freezer_state { FREEZING_SELF = 1 << 0, FREEZING_PARENT = 1 << 1, FROZEN = 1 << 2 };

#define FREEZING (FREEZING_SELF | FREEZING_PARENT)

struct stopper;

/* The controller's state of a cgroup, which freezing.c alone looks into. Under the tree lock. */
struct freezer {
	unsigned state; /* enum freezer_state */
	unsigned changes; /* counts what makes a look at the members out of date */
	unsigned turns; /* how often it became FROZEN, or was it no more */
	/* monotonic ns: when it began to freeze, if it does; how long it did before */
	uint64_t freezing_since, frozen_ns;
	/* The root's only. */
	struct stopper *stopper; /* NULL: nobody is stopped */
	atomic_uint frozen_cgroups; /* that have FREEZING_SELF; changes under the tree lock */
};

/*
 * Freezes or thaws the cgroup and all below, and stops or continues members. Reads /proc, without the tree
 * lock. 0, -ENODEV, -ENOMEM.
 */
int freezer_change(struct cgroup *cgroup, bool freeze);
/*
 * Its state (enum freezer_state), after a look at who stands still if it freezes. Reads /proc, without the
 * tree lock. 0 or -ENOMEM.
 */
int freezer_look(struct cgroup *cgroup, unsigned *state);

/*
 * All under the tree lock: what freezes it, FREEZING_SELF, FREEZING_PARENT or both; how often it became
 * frozen or not; how long it has been freezing in all, in ns.
 */
unsigned freezer_asked(const struct cgroup *cgroup);
uint64_t freezer_turns(const struct cgroup *cgroup);
uint64_t freezer_frozen_ns(const struct cgroup *cgroup);

/* The controller's own part in a cgroup's life (controller.h). */
int freezer_init(struct cgroup *cgroup, void *state);
void freezer_online(struct cgroup *cgroup);
void freezer_offline(struct cgroup *cgroup);
void freezer_exit(void *state);
void freezer_save(struct cgroup *cgroup, struct text *out);
int freezer_restore(struct cgroup *cgroup, struct bytes *in);
void freezer_attach(struct cgroup *cgroup, const struct task_list *tasks);

/* freezer_v2.c */
extern const struct cftype freezer_dfl_files[];

#endif
