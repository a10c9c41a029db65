/* SPDX-License-Identifier: MIT */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Limits that the command is shown: docker's options of the same names. 0 and NULL: not given. */
struct limits {
	int64_t memory; /* bytes */
	int64_t memory_swap; /* bytes of memory and swap; -1: no limit */
	int64_t memory_reservation; /* bytes */
	int64_t memory_swappiness; /* 0 to 100; -1: not given */
	int64_t cpus; /* us of processor time in each CPU_PERIOD */
	int64_t cpu_quota, cpu_period; /* us; a quota of -1: no limit */
	int64_t cpu_shares;
	int64_t blkio_weight; /* 10 to 1000 */
	int64_t pids; /* -1: no limit */
	const char *cpuset_cpus, *cpuset_mems; /* lists as in cpuset.cpus */
	const char *parent; /* the path of the cgroup that the command's is made in */
};

#define CPU_PERIOD 100000 /* us: the kernel's default, and docker's */

struct catcher;

struct run_options {
	const char *at; /* where the tree is put */
	const char *root; /* an existing mount of fuse_cgroupfs; NULL: a daemon of our own */
	const char *directory; /* at or below `at`, to start the command in; NULL: where we are */
	int outside; /* the mount namespace where we were started, if we leave it; else -1 */
	int program; /* of the daemon (cgroupfs_find()), O_PATH; -1: a mount of others is shown */
	int version; /* of cgroups, 1 or 2; 0: none was said */
	bool unified; /* it is v2 then (cgroup_version.h) */
	const char *backend; /* how calls are caught; NULL: none was said */
	const struct catcher *catcher; /* it is that then */
	unsigned needed; /* TRAP_...: which conditions of calls.h's table hold */
	bool redirect; /* leave the mounts alone */
	bool trace;
	struct limits limits;
	char **command; /* ends with NULL */
};

enum run_options_result {
	RUN_OPTIONS_RUN, /* as `options` says */
	RUN_OPTIONS_DONE, /* --help or --version was answered */
	RUN_OPTIONS_WRONG, /* said what is wrong on standard error */
};

/* Reads the command line into `options`, which points into argv. */
enum run_options_result run_options_parse(struct run_options *options, int argc, char **argv);

/* Whether any limit was given. */
bool limits_given(const struct limits *limits);

/*
 * docker's sizes (units.RAMInBytes of docker/go-units): a decimal number, may be with a fraction,
 * and b, k, m, g, t or p in powers of 1024, the latter may be followed by b or ib. 0 or -EINVAL.
 */
int limits_parse_size(const char *text, int64_t *bytes);

/*
 * docker's --cpus (opts.ParseCPUs): a decimal number of CPUs with at most nine digits of fraction,
 * as quota. 0 or -EINVAL.
 */
int limits_parse_cpus(const char *text, int64_t *quota);

#endif
