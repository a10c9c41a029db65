/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler's settings and domains depend on. See machine.h for what holds for every
 * function.
 */
#ifndef MACHINE_SCHED_H
#define MACHINE_SCHED_H

#include "machine.h"

/* /proc/sys/kernel/sched_rt_period_us and sched_rt_runtime_us: kernel/sched/rt.c. */
struct machine_rt_limits {
	int64_t period_us;
	int64_t runtime_us;		/* -1: no limit */
};

/*
 * The limits of all realtime tasks together; 1000000 and 950000 where there are no such files. 0, or a
 * negative errno.
 */
int machine_rt_limits(const struct machine *machine, struct machine_rt_limits *limits);

/* CONFIG_NR_CPUS, from /sys/devices/system/cpu/kernel_max; BITMAP_MAX_BITS where that cannot be read. */
unsigned int machine_nr_cpus(const struct machine *machine);

/*
 * sched_domain_level_max of kernel/sched/topology.c: the number, from 0, of the first level of
 * {SMT, cluster, last cache, package, NUMA distances...} that spans all online CPUs. SMT is no
 * level where a core has one thread (arch/x86/kernel/smpboot.c build_sched_topology()). What
 * cannot be read is no level.
 */
unsigned int machine_sched_domain_level_max(const struct machine *machine);

#endif
