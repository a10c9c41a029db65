/* SPDX-License-Identifier: MIT */
/* The command's own cgroups, with its limits. */
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "view.h"

#define VALUE_MAX 4096

static int complain(const char *file, int error)
{
	fprintf(stderr, "fuse_cgroup_run: %s: %s\n", file, strerror(-error));
	return -1;
}

static int write_file(int directory, const char *path, const char *value)
{
	int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		error = -errno;
	close(fd);
	return error;
}

static int read_file(int directory, const char *path, char *value, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC), error = 0;
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, value, size - 1);
	if (len < 0)
		error = -errno;
	close(fd);
	value[len > 0 ? len : 0] = '\0';
	return error;
}

/* Writes a file of the new cgroup. */
static int set(const struct view *view, const char *hierarchy, const char *file, const char *value)
{
	char path[256];
	int error;

	snprintf(path, sizeof(path), "%s%s/%s", hierarchy, view->prefix, file);
	error = write_file(view->top, path, value);
	if (!error)
		return 0;
	if (error == -ENOENT)
		fprintf(stderr, "fuse_cgroup_run: the tree has no %s: mount it with the "
				"controller %.*s\n", file, (int)strcspn(file, "."), file);
	else
		fprintf(stderr, "fuse_cgroup_run: %s cannot be %s: %s\n", file, value,
			strerror(-error));
	return -1;
}

static int set_number(const struct view *view, const char *hierarchy, const char *file,
		      int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return set(view, hierarchy, file, text);
}

/* docker without --memory-swap: as much swap as memory. */
static int64_t memory_and_swap(const struct limits *limits)
{
	if (limits->memory_swap)
		return limits->memory_swap;
	return limits->memory > INT64_MAX / 2 ? -1 : 2 * limits->memory;
}

static int set_limits_v1(const struct view *view, const struct limits *limits)
{
	int error = 0;

	if (limits->memory)
		error = set_number(view, "memory", "memory.limit_in_bytes", limits->memory);
	if (!error && limits->memory)
		error = set_number(view, "memory", "memory.memsw.limit_in_bytes",
				   memory_and_swap(limits));
	if (!error && limits->cpu_quota)
		error = set_number(view, "cpu", "cpu.cfs_quota_us", limits->cpu_quota);
	if (!error && limits->cpu_shares)
		error = set_number(view, "cpu", "cpu.shares", limits->cpu_shares);
	if (!error && limits->cpuset_cpus)
		error = set(view, "cpuset", "cpuset.cpus", limits->cpuset_cpus);
	if (!error && limits->pids > 0)
		error = set_number(view, "pids", "pids.max", limits->pids);
	return error;
}

/* v2 counts swap alone. */
static int set_swap(const struct view *view, const struct limits *limits)
{
	int64_t both = memory_and_swap(limits);

	return both < 0 ? set(view, ".", "memory.swap.max", "max")
			: set_number(view, ".", "memory.swap.max", both - limits->memory);
}

static int set_quota(const struct view *view, int64_t quota)
{
	char text[48];

	snprintf(text, sizeof(text), "%lld %d", (long long)quota, CPU_PERIOD);
	return set(view, ".", "cpu.max", text);
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

static int set_limits_v2(const struct view *view, const struct limits *limits)
{
	int error = 0;

	if (limits->memory)
		error = set_number(view, ".", "memory.max", limits->memory);
	if (!error && limits->memory)
		error = set_swap(view, limits);
	if (!error && limits->cpu_quota)
		error = set_quota(view, limits->cpu_quota);
	if (!error && limits->cpu_shares)
		error = set_number(view, ".", "cpu.weight", weight_of(limits->cpu_shares));
	if (!error && limits->cpuset_cpus)
		error = set(view, ".", "cpuset.cpus", limits->cpuset_cpus);
	if (!error && limits->pids > 0)
		error = set_number(view, ".", "pids.max", limits->pids);
	return error;
}

static int set_limits(const struct view *view, const struct limits *limits)
{
	return view->unified ? set_limits_v2(view, limits) : set_limits_v1(view, limits);
}

/* A cpuset takes nobody before it has CPUs and nodes: the parent's. */
static int copy_cpuset(const struct view *view, const char *file)
{
	char path[256], value[VALUE_MAX];
	int error;

	snprintf(path, sizeof(path), "cpuset/%s", file);
	error = read_file(view->top, path, value, sizeof(value));
	return error ? complain(path, error) : set(view, "cpuset", file, value);
}

static int make_cgroup(const struct view *view, const char *hierarchy)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", hierarchy, view->prefix);
	return mkdirat(view->top, path, 0755) ? -errno : 0;
}

/*
 * A name that nobody has: other pid namespaces have our number too, and a killed one leaves its name.
 * Who makes it in the first hierarchy has it in all.
 */
static int take_name(struct view *view)
{
	unsigned more = 0;
	int error;

	do {
		snprintf(view->prefix, sizeof(view->prefix), more ? "/run-%d-%u" : "/run-%d", getpid(),
			 more);
		error = make_cgroup(view, view->hierarchies[0].name);
		more++;
	} while (error == -EEXIST);
	if (error) {
		complain(view->prefix, error);
		view->prefix[0] = '\0'; /* there is nothing to remove */
	}
	return error;
}

/* v2: a cgroup has the files of the controllers that its parent's cgroup.subtree_control names. */
static int enable_controllers(const struct view *view)
{
	char list[VALUE_MAX], *rest = list, *name, word[VIEW_NAME_MAX];
	int error = read_file(view->top, "cgroup.controllers", list, sizeof(list));

	while (!error && (name = strsep(&rest, " \n"))) {
		snprintf(word, sizeof(word), "+%s", name);
		if (*name)
			error = write_file(view->top, "cgroup.subtree_control", word);
	}
	return error ? complain("cgroup.subtree_control", error) : 0;
}

static int make_rest(const struct view *view)
{
	if (view->unified)
		return enable_controllers(view);
	for (unsigned i = 1; i < view->count; i++) {
		int error = make_cgroup(view, view->hierarchies[i].name);

		if (error)
			return complain(view->hierarchies[i].name, error);
	}
	return 0;
}

static int fill_cpuset(const struct view *view)
{
	int error = 0;

	for (unsigned i = 0; i < view->count && !error; i++) {
		if (strcmp(view->hierarchies[i].name, "cpuset"))
			continue;
		error = copy_cpuset(view, "cpuset.cpus");
		if (!error)
			error = copy_cpuset(view, "cpuset.mems");
	}
	return error;
}

int limits_make(struct view *view, const struct limits *limits)
{
	int error = take_name(view);

	if (!error)
		error = make_rest(view);
	if (!error)
		error = fill_cpuset(view);
	if (!error)
		error = set_limits(view, limits);
	if (error)
		limits_remove(view);
	return error;
}

void limits_remove(struct view *view)
{
	char path[256];

	/* Last in the first hierarchy: until then nobody else takes the name. */
	for (unsigned i = view->count; i-- && view->prefix[0];) {
		snprintf(path, sizeof(path), "%s%s", view->hierarchies[i].name, view->prefix);
		unlinkat(view->top, path, AT_REMOVEDIR);
	}
}

int limits_take(const struct view *view, pid_t pid)
{
	char path[256], number[16];
	int error = 0;

	snprintf(number, sizeof(number), "%d", pid);
	for (unsigned i = 0; i < view->count && !error; i++) {
		snprintf(path, sizeof(path), "%s%s/cgroup.procs", view->hierarchies[i].name,
			 view->prefix);
		error = write_file(view->top, path, number);
	}
	return error;
}
