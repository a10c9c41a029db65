/* SPDX-License-Identifier: MIT */
/*
 * cpu: weights and bandwidth of the fair scheduler. kernel/sched/core.c, fair.c. Stored and shown, not
 * enforced.
 */
#include <errno.h>

#include "bytes.h"
#include "cpu_group.h"
#include "cpu_rt.h"
#include "cpu_v2.h"

/* --- shares and idle: sched_group_set_shares, sched_group_set_idle --- */

static uint64_t shares_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpu_of(cgroup)->shares;
}

static int shares_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t shares)
{
	int error = cpu_set_shares(cgroup, shares);

	(void)file;
	if (!error)
		group_native_set(&cgroup->group, NATIVE_CPU_SHARES, (int64_t)cpu_of(cgroup)->shares);
	return error;
}

/* --- bandwidth: tg_set_bandwidth, __cfs_schedulable --- */

/* The cgroup's own limit as a ratio, RUNTIME_INF without one. */
static uint64_t quota_ratio(const struct cgroup *cgroup)
{
	const struct cpu_bandwidth *cfs = &cpu_of(cgroup)->cfs;

	return cfs->quota_us == RUNTIME_INF ? RUNTIME_INF
					    : cpu_ratio(cfs->period_us, cfs->quota_us);
}

/* What limits a cgroup from above: the nearest ancestor that has a quota. */
static uint64_t inherited_ratio(const struct cgroup *cgroup)
{
	uint64_t ratio = RUNTIME_INF;

	while (ratio == RUNTIME_INF && (cgroup = cgroup->parent))
		ratio = quota_ratio(cgroup);
	return ratio;
}

/* tg_cfs_schedulable_down on cgroup v1: nobody has more than what is above; none inherits it. */
static int check_schedulable(const struct cgroup *cgroup, uint64_t limit)
{
	uint64_t ratio = quota_ratio(cgroup);
	const struct cgroup *child;
	int error = 0;

	if (ratio == RUNTIME_INF)
		ratio = limit;
	else if (limit != RUNTIME_INF && ratio > limit)
		return -EINVAL;
	cgroup_for_each_child(child, cgroup) {
		error = check_schedulable(child, ratio);
		if (error)
			break;
	}
	return error;
}

static int set_bandwidth(struct cgroup *cgroup, const struct cpu_bandwidth *wanted)
{
	struct cpu *cpu = cpu_of(cgroup);
	struct cpu_bandwidth previous = cpu->cfs;
	int error = cpu_set_bandwidth(cgroup, wanted);

	if (error)
		return error;
	error = check_schedulable(cgroup, inherited_ratio(cgroup));
	if (error) {
		cpu->cfs = previous;
		return error;
	}
	group_native_set(&cgroup->group, NATIVE_CPU_PERIOD, (int64_t)wanted->period_us);
	group_native_set(&cgroup->group, NATIVE_CPU_QUOTA,
			 wanted->quota_us == RUNTIME_INF ? -1 : (int64_t)wanted->quota_us);
	return 0;
}

static uint64_t period_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpu_of(cgroup)->cfs.period_us;
}

static int period_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t period_us)
{
	struct cpu_bandwidth wanted = cpu_of(cgroup)->cfs;

	(void)file;
	wanted.period_us = period_us;
	return set_bandwidth(cgroup, &wanted);
}

static int64_t quota_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	uint64_t quota_us = cpu_of(cgroup)->cfs.quota_us;

	(void)file;
	return quota_us == RUNTIME_INF ? -1 : (int64_t)quota_us;
}

static int quota_write(struct cgroup *cgroup, const struct cgroup_file *file, int64_t quota_us)
{
	struct cpu_bandwidth wanted = cpu_of(cgroup)->cfs;

	(void)file;
	wanted.quota_us = quota_us < 0 ? RUNTIME_INF : (uint64_t)quota_us;
	return set_bandwidth(cgroup, &wanted);
}

/* --- stat: nobody is throttled by us, so nothing has been counted --- */

static int stat_show(const struct request *request, struct text *out)
{
	(void)request;
	text_add_pair(out, "nr_periods", 0);
	text_add_pair(out, "nr_throttled", 0);
	text_add_pair(out, "throttled_time", 0);
	text_add_pair(out, "nr_bursts", 0);
	text_add_pair(out, "burst_time", 0);
	return 0;
}

static int stat_local_show(const struct request *request, struct text *out)
{
	(void)request;
	text_add_pair(out, "throttled_time", 0);
	return 0;
}

static int cpu_init(struct cgroup *cgroup, void *state)
{
	cpu_group_init(state);
	return cpu_rt_init(cgroup, state);
}

/* As they are: which order of writes leads there depends on all of them. */
static void cpu_save(struct cgroup *cgroup, struct text *out)
{
	const struct cpu *cpu = cpu_of(cgroup);

	bytes_put_u64(out, cpu->shares);
	bytes_put_u64(out, cpu->idle);
	bytes_put_u64(out, cpu->cfs.period_us);
	bytes_put_u64(out, cpu->cfs.quota_us);
	bytes_put_u64(out, cpu->cfs.burst_us);
	bytes_put_u64(out, cpu->rt.period_ns);
	bytes_put_u64(out, cpu->rt.runtime_ns);
	bytes_put_u64(out, cpu->rt_default_period_ns);
	bytes_put_u64(out, cpu->uclamp[UCLAMP_MIN]);
	bytes_put_u64(out, cpu->uclamp[UCLAMP_MAX]);
}

static int cpu_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct cpu cpu = {.shares = bytes_get_u64(in)};

	cpu.idle = bytes_get_u64(in);
	cpu.cfs.period_us = bytes_get_u64(in);
	cpu.cfs.quota_us = bytes_get_u64(in);
	cpu.cfs.burst_us = bytes_get_u64(in);
	cpu.rt.period_ns = bytes_get_u64(in);
	cpu.rt.runtime_ns = bytes_get_u64(in);
	cpu.rt_default_period_ns = bytes_get_u64(in);
	cpu.uclamp[UCLAMP_MIN] = (unsigned)bytes_get_u64(in);
	cpu.uclamp[UCLAMP_MAX] = (unsigned)bytes_get_u64(in);
	if (in->wrong)
		return -EINVAL;
	*cpu_of(cgroup) = cpu;
	return 0;
}

static const struct cftype cpu_legacy_files[] = {
	{ .name = "shares", .read_u64 = shares_read, .write_u64 = shares_write },
	{ .name = "idle", .read_s64 = cpu_idle_read, .write_s64 = cpu_idle_write },
	{ .name = "cfs_period_us", .read_u64 = period_read, .write_u64 = period_write },
	{ .name = "cfs_quota_us", .read_s64 = quota_read, .write_s64 = quota_write },
	{ .name = "cfs_burst_us", .read_u64 = cpu_burst_read, .write_u64 = cpu_burst_write },
	{ .name = "stat", .show = stat_show },
	{ .name = "stat.local", .show = stat_local_show },
	{ .name = "rt_runtime_us", .read_s64 = cpu_rt_runtime_read, .act = cpu_rt_runtime_write },
	{ .name = "rt_period_us", .read_u64 = cpu_rt_period_read, .act = cpu_rt_period_write },
	{ .name = NULL },
};

const struct controller cpu_controller = {
	.name = "cpu",
	.legacy_files = cpu_legacy_files,
	.dfl_files = cpu_dfl_files,
	.threaded = true,
	.css_extra_stat = cpu_extra_stat,
	.css_size = sizeof(struct cpu),
	.css_init = cpu_init,
	.save = cpu_save,
	.restore = cpu_restore,
	.can_attach = cpu_rt_can_attach,
};
