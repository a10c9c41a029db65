/* SPDX-License-Identifier: MIT */
/* The state of a cgroup of cpu, and the setters that the files of v1 and v2 share (kernel/sched/core.c). */
#include <errno.h>

#include "cpu_group.h"

#define MIN_SHARES 2u
#define MAX_SHARES (1u << 18)
#define DEFAULT_SHARES 1024u /* NICE_0_LOAD, scaled down */
#define IDLE_SHARES 3u /* WEIGHT_IDLEPRIO */

#define DEFAULT_PERIOD_US 100000u
#define MIN_QUOTA_PERIOD_US 1000u
#define MAX_QUOTA_PERIOD_US 1000000u
#define BANDWIDTH_SHIFT 20
#define MAX_RUNTIME_US ((UINT64_C(1) << (64 - BANDWIDTH_SHIFT)) - 1)
#define MAX_USEC (UINT64_MAX / NSEC_PER_USEC) /* survives translation to ns */

struct cpu *cpu_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &cpu_controller);
}

void cpu_group_init(struct cpu *cpu)
{
	cpu->shares = DEFAULT_SHARES;
	cpu->cfs.period_us = DEFAULT_PERIOD_US;
	cpu->cfs.quota_us = RUNTIME_INF;
	cpu->uclamp[UCLAMP_MAX] = 10000; /* 100.00 %: no clamp */
}

uint64_t cpu_ratio(uint64_t period, uint64_t runtime)
{
	if (runtime == RUNTIME_INF)
		return UINT64_C(1) << BANDWIDTH_SHIFT;
	return period ? (runtime << BANDWIDTH_SHIFT) / period : 0;
}

int cpu_set_shares(struct cgroup *cgroup, uint64_t shares)
{
	struct cpu *cpu = cpu_of(cgroup);

	if (cgroup_is_root(cgroup) || cpu->idle)
		return -EINVAL;
	if (shares < MIN_SHARES)
		shares = MIN_SHARES;
	if (shares > MAX_SHARES)
		shares = MAX_SHARES;
	cpu->shares = shares;
	return 0;
}

int64_t cpu_idle_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpu_of(cgroup)->idle;
}

int cpu_idle_write(struct cgroup *cgroup, const struct cgroup_file *file, int64_t idle)
{
	struct cpu *cpu = cpu_of(cgroup);

	(void)file;
	if (cgroup_is_root(cgroup) || idle < 0 || idle > 1)
		return -EINVAL;
	if (cpu->idle == idle)
		return 0;
	cpu->idle = idle;
	cpu->shares = idle ? IDLE_SHARES : DEFAULT_SHARES;
	return 0;
}

static int check_bandwidth(const struct cpu_bandwidth *cfs)
{
	if (cfs->period_us < MIN_QUOTA_PERIOD_US || cfs->period_us > MAX_QUOTA_PERIOD_US ||
	    cfs->quota_us < MIN_QUOTA_PERIOD_US || cfs->burst_us > MAX_USEC)
		return -EINVAL;
	if (cfs->quota_us == RUNTIME_INF)
		return 0;
	if (cfs->quota_us > MAX_RUNTIME_US || cfs->burst_us > cfs->quota_us ||
	    cfs->burst_us + cfs->quota_us > MAX_RUNTIME_US)
		return -EINVAL;
	return 0;
}

int cpu_set_bandwidth(struct cgroup *cgroup, const struct cpu_bandwidth *wanted)
{
	int error = cgroup_is_root(cgroup) ? -EINVAL : check_bandwidth(wanted);

	if (!error)
		cpu_of(cgroup)->cfs = *wanted;
	return error;
}

uint64_t cpu_burst_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpu_of(cgroup)->cfs.burst_us;
}

int cpu_burst_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t burst_us)
{
	struct cpu_bandwidth wanted = cpu_of(cgroup)->cfs;

	(void)file;
	wanted.burst_us = burst_us;
	return cpu_set_bandwidth(cgroup, &wanted);
}
