/* SPDX-License-Identifier: MIT */
/* The command line of fuse_cgroup_run. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "number.h"
#include "version.h"

#define MEMORY_MIN (6 << 20) /* linuxMinMemory of docker's daemon */

enum { OPTION_AT = 256, OPTION_ROOT, OPTION_REDIRECT, OPTION_TRACE, OPTION_V1, OPTION_V2, OPTION_MEMORY_SWAP, OPTION_CPUS,
       OPTION_CPUSET_CPUS, OPTION_PIDS_LIMIT };

static const struct option option_table[] = {
	{"at", required_argument, NULL, OPTION_AT},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"redirect", no_argument, NULL, OPTION_REDIRECT},
	{"trace", no_argument, NULL, OPTION_TRACE},
	{"v1", no_argument, NULL, OPTION_V1},
	{"v2", no_argument, NULL, OPTION_V2},
	{"memory", required_argument, NULL, 'm'},
	{"memory-swap", required_argument, NULL, OPTION_MEMORY_SWAP},
	{"cpus", required_argument, NULL, OPTION_CPUS},
	{"cpu-shares", required_argument, NULL, 'c'},
	{"cpuset-cpus", required_argument, NULL, OPTION_CPUSET_CPUS},
	{"pids-limit", required_argument, NULL, OPTION_PIDS_LIMIT},
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
	"Limits that COMMAND is shown, as if in a container (they are not enforced):\n"
	"  -m, --memory SIZE        memory: 512m, 1.5g, ...\n"
	"      --memory-swap SIZE   memory and swap together; -1: no limit\n"
	"      --cpus NUMBER        processors: 1.5\n"
	"  -c, --cpu-shares NUMBER  relative weight\n"
	"      --cpuset-cpus LIST   processors: 0-2,5\n"
	"      --pids-limit NUMBER  processes and threads; -1: no limit\n"
	"  -h, --help               show this text\n"
	"  -V, --version            show the version\n"
	"\n"
	"It exits as COMMAND does; 125: it failed itself, 126: COMMAND cannot be run,\n"
	"127: there is no COMMAND.\n";

bool limits_given(const struct limits *limits)
{
	return limits->memory || limits->memory_swap || limits->cpu_quota || limits->cpu_shares ||
	       limits->pids || limits->cpuset_cpus;
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
	if ((value > 0 && value < 0.01) || value > 1e6) /* below is less than the kernel's least quota, 1 ms */
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
	return error || *pids < -1 ? -EINVAL : 0;
}

static int parse_limit(struct limits *limits, int key, const char *text)
{
	if (key < OPTION_AT)
		text += *text == '='; /* docker's short options take -m=512m too */
	switch (key) {
	case 'm':
		return limits_parse_size(text, &limits->memory);
	case OPTION_MEMORY_SWAP:
		return parse_swap(text, &limits->memory_swap);
	case OPTION_CPUS:
		return limits_parse_cpus(text, &limits->cpu_quota);
	case 'c':
		return parse_shares(text, &limits->cpu_shares);
	case OPTION_PIDS_LIMIT:
		return parse_pids(text, &limits->pids);
	case OPTION_CPUSET_CPUS:
		limits->cpuset_cpus = text;
		return *text ? 0 : -EINVAL;
	default:
		return -ENOENT;
	}
}

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

/* Takes what says nothing ("//", "/.", a slash at the end) off an absolute path, as the mount tables have it. */
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
	char what[64];

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
	case '?':
	case ':':
		fputs("fuse_cgroup_run: --help shows the options\n", stderr);
		return RUN_OPTIONS_WRONG; /* getopt said what */
	}
	if (!parse_limit(&options->limits, key, optarg))
		return RUN_OPTIONS_RUN;
	snprintf(what, sizeof(what), "--%s cannot be", option_name(key));
	return complain(what, optarg);
}

static enum run_options_result check(const struct run_options *options)
{
	const struct limits *limits = &options->limits;

	if (!options->command[0])
		return complain("no command given", NULL);
	if (options->at[0] != '/')
		return complain("--at must be an absolute path below /, not", options->at);
	if (limits->memory && limits->memory < MEMORY_MIN)
		return complain("--memory cannot be less than docker's least, 6m (512m: mega, 512: bytes)",
				NULL);
	if (limits->memory_swap > 0 && !limits->memory)
		return complain("--memory-swap needs --memory", NULL);
	if (limits->memory_swap > 0 && limits->memory_swap < limits->memory)
		return complain("--memory-swap is memory and swap: it cannot be less than --memory",
				NULL);
	return RUN_OPTIONS_RUN;
}

enum run_options_result run_options_parse(struct run_options *options, int argc, char **argv)
{
	enum run_options_result result;
	int key;

	*options = (struct run_options){.at = "/sys/fs/cgroup", .outside = -1, .program = -1};
	while ((key = getopt_long(argc, argv, "+m:c:hV", option_table, NULL)) != -1) {
		result = take_option(options, key);
		if (result != RUN_OPTIONS_RUN)
			return result;
	}
	options->command = argv + optind;
	return check(options);
}
