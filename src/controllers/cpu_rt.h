/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPU_RT_H
#define CONTROLLERS_CPU_RT_H

#include "cpu_group.h"

/* The rt part of a new cgroup's state: no realtime tasks in a child until it is given runtime. */
int cpu_rt_init(struct cgroup *cgroup, struct cpu *cpu);

uint64_t cpu_rt_period_read(struct cgroup *cgroup, const struct cgroup_file *file);
int64_t cpu_rt_runtime_read(struct cgroup *cgroup, const struct cgroup_file *file);
/* -EINVAL, -ERANGE, or -EBUSY when realtime tasks would lose all their runtime. */
int cpu_rt_period_write(const struct request *request, char *text);
int cpu_rt_runtime_write(const struct request *request, char *text);
/* -EINVAL for a realtime task that could not run here. */
int cpu_rt_can_attach(struct cgroup *cgroup, const struct task_list *tasks,
		      const struct caller *caller);

#endif
