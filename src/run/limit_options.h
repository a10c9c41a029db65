/* SPDX-License-Identifier: MIT */
#ifndef RUN_LIMIT_OPTIONS_H
#define RUN_LIMIT_OPTIONS_H

struct limits;

/* getopt's keys of the long options that are limits; short ones are their letters. */
enum {
	LIMIT_MEMORY_SWAP = 512,
	LIMIT_MEMORY_RESERVATION,
	LIMIT_MEMORY_SWAPPINESS,
	LIMIT_CPUS,
	LIMIT_CPU_PERIOD,
	LIMIT_CPU_QUOTA,
	LIMIT_CPUSET_CPUS,
	LIMIT_CPUSET_MEMS,
	LIMIT_BLKIO_WEIGHT,
	LIMIT_PIDS,
	LIMIT_PARENT,
};

/* Takes what was written for a limit, which is pointed into. 0 or -EINVAL. */
int limit_option_take(struct limits *limits, int key, const char *text);

/* How this limit is written, for who wrote it otherwise. */
const char *limit_option_grammar(int key);

/*
 * What docker refuses of limits that are each well written. NULL, or what is wrong, valid until the
 * next call.
 */
const char *limit_options_check(const struct limits *limits);

#endif
