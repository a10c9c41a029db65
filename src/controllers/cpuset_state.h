/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPUSET_STATE_H
#define CONTROLLERS_CPUSET_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller.h"
#include "machine_sched.h"
#include "number.h"

/* MAX_NUMNODES of distributions' kernels, as BITMAP_MAX_BITS is their NR_CPUS */
#define CPUSET_NODES_MAX 1024
#define CPUSET_WRITE_LEN(bits) (100u + 6u * (bits)) /* cftype.max_write_len of the lists */

/* What the files of the cpuset controller share: the kernel's struct cpuset. */

enum cpuset_flags {
	CS_CPU_EXCLUSIVE = 1 << 0,
	CS_MEM_EXCLUSIVE = 1 << 1,
	CS_MEM_HARDWALL = 1 << 2,
	CS_MEMORY_MIGRATE = 1 << 3,
	CS_SCHED_LOAD_BALANCE = 1 << 4,
	CS_SPREAD_PAGE = 1 << 5,
	CS_SPREAD_SLAB = 1 << 6,
};

/* cpuset.cpus.partition; an invalid one is the negative. */
enum partition_state { PARTITION_MEMBER, PARTITION_ROOT, PARTITION_ISOLATED };

/* Why it is invalid (enum prs_errcode). */
enum partition_error {
	PARTITION_OK, PARTITION_CPUS, PARTITION_PARENT_INVALID, PARTITION_NO_PARENT, PARTITION_NOT_EXCLUSIVE,
	PARTITION_NO_CPUS, PARTITION_EMPTY, PARTITION_ACCESS, PARTITION_REMOTE_BELOW,
};

/* What v2 alone has of a cpuset (cpuset_partition.h). In v1 the masks are unused. */
struct partition {
	struct bitmap *cpus, *mems; /* effective */
	struct bitmap *exclusive; /* cpuset.cpus.exclusive */
	struct bitmap *xcpus; /* cpuset.cpus.exclusive.effective */
	int state; /* enum partition_state, or its negative */
	enum partition_error error;
	bool remote; /* its CPUs are taken from the root, not from its parent */
	unsigned turns; /* how often the state changed */
};

/*
 * On cgroup v1 the effective masks are always these two, and a root's are what is online. On v2 they are what
 * was written; a root's are what is online there too.
 */
struct cpuset {
	struct bitmap *cpus;
	struct bitmap *mems;
	unsigned flags; /* enum cpuset_flags */
	int relax_domain_level;
	struct partition v2;
	struct cpuset_top *top; /* the root's only */
};

/* What there is once a machine. */
struct cpuset_top {
	/* from a look at the machine until it is followed; outside the tree lock */
	pthread_mutex_t following;
	bool memory_pressure_enabled;
	unsigned nr_cpus; /* CONFIG_NR_CPUS, constant */
	unsigned domain_level_max; /* constant */
	struct machine_rt_limits rt_limits; /* when last looked at */
	/* v2: CPUs of the root that partitions have; of isolated ones */
	struct bitmap *subpartitions, *isolated;
	/*
	 * The kernel's tmpmasks.new_cpus: what is worked out for a cgroup lies here until it is kept, and
	 * what changes elsewhere by that leaves its own here. Then that is kept.
	 */
	struct bitmap *scratch;
};

struct bytes;

struct cpuset *cpuset_of(const struct cgroup *cgroup);
struct cpuset_top *cpuset_top(const struct cgroup *cgroup);

/*
 * validate_change of kernel/cgroup/cpuset.c: may `cgroup` become `trial`?
 * `populated`: it has tasks. Under the tree lock. 0, or
 * -EBUSY: a child would be no subset, or the deadline scheduler would lack room;
 * -EACCES: no subset of the parent; -ENOSPC: has tasks and would be empty;
 * -EINVAL: would overlap a sibling where one of the two is exclusive.
 */
int cpuset_validate_change(const struct cgroup *cgroup, const struct cpuset *trial, bool populated);

/*
 * cpuset_cpumask_can_shrink: the CPUs of `trial` must hold what the deadline scheduler has promised in the
 * domain, which is each CPU's fair server at least. Under the tree lock.
 */
bool cpuset_can_shrink(const struct cpuset_top *top, const struct bitmap *domain, const struct bitmap *trial);

/*
 * Fills the state of a root from the machine: what is online, and the constants. 0 or a negative errno; frees
 * with cpuset_exit() in any case.
 */
int cpuset_init_root(struct cpuset *cpuset, const struct machine *machine);
/*
 * Makes empty masks of that many bits where there are none yet. False: no memory; cpuset_exit() frees what
 * was made.
 */
bool cpuset_new_masks(struct cpuset *cpuset, unsigned cpus, unsigned mems);
/* Frees what the state points at. */
void cpuset_exit(void *state);

enum cpuset_follow { FOLLOW_CPUS = 1 << 0, FOLLOW_MEMS = 1 << 1, FOLLOW_LIMITS = 1 << 2 };

/*
 * Follows CPUs and nodes that came or went (cpuset_hotplug_workfn): the root
 * has what is online; what went leaves every cpuset, and does not come back
 * to it. `what` (enum cpuset_follow): the rest is not looked at. Takes the
 * tree lock itself, and looks once at a time: who looked earlier must not follow
 * later. 0 or a negative errno.
 */
int cpuset_follow_machine(struct hierarchy *hierarchy, unsigned what);

/* cpuset_v2.c */
extern const struct cftype cpuset_dfl_files[];
/* A list and a newline. 0 or -ENOMEM. */
int cpuset_add_list(struct text *out, const struct bitmap *map);
/* As bytes and back. 0, -EINVAL, -ENOMEM. */
void cpuset_put_mask(struct text *out, const struct bitmap *map);
int cpuset_get_mask(struct bytes *in, struct bitmap *map);
void cpuset_v2_save(const struct cpuset *cpuset, struct text *out);
int cpuset_v2_restore(struct cpuset *cpuset, struct bytes *in);

#endif
