#ifndef CONTROLLERS_CPU_H
#define CONTROLLERS_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

/* What cpu.c and cpu_rt.c share: the kernel's struct task_group. */

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

struct cpu {
	uint64_t shares;
	bool idle;
	struct cpu_bandwidth cfs;
	struct cpu_rt_bandwidth rt;
	uint64_t rt_default_period_ns; /* of new cgroups; the root's counts */
};

struct cpu *cpu_of(const struct cgroup *cgroup);

/* A share of one CPU in units of 2^-20 (to_ratio of kernel/sched/core.c). */
uint64_t cpu_ratio(uint64_t period, uint64_t runtime);

/* The rt part of a new cgroup's state: no realtime tasks in a child until it is given runtime. */
void cpu_rt_init(struct cgroup *cgroup, struct cpu *cpu);

uint64_t cpu_rt_period_read(struct cgroup *cgroup, const struct cgroup_file *file);
int64_t cpu_rt_runtime_read(struct cgroup *cgroup, const struct cgroup_file *file);
/* -EINVAL, -ERANGE, or -EBUSY when realtime tasks would lose all their runtime. */
int cpu_rt_period_write(const struct request *request, char *text);
int cpu_rt_runtime_write(const struct request *request, char *text);
/* -EINVAL for a realtime task that could not run here. */
int cpu_rt_can_attach(struct cgroup *cgroup, const struct task_list *tasks,
		      const struct caller *caller);

#endif
