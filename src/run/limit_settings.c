/* SPDX-License-Identifier: MIT */
/* Which files have the limits of the command line, and what is written to them. */
#include "limit_settings.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"

/* --- the values --- */

#define PRINT(name, field)                                                                   \
	static bool print_##name(const struct limits *limits, char *value, size_t size)      \
	{                                                                                    \
		snprintf(value, size, "%lld", (long long)limits->field);                     \
		return limits->field;                                                        \
	}

PRINT(memory, memory)
PRINT(reservation, memory_reservation)
PRINT(period, cpu_period)
PRINT(shares, cpu_shares)
PRINT(blkio_weight, blkio_weight)

/* docker without --memory-swap: as much swap as memory. */
static int64_t memory_and_swap(const struct limits *limits)
{
	if (limits->memory_swap)
		return limits->memory_swap;
	return limits->memory > INT64_MAX / 2 ? -1 : 2 * limits->memory;
}

static bool print_memory_and_swap(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%lld", (long long)memory_and_swap(limits));
	return limits->memory;
}

/* v2 counts swap alone. */
static bool print_swap(const struct limits *limits, char *value, size_t size)
{
	int64_t both = memory_and_swap(limits);

	snprintf(value, size, both < 0 ? "max" : "%lld", (long long)(both - limits->memory));
	return limits->memory;
}

static bool print_swappiness(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%lld", (long long)limits->memory_swappiness);
	return limits->memory_swappiness >= 0;
}

static int64_t quota_of(const struct limits *limits)
{
	return limits->cpus ? limits->cpus : limits->cpu_quota;
}

static bool print_quota(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%lld", (long long)quota_of(limits));
	return quota_of(limits);
}

static bool print_cpu_max(const struct limits *limits, char *value, size_t size)
{
	int64_t quota = quota_of(limits), period = limits->cpu_period ? limits->cpu_period : CPU_PERIOD;

	if (quota > 0)
		snprintf(value, size, "%lld %lld", (long long)quota, (long long)period);
	else
		snprintf(value, size, "max %lld", (long long)period);
	return quota || limits->cpu_period;
}

/*
 * Shares of 2 to 262144 as a weight of 1 to 10000. Source: ConvertCPUSharesToCgroupV2Value of
 * opencontainers/cgroups.
 */
static int64_t weight_of(int64_t shares)
{
	double power;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	power = log2((double)shares);
	return (int64_t)ceil(pow(10, (power * power + 125 * power) / 612.0 - 7.0 / 34.0));
}

static bool print_weight(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%lld", (long long)weight_of(limits->cpu_shares));
	return limits->cpu_shares;
}

static bool print_pids(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%lld", (long long)limits->pids);
	return limits->pids > 0;
}

static bool print_cpus(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%s", limits->cpuset_cpus ? limits->cpuset_cpus : "");
	return limits->cpuset_cpus;
}

static bool print_mems(const struct limits *limits, char *value, size_t size)
{
	snprintf(value, size, "%s", limits->cpuset_mems ? limits->cpuset_mems : "");
	return limits->cpuset_mems;
}

const struct limit_setting limit_settings_v1[] = {
	{"memory", "memory.limit_in_bytes", print_memory},
	{"memory", "memory.memsw.limit_in_bytes", print_memory_and_swap},
	{"memory", "memory.soft_limit_in_bytes", print_reservation},
	{"memory", "memory.swappiness", print_swappiness},
	{"cpu", "cpu.cfs_period_us", print_period},
	{"cpu", "cpu.cfs_quota_us", print_quota},
	{"cpu", "cpu.shares", print_shares},
	{"cpuset", "cpuset.cpus", print_cpus},
	{"cpuset", "cpuset.mems", print_mems},
	{"blkio", "blkio.bfq.weight", print_blkio_weight},
	{"pids", "pids.max", print_pids},
	{0},
};

const struct limit_setting limit_settings_v2[] = {
	{".", "memory.max", print_memory},
	{".", "memory.swap.max", print_swap},
	{".", "memory.low", print_reservation},
	{".", "cpu.max", print_cpu_max},
	{".", "cpu.weight", print_weight},
	{".", "cpuset.cpus", print_cpus},
	{".", "cpuset.mems", print_mems},
	{".", "io.bfq.weight", print_blkio_weight},
	{".", "pids.max", print_pids},
	{0},
};
