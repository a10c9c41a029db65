/* SPDX-License-Identifier: MIT */
/* docker's limits on the command line: how each is written, and which do not go together. */
#include "limit_options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "number.h"
#include "options.h"

#define MEMORY_MIN (6 << 20) /* linuxMinMemory of docker's daemon */
#define PIDS_MAX (4 << 20) /* PID_MAX_LIMIT of the kernel's include/linux/threads.h */
#define QUOTA_MAX ((INT64_C(1) << 44) - 1) /* us; MAX_BW of its kernel/sched/sched.h */
#define PARENT_MAX 40 /* bytes; the command's own name comes after it (view.h) */

bool limits_given(const struct limits *limits)
{
	return limits->memory || limits->memory_swap || limits->memory_reservation ||
	       limits->memory_swappiness >= 0 || limits->cpus || limits->cpu_quota || limits->cpu_period ||
	       limits->cpu_shares || limits->pids || limits->blkio_weight || limits->cpuset_cpus ||
	       limits->cpuset_mems || limits->parent;
}

/* A decimal number without sign or exponent, as far as it goes. */
static bool take_decimal(const char **text, double *value)
{
	size_t len = strspn(*text, "0123456789.");
	char *end;

	if (!len)
		return false;
	*value = strtod(*text, &end);
	if (end != *text + len)
		return false;
	*text = end;
	return true;
}

int limits_parse_size(const char *text, int64_t *bytes)
{
	static const char units[] = "kmgtp";
	const char *unit;
	double value;

	if (!take_decimal(&text, &value))
		return -EINVAL;
	text += *text == ' ';
	unit = *text ? strchr(units, *text | 0x20) : NULL;
	if (unit) {
		value = ldexp(value, 10 * (int)(unit - units + 1));
		text++;
		text += !strcasecmp(text, "ib");
	}
	text += (*text | 0x20) == 'b';
	if (*text || value >= (double)INT64_MAX)
		return -EINVAL;
	*bytes = (int64_t)value;
	return 0;
}

int limits_parse_cpus(const char *text, int64_t *quota)
{
	const char *point = strchr(text, '.');
	double value;

	if ((point && strlen(point + 1) > 9) || !take_decimal(&text, &value) || *text)
		return -EINVAL;
	/* below is less than the kernel's least quota, 1 ms */
	if ((value > 0 && value < 0.01) || value > 1e6)
		return -EINVAL;
	*quota = llround(value * 1e9) / (1000000000 / CPU_PERIOD);
	return 0;
}

static int parse_swap(const char *text, int64_t *bytes)
{
	if (strcmp(text, "-1"))
		return limits_parse_size(text, bytes);
	*bytes = -1;
	return 0;
}

static int parse_shares(const char *text, int64_t *shares)
{
	int error = number_parse_s64(text, 10, shares);

	return error || *shares < 0 || *shares == 1 ? -EINVAL : 0;
}

static int parse_pids(const char *text, int64_t *pids)
{
	int error = number_parse_s64(text, 10, pids);

	if (!error && *pids == 0)
		*pids = -1; /* docker's 0 is no limit too */
	return error || *pids < -1 || *pids > PIDS_MAX ? -EINVAL : 0;
}

/* -1 is docker's default, and none. */
static int parse_swappiness(const char *text, int64_t *swappiness)
{
	int error = number_parse_s64(text, 10, swappiness);

	return error || *swappiness < -1 || *swappiness > 100 ? -EINVAL : 0;
}

static int parse_period(const char *text, int64_t *period)
{
	int error = number_parse_s64(text, 10, period);

	return error || (*period && (*period < 1000 || *period > 1000000)) ? -EINVAL : 0;
}

/* Below 0 is no limit. */
static int parse_quota(const char *text, int64_t *quota)
{
	int error = number_parse_s64(text, 10, quota);

	return error || *quota > QUOTA_MAX || (*quota > 0 && *quota < 1000) ? -EINVAL : 0;
}

static int parse_weight(const char *text, int64_t *weight)
{
	int error = number_parse_s64(text, 10, weight);

	return error || (*weight && (*weight < 10 || *weight > 1000)) ? -EINVAL : 0;
}

#define SIZE "a size is a number with b, k, m, g, t or p after it, as 512m or 1.5g"

/*
 * A row a limit; the ranges are of docker's verifyPlatformContainerResources()
 * (moby/daemon/daemon_unix.go).
 */
static const struct {
	int key;
	size_t field; /* of struct limits */
	int (*parse)(const char *text, int64_t *field);
	const char *grammar; /* what is right, for who wrote another thing */
} numbers[] = {
	{'m', offsetof(struct limits, memory), limits_parse_size, SIZE},
	{LIMIT_MEMORY_SWAP, offsetof(struct limits, memory_swap), parse_swap, SIZE ", and -1 is no limit"},
	{LIMIT_MEMORY_RESERVATION, offsetof(struct limits, memory_reservation), limits_parse_size, SIZE},
	{LIMIT_MEMORY_SWAPPINESS, offsetof(struct limits, memory_swappiness), parse_swappiness,
	 "it is a number from 0 to 100"},
	{LIMIT_CPUS, offsetof(struct limits, cpus), limits_parse_cpus,
	 "processors are counted from 0.01, with up to nine digits of fraction, as 1.5"},
	{LIMIT_CPU_PERIOD, offsetof(struct limits, cpu_period), parse_period,
	 "it is a number of us from 1000 to 1000000"},
	{LIMIT_CPU_QUOTA, offsetof(struct limits, cpu_quota), parse_quota,
	 "it is a number of us from 1000 to 17592186044415, and -1 is no limit"},
	{'c', offsetof(struct limits, cpu_shares), parse_shares,
	 "it is a number from 2, and 1024 is the kernel's default"},
	{LIMIT_BLKIO_WEIGHT, offsetof(struct limits, blkio_weight), parse_weight,
	 "it is a number from 10 to 1000"},
	{LIMIT_PIDS, offsetof(struct limits, pids), parse_pids,
	 "it is a number up to 4194304, and -1 is no limit"},
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static int take_list(const char **list, const char *text)
{
	*list = text;
	return *text ? 0 : -EINVAL;
}

/* Names without "..", which may begin with a slash. */
static int take_parent(struct limits *limits, const char *text)
{
	const char *name = text;
	size_t len;

	for (; *name; name += len) {
		name += strspn(name, "/");
		len = strcspn(name, "/");
		if ((len == 1 || len == 2) && !memcmp(name, "..", len))
			return -EINVAL;
	}
	limits->parent = text[strspn(text, "/")] ? text : NULL; /* "/" is where it would be anyway */
	return !*text || strlen(text) > PARENT_MAX ? -EINVAL : 0;
}

int limit_option_take(struct limits *limits, int key, const char *text)
{
	if (key == 'm' || key == 'c')
		text += *text == '='; /* docker's short options take -m=512m too */
	switch (key) {
	case LIMIT_CPUSET_CPUS:
		return take_list(&limits->cpuset_cpus, text);
	case LIMIT_CPUSET_MEMS:
		return take_list(&limits->cpuset_mems, text);
	case LIMIT_PARENT:
		return take_parent(limits, text);
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		if (numbers[i].key == key)
			return numbers[i].parse(text, (int64_t *)((char *)limits + numbers[i].field));
	}
	return -ENOENT;
}

const char *limit_option_grammar(int key)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		if (numbers[i].key == key)
			return numbers[i].grammar;
	}
	return key == LIMIT_PARENT
		       ? "it is the path of a cgroup, as /pods/web, without \"..\" and of 40 bytes at most"
		       : "it is a list of numbers, as 0-2,5";
}

static const char *check_memory(const struct limits *limits)
{
	if (limits->memory && limits->memory < MEMORY_MIN)
		return "--memory cannot be less than docker's least, 6m (512m: mega, 512: bytes)";
	if (limits->memory_swap > 0 && !limits->memory)
		return "--memory-swap needs --memory: give that too";
	if (limits->memory_swap > 0 && limits->memory_swap < limits->memory)
		return "--memory-swap is memory and swap: it cannot be less than --memory";
	if (limits->memory_reservation && limits->memory_reservation < MEMORY_MIN)
		return "--memory-reservation cannot be less than docker's least, 6m (512m: mega, 512: bytes)";
	if (limits->memory && limits->memory < limits->memory_reservation)
		return "--memory-reservation cannot be more than --memory";
	return NULL;
}

static const char *check_cpus(const struct limits *limits)
{
	static char problem[128];
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (limits->cpus && (limits->cpu_quota || limits->cpu_period))
		return "--cpus is a quota and a period: leave out --cpu-quota and --cpu-period";
	if (online < 1 || limits->cpus <= online * CPU_PERIOD)
		return NULL;
	snprintf(problem, sizeof(problem),
		 "--cpus cannot be more than %ld.00: there are only so many processors here", online);
	return problem;
}

const char *limit_options_check(const struct limits *limits)
{
	const char *problem = check_memory(limits);

	return problem ? problem : check_cpus(limits);
}
