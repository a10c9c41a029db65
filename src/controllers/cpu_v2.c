/* SPDX-License-Identifier: MIT */
/*
 * cpu on cgroup v2: the same weights and bandwidth by other names, and utilization clamps
 * (kernel/sched/core.c).
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_group.h"
#include "cpu_v2.h"
#include "number.h"

#define WEIGHT_MIN 1u /* CGROUP_WEIGHT_MIN, _MAX, _DFL */
#define WEIGHT_MAX 10000u
#define WEIGHT_DEFAULT 100u
#define WEIGHT_SHARES 1024u /* what the default weight is in shares */
#define MIN_NICE (-20)
#define MAX_NICE 19

/* sched_prio_to_weight */
static const unsigned nice_weights[MAX_NICE - MIN_NICE + 1] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
	1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
	110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};


/* --- weight, weight.nice, idle --- */

static uint64_t weight_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	uint64_t weight = number_divide_to_closest(cpu_of(cgroup)->shares * WEIGHT_DEFAULT, WEIGHT_SHARES);

	(void)file;
	return weight < WEIGHT_MIN ? WEIGHT_MIN : weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

static int weight_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t weight)
{
	(void)file;
	if (weight < WEIGHT_MIN || weight > WEIGHT_MAX)
		return -ERANGE;
	return cpu_set_shares(cgroup, number_divide_to_closest(weight * WEIGHT_SHARES, WEIGHT_DEFAULT));
}

/* The nice value whose weight is closest. */
static int64_t nice_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	long shares = (long)cpu_of(cgroup)->shares, last = LONG_MAX;
	int64_t nice;

	(void)file;
	for (nice = MIN_NICE; nice <= MAX_NICE; nice++) {
		long difference = labs((long)nice_weights[nice - MIN_NICE] - shares);

		if (difference >= last)
			break;
		last = difference;
	}
	return nice - 1;
}

static int nice_write(struct cgroup *cgroup, const struct cgroup_file *file, int64_t nice)
{
	(void)file;
	if (nice < MIN_NICE || nice > MAX_NICE)
		return -ERANGE;
	return cpu_set_shares(cgroup, nice_weights[nice - MIN_NICE]);
}

/* --- max, max.burst --- */

static int max_show(const struct request *request, struct text *out)
{
	const struct cpu_bandwidth *cfs = &cpu_of(request->cgroup)->cfs;

	if (cfs->quota_us == RUNTIME_INF)
		text_add(out, "max");
	else
		text_add_u64(out, cfs->quota_us);
	text_printf(out, " %lu\n", cfs->period_us);
	return 0;
}

/* sscanf(text, "%20s %llu"): a quota, and a period or what there was (cpu_period_quota_parse). */
static int max_store(const struct request *request, char *text)
{
	struct cpu_bandwidth wanted = cpu_of(request->cgroup)->cfs;
	const char *word = text_skip_spaces(text), *rest;
	char quota[21];
	size_t len = strcspn(word, " \t\n\v\f\r");

	if (len >= sizeof(quota))
		len = sizeof(quota) - 1;
	memcpy(quota, word, len);
	quota[len] = '\0';
	rest = word + len;
	if (!strcmp(quota, "max"))
		wanted.quota_us = RUNTIME_INF;
	else if (number_scan_u64(quota, &wanted.quota_us))
		return -EINVAL;
	number_scan_u64(rest, &wanted.period_us);
	return cpu_set_bandwidth(request->cgroup, &wanted);
}

/* --- uclamp.min, uclamp.max: percent with two decimals --- */

#define PERCENT_SCALE 10000u /* 100.00 % */
#define CAPACITY_SCALE 1024u

static unsigned *clamp_of(const struct request *request)
{
	return &cpu_of(request->cgroup)->uclamp[request->file->type->private];
}

static int uclamp_show(const struct request *request, struct text *out)
{
	unsigned percent = *clamp_of(request);

	if (number_divide_to_closest(percent * CAPACITY_SCALE, PERCENT_SCALE) == CAPACITY_SCALE)
		text_add(out, "max\n");
	else
		text_printf(out, "%u.%02u\n", percent / 100, percent % 100);
	return 0;
}

static int uclamp_store(const struct request *request, char *text)
{
	int64_t percent = PERCENT_SCALE;
	int error = 0;

	text = text_strip(text);
	if (strcmp(text, "max"))
		error = number_parse_hundredths(text, &percent);
	if (!error && (uint64_t)percent > PERCENT_SCALE)
		error = -ERANGE;
	if (!error)
		*clamp_of(request) = (unsigned)percent;
	return error;
}

/* --- lines of cpu.stat: nobody is throttled by us, so nothing has been counted --- */

void cpu_extra_stat(struct cgroup *cgroup, bool local, struct text *out)
{
	(void)cgroup;
	if (local) {
		text_add_pair(out, "throttled_usec", 0);
		return;
	}
	text_add_pair(out, "nr_periods", 0);
	text_add_pair(out, "nr_throttled", 0);
	text_add_pair(out, "throttled_usec", 0);
	text_add_pair(out, "nr_bursts", 0);
	text_add_pair(out, "burst_usec", 0);
}

const struct cftype cpu_dfl_files[] = {
	{.name = "weight", .flags = CFTYPE_NOT_ON_ROOT, .read_u64 = weight_read, .write_u64 = weight_write},
	{.name = "weight.nice", .flags = CFTYPE_NOT_ON_ROOT, .read_s64 = nice_read, .write_s64 = nice_write},
	{.name = "idle", .flags = CFTYPE_NOT_ON_ROOT, .read_s64 = cpu_idle_read, .write_s64 = cpu_idle_write},
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = max_show, .store = max_store},
	{.name = "max.burst", .flags = CFTYPE_NOT_ON_ROOT, 
	 .read_u64 = cpu_burst_read, .write_u64 = cpu_burst_write},
	{.name = "uclamp.min", .flags = CFTYPE_NOT_ON_ROOT, .private = UCLAMP_MIN,
	 .show = uclamp_show, .store = uclamp_store},
	{.name = "uclamp.max", .flags = CFTYPE_NOT_ON_ROOT, .private = UCLAMP_MAX,
	 .show = uclamp_show, .store = uclamp_store},
	{0},
};
