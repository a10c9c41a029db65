/* SPDX-License-Identifier: MIT */
/* The command line of fuse_cgroup_run. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "limit_options.h"
#include "version.h"

enum { OPTION_AT = 256, OPTION_ROOT, OPTION_REDIRECT, OPTION_TRACE, OPTION_BACKEND, OPTION_V1, OPTION_V2 };

static const struct option option_table[] = {
	{"at", required_argument, NULL, OPTION_AT},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"redirect", no_argument, NULL, OPTION_REDIRECT},
	{"trace", no_argument, NULL, OPTION_TRACE},
	{"backend", required_argument, NULL, OPTION_BACKEND},
	{"v1", no_argument, NULL, OPTION_V1},
	{"v2", no_argument, NULL, OPTION_V2},
	{"memory", required_argument, NULL, 'm'},
	{"memory-swap", required_argument, NULL, LIMIT_MEMORY_SWAP},
	{"memory-reservation", required_argument, NULL, LIMIT_MEMORY_RESERVATION},
	{"memory-swappiness", required_argument, NULL, LIMIT_MEMORY_SWAPPINESS},
	{"cpus", required_argument, NULL, LIMIT_CPUS},
	{"cpu-period", required_argument, NULL, LIMIT_CPU_PERIOD},
	{"cpu-quota", required_argument, NULL, LIMIT_CPU_QUOTA},
	{"cpu-shares", required_argument, NULL, 'c'},
	{"cpuset-cpus", required_argument, NULL, LIMIT_CPUSET_CPUS},
	{"cpuset-mems", required_argument, NULL, LIMIT_CPUSET_MEMS},
	{"blkio-weight", required_argument, NULL, LIMIT_BLKIO_WEIGHT},
	{"pids-limit", required_argument, NULL, LIMIT_PIDS},
	{"cgroup-parent", required_argument, NULL, LIMIT_PARENT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static const char usage[] =
	"Usage: fuse_cgroup_run [options] [--] COMMAND [ARGUMENT...]\n"
	"Run COMMAND so that it and all it starts take the tree of fuse_cgroupfs for the\n"
	"kernel's cgroups.\n"
	"\n"
	"      --root DIR           show the fuse_cgroupfs that is mounted at DIR (default:\n"
	"                           start one, which ends with the last process)\n"
	"      --v1, --v2           the version of cgroups (default: DIR's, or else the one\n"
	"                           that the machine has)\n"
	"      --at DIR             put the tree there (default: /sys/fs/cgroup)\n"
	"      --redirect           mount nothing there: lead the paths that begin so to where\n"
	"                           fuse_cgroupfs is mounted\n"
	"      --trace              tell each caught system call and its answer\n"
	"      --backend NAME       catch them so: notify (seccomp user notification) or trace\n"
	"                           (ptrace, where the kernel lacks that; default: by itself)\n"
	"Limits that COMMAND is shown, as if in a container (they are not enforced):\n"
	"  -m, --memory SIZE        memory: 512m, 1.5g, ...\n"
	"      --memory-swap SIZE   memory and swap together; -1: no limit\n"
	"      --memory-reservation SIZE  what it has when memory is short\n"
	"      --memory-swappiness NUMBER  0 to 100 (v1 only)\n"
	"      --cpus NUMBER        processors: 1.5\n"
	"      --cpu-quota MICROSECONDS  processor time in each period; instead of --cpus\n"
	"      --cpu-period MICROSECONDS  (default: 100000)\n"
	"  -c, --cpu-shares NUMBER  relative weight\n"
	"      --cpuset-cpus LIST   processors: 0-2,5\n"
	"      --cpuset-mems LIST   memory nodes: 0,1\n"
	"      --blkio-weight NUMBER  10 to 1000\n"
	"      --pids-limit NUMBER  processes and threads; -1: no limit\n"
	"      --cgroup-parent PATH  the cgroup that COMMAND's is made in: /pods/web\n"
	"  -h, --help               show this text\n"
	"  -V, --version            show the version\n"
	"\n"
	"It exits as COMMAND does; 125: it failed itself, 126: COMMAND cannot be run,\n"
	"127: there is no COMMAND.\n";

static enum run_options_result complain(const char *what, const char *value)
{
	fprintf(stderr, "fuse_cgroup_run: %s%s%s; --help shows the options\n", what,
		value ? " " : "", value ? value : "");
	return RUN_OPTIONS_WRONG;
}

static const char *option_name(int key)
{
	unsigned i = 0;

	while (option_table[i].val != key)
		i++;
	return option_table[i].name;
}

/*
 * Takes what says nothing ("//", "/.", a slash at the end) off an absolute path, as the mount
 * tables have it.
 */
static void clean_path(char *path)
{
	const char *rest = path;
	char *end = path;
	size_t len;

	while (*path == '/' && *rest) {
		rest += strspn(rest, "/");
		len = strcspn(rest, "/");
		if (len && !(len == 1 && *rest == '.')) {
			*end++ = '/';
			memmove(end, rest, len);
			end += len;
		}
		rest += len;
	}
	if (*path == '/')
		*end = '\0';
}

static enum run_options_result take_option(struct run_options *options, int key)
{
	switch (key) {
	case OPTION_AT:
		clean_path(optarg);
		options->at = optarg;
		return RUN_OPTIONS_RUN;
	case OPTION_ROOT:
		options->root = optarg;
		return RUN_OPTIONS_RUN;
	case OPTION_REDIRECT:
		options->redirect = true;
		return RUN_OPTIONS_RUN;
	case OPTION_TRACE:
		options->trace = true;
		return RUN_OPTIONS_RUN;
	case OPTION_BACKEND:
		options->backend = optarg;
		return RUN_OPTIONS_RUN;
	case OPTION_V1:
	case OPTION_V2:
		options->version = key == OPTION_V1 ? 1 : 2;
		return RUN_OPTIONS_RUN;
	case 'h':
		fputs(usage, stdout);
		return RUN_OPTIONS_DONE;
	case 'V':
		printf("fuse_cgroup_run %s\n", FUSE_CGROUPFS_VERSION);
		return RUN_OPTIONS_DONE;
	}
	if (!limit_option_take(&options->limits, key, optarg))
		return RUN_OPTIONS_RUN;
	fprintf(stderr, "fuse_cgroup_run: --%s cannot be '%s': %s\n", option_name(key), optarg,
		limit_option_grammar(key));
	return RUN_OPTIONS_WRONG;
}

/*
 * getopt(3) has refused a word: ':' lacks its value. Long ones are told by their place, short ones
 * by their letter.
 */
static enum run_options_result refuse(int key, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};

	if (optopt && optopt < OPTION_AT)
		word = letter;
	return complain(key == ':' ? "a value is missing after" : "there is no option", word);
}

static enum run_options_result check(const struct run_options *options)
{
	const struct limits *limits = &options->limits;
	const char *problem;

	if (!options->command[0] || !*options->command[0])
		return complain("no command given", NULL);
	if (!*options->at) /* or it was "/", of which nothing is left */
		return complain("--at must be an absolute path below /", NULL);
	if (options->at[0] != '/')
		return complain("--at must be an absolute path below /, not", options->at);
	problem = limit_options_check(limits);
	if (problem) {
		fprintf(stderr, "fuse_cgroup_run: %s\n", problem);
		return RUN_OPTIONS_WRONG;
	}
	return RUN_OPTIONS_RUN;
}

enum run_options_result run_options_parse(struct run_options *options, int argc, char **argv)
{
	enum run_options_result result;
	int key;

	*options = (struct run_options){.at = "/sys/fs/cgroup", .outside = -1, .program = -1,
		.limits.memory_swappiness = -1};
	opterr = 0;
	while ((key = getopt_long(argc, argv, "+:m:c:hV", option_table, NULL)) != -1) {
		result = key == '?' || key == ':' ? refuse(key, argv) : take_option(options, key);
		if (result != RUN_OPTIONS_RUN)
			return result;
	}
	options->command = argv + optind;
	return check(options);
}
