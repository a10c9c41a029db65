/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPU_GROUP_H
#define CONTROLLERS_CPU_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

/* What the files of cpu share: the kernel's struct task_group, and what sets it. */

#define RUNTIME_INF UINT64_MAX /* no limit */
#define NSEC_PER_USEC 1000u

struct cpu_bandwidth {
	uint64_t period_us;
	uint64_t quota_us; /* or RUNTIME_INF */
	uint64_t burst_us;
};

struct cpu_rt_bandwidth {
	uint64_t period_ns;
	uint64_t runtime_ns; /* or RUNTIME_INF */
};

enum uclamp { UCLAMP_MIN, UCLAMP_MAX };

struct cpu {
	uint64_t shares;
	bool idle;
	struct cpu_bandwidth cfs;
	struct cpu_rt_bandwidth rt;
	uint64_t rt_default_period_ns; /* of new cgroups; the root's counts */
	unsigned uclamp[2]; /* v2: in 1/100 %, by enum uclamp */
};

struct cpu *cpu_of(const struct cgroup *cgroup);

/* As a new cgroup has it, but for the rt part. */
void cpu_group_init(struct cpu *cpu);

/* A share of one CPU in units of 2^-20 (to_ratio of kernel/sched/core.c). */
uint64_t cpu_ratio(uint64_t period, uint64_t runtime);

/* sched_group_set_shares: what is out of bounds becomes the nearest. -EINVAL: a root, or an idle cgroup. */
int cpu_set_shares(struct cgroup *cgroup, uint64_t shares);
/* tg_set_bandwidth but for what the cgroups around say, which is v1's own rule. -EINVAL. */
int cpu_set_bandwidth(struct cgroup *cgroup, const struct cpu_bandwidth *wanted);
/* us; the ratio that the cgroups around compare does not depend on it. */
uint64_t cpu_burst_read(struct cgroup *cgroup, const struct cgroup_file *file);
int cpu_burst_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t burst_us);
int64_t cpu_idle_read(struct cgroup *cgroup, const struct cgroup_file *file);
int cpu_idle_write(struct cgroup *cgroup, const struct cgroup_file *file, int64_t idle);

#endif
