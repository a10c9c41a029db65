/* SPDX-License-Identifier: MIT */
/* The command line. */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller.h"
#include "daemon.h"
#include "freezer.h"
#include "version.h"

#include <fuse_lowlevel.h>

enum { KEY_HELP, KEY_VERSION };

#define OPTION(template, field) {template, offsetof(struct options, field), 1}

static const struct fuse_opt option_table[] = {
	OPTION("controllers=%s", controllers),
	OPTION("with=%s", with),
	OPTION("accounting=%s", accounting),
	OPTION("state=%s", state),
	OPTION("native=%s", native),
	OPTION("log=%s", log),
	OPTION("--check", check),
	OPTION("freeze=%s", freeze),
	OPTION("sendfile", sendfile),
	OPTION("no_io_uring", no_io_uring),
	OPTION("v2", v2),
	OPTION("view=%s", view),
	FUSE_OPT_KEY("-h", KEY_HELP),
	FUSE_OPT_KEY("--help", KEY_HELP),
	FUSE_OPT_KEY("-V", KEY_VERSION),
	FUSE_OPT_KEY("--version", KEY_VERSION),
	FUSE_OPT_END,
};

static const char usage[] =
	"Usage: fuse_cgroupfs [options] [SOURCE] MOUNTPOINT\n"
	"       fuse_cgroupfs --check\n"
	"Serve a tree of cgroups at MOUNTPOINT, with values computed from /proc.\n"
	"\n"
	"  -f                     stay in the foreground\n"
	"  -d                     stay in the foreground and tell all that happens\n"
	"  -s                     one thread only\n"
	"  -o OPTION[,OPTION...]  mount options, those of mount.fuse3(8) and:\n"
	"       controllers=A:B   serve these hierarchies only (default: all), out of\n"
	"                         ";

static const char usage_end[] =
	"\n"
	"       accounting=SOURCE where fork and exit are learnt of: auto (default),\n"
	"                         events (needs CAP_PERFMON or CAP_NET_ADMIN) or scan\n"
	"       state=DIRECTORY   keep everything there, and go on with it at the next start\n"
	"       native=WHERE      have the kernel's own cgroups of v1 below, of which those in\n"
	"                         use are in this directory (auto: gVisor's)\n"
	"       v2                serve the unified hierarchy, cgroup v2, instead of v1's\n"
	"       log=FILE          add the log to this file (default: standard error, and in\n"
	"                         the background syslog)\n"
	"       with=A:B          also serve what not every kernel is built with: dmem,\n"
	"                         io.latency, io.prio.class (v2), blkio.prio.class (v1)\n"
	"       view=AS           v2: the root as a host has it (host, default), or as it is\n"
	"                         seen from within a cgroup namespace (container)\n"
	"       freeze=HOW        what FROZEN does to processes: stop (default) or none\n"
	"       sendfile          let sendfile(2) work on the files (busybox cat uses it),\n"
	"                         which then show a size that is not 0\n"
	"       no_io_uring       do without io_uring where libfuse and the kernel have it\n"
	"      --check            tell what this machine has and lacks, and try everything\n"
	"  -h, --help             show this text\n"
	"  -V, --version          show the version\n"
	"\n"
	"Unmount with: fusermount3 -u MOUNTPOINT\n";

static void print_usage(void)
{
	fputs(usage, stdout);
	for (unsigned i = 0; controllers[i]; i++)
		printf("%s%s%s", i ? ":" : "", i == 8 ? "\n                         " : "",
		       controllers[i]->name);
	fputs(usage_end, stdout);
}

static void print_version(void)
{
	printf("fuse_cgroupfs %s (libfuse %s)\n", FUSE_CGROUPFS_VERSION, fuse_pkgversion());
}

/* Its name on the version that is served. */
static const char *name_of(const struct options *options, const struct controller *controller)
{
	return options->v2 && controller->dfl_name ? controller->dfl_name : controller->name;
}

static const struct controller *find_controller(const struct options *options, const char *name)
{
	const struct controller *const *list = options->v2 ? dfl_controllers : controllers;

	while (*list && (strcmp(name_of(options, *list), name) || (options->v2 && (*list)->unlisted_on_dfl)))
		list++;
	return *list;
}

static bool is_listed(const struct controller *const *list, const struct controller *controller)
{
	while (*list && *list != controller)
		list++;
	return *list;
}

/* Fills the list from -o controllers=, in the order that was asked for. */
static bool choose_named(struct options *options)
{
	unsigned count = 0;
	char *rest = options->controllers;
	const char *name;

	while ((name = strsep(&rest, ":"))) {
		const struct controller *controller = find_controller(options, name);

		if (!controller) {
			fprintf(stderr, "fuse_cgroupfs: -o controllers: there is no controller '%s'; "
					"--help lists those there are\n", name);
			return false;
		}
		if (!is_listed(options->list, controller))
			options->list[count++] = controller;
	}
	return true;
}

/*
 * v2's are in the order of cgroup.controllers whatever order they were asked for in, with the files that
 * every cgroup has.
 */
static void sort_controllers(struct options *options)
{
	unsigned count = 0;
	const struct controller *sorted[32];

	for (unsigned i = 0; dfl_controllers[i]; i++) {
		if (is_listed(options->list, dfl_controllers[i]) || dfl_controllers[i]->unlisted_on_dfl)
			sorted[count++] = dfl_controllers[i];
	}
	memcpy(options->list, sorted, count * sizeof(*sorted));
}

static unsigned count_controllers(const struct controller *const *list)
{
	unsigned count = 0;

	while (list[count])
		count++;
	return count;
}

static void choose_usual(struct options *options, const struct controller *const *all)
{
	for (unsigned count = 0; *all; all++) {
		if (!(*all)->optional)
			options->list[count++] = *all;
	}
}

/* -o with=: controllers are served, files are to be looked for in the tree. */
static bool choose_more(struct options *options)
{
	unsigned files = 0;
	char *rest = options->with;
	const char *name;

	while ((name = strsep(&rest, ":"))) {
		const struct controller *controller = find_controller(options, name);

		if (controller && controller->optional) {
			if (!is_listed(options->list, controller))
				options->list[count_controllers(options->list)] = controller;
		} else if (files < OPTIONS_FILES - 1) {
			options->files[files++] = name;
		} else {
			fprintf(stderr, "fuse_cgroupfs: -o with: there are not so many names as these; "
					"--help lists them\n");
			return false;
		}
	}
	return true;
}

static bool choose_controllers(struct options *options)
{
	const struct controller *const *all = options->v2 ? dfl_controllers : controllers;

	options->list = calloc(count_controllers(all) + 1, sizeof(*options->list));
	if (!options->list) {
		fprintf(stderr, "fuse_cgroupfs: out of memory\n");
		return false;
	}
	if (!options->controllers)
		choose_usual(options, all);
	else if (!choose_named(options))
		return false;
	if (!choose_more(options))
		return false;
	if (options->v2)
		sort_controllers(options);
	return true;
}

/* Before the mount point mount(8) gives the source, which is a name here and no path. */
static int take_mount_point(struct options *options, const char *path)
{
	if (options->source_name || (options->mount_point && strchr(options->mount_point, '/'))) {
		fprintf(stderr,
			"fuse_cgroupfs: one mount point only, not also '%s'; --help shows what can "
			"be given\n",
			path);
		return -1;
	}
	options->source_name = options->mount_point;
	options->mount_point = strdup(path);
	return options->mount_point ? 0 : -1;
}

static bool is_controller(const char *name)
{
	const struct options v1 = {.v2 = false}, v2 = {.v2 = true};

	return find_controller(&v1, name) || find_controller(&v2, name);
}

/* A word between the commas of -o that is none of ours: libfuse's and the kernel's are told by libfuse. */
static int leave_option(const char *word)
{
	if (!is_controller(word))
		return 1;
	fprintf(stderr,
		"fuse_cgroupfs: -o %s: a comma ends the list of controllers: write it with colons, as in "
		"controllers=cpu:%s\n",
		word, word);
	return -1;
}

/* One word of the command line that option_table has no field for: 0 takes it, 1 leaves it to libfuse. */
static int process_argument(void *data, const char *argument, int key, struct fuse_args *rest)
{
	struct options *options = data;

	(void)rest;
	switch (key) {
	case KEY_HELP:
		print_usage();
		break;
	case KEY_VERSION:
		print_version();
		break;
	case FUSE_OPT_KEY_NONOPT:
		return take_mount_point(options, argument);
	case FUSE_OPT_KEY_OPT:
		return leave_option(argument);
	default:
		return 1;
	}
	options->answered = true;
	return 0;
}

static bool choose_source(struct options *options)
{
	static const char *const names[] = {
		[ACCOUNTING_AUTO] = "auto",
		[ACCOUNTING_EVENTS] = "events",
		[ACCOUNTING_SCAN] = "scan",
		[ACCOUNTING_TRACER] = "tracer",
	};

	for (unsigned i = 0; options->accounting && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(options->accounting, names[i]))
			continue;
		options->source = i;
		return true;
	}
	if (!options->accounting)
		return true;
	fprintf(stderr, "fuse_cgroupfs: -o accounting: '%s' is none of auto, events and scan\n",
		options->accounting);
	return false;
}

static bool choose_freezing(struct options *options)
{
	bool none = options->freeze && !strcmp(options->freeze, "none");

	if (!none && options->freeze && strcmp(options->freeze, "stop")) {
		fprintf(stderr, "fuse_cgroupfs: -o freeze: '%s' is neither stop nor none\n",
			options->freeze);
		return false;
	}
	freezer_set_acting(!none);
	return true;
}

static bool choose_view(struct options *options)
{
	options->container_view = options->view && !strcmp(options->view, "container");
	if (!options->view || options->container_view || !strcmp(options->view, "host"))
		return true;
	fprintf(stderr, "fuse_cgroupfs: -o view: '%s' is neither host nor container\n", options->view);
	return false;
}

static bool check_paths(const struct options *options)
{
	const char *problem = NULL;

	if (!options->mount_point || !*options->mount_point)
		problem =
			"no mount point given; try: mkdir /tmp/fuse-cgroup && fuse_cgroupfs /tmp/fuse-cgroup";
	else if (options->state && !*options->state)
		problem = "-o state: no directory given; try: state=/var/lib/fuse_cgroupfs";
	else if (options->native && !*options->native)
		problem = "-o native: no directory given; try: native=auto";
	else if (options->native && options->v2)
		problem = "-o native: there is nothing of cgroup v2 to have below: leave out v2 or native";
	else if (options->native && options->state)
		problem = "-o native: what the kernel has counted is not kept: leave out state or native";
	else if (options->log && !*options->log)
		problem = "-o log: no file given; try: log=/var/log/fuse_cgroupfs.log";
	if (problem)
		fprintf(stderr, "fuse_cgroupfs: %s\n", problem);
	return !problem;
}

/*
 * The options every mount of ours has, before those of the command line, of which the later counts. Others
 * may read root's mount, as they may the kernel's. The source that mount(8) was given is the one it looks
 * for.
 */
static int add_mount_options(const struct options *options, struct fuse_args *args)
{
	char *line = strdup("default_permissions,subtype=cgroupfs"), *whole = NULL;
	char source[256];
	int failed = !line;

	snprintf(source, sizeof(source), "fsname=%s", options->source_name ? options->source_name : "cgroup");
	if (!failed)
		failed = fuse_opt_add_opt_escaped(&line, source);
	if (!failed && geteuid() == 0)
		failed = fuse_opt_add_opt(&line, "allow_other");
	if (!failed)
		failed = asprintf(&whole, "-o%s", line) < 0 || fuse_opt_insert_arg(args, 1, whole);
	free(line);
	free(whole);
	return failed;
}

enum options_result options_parse(struct options *options, struct fuse_args *args)
{
	struct fuse_cmdline_opts cmdline;
	const int words = args->argc;

	*options = (struct options){0};
	if (fuse_opt_parse(args, options, option_table, process_argument))
		return OPTIONS_WRONG;
	if (options->answered)
		return OPTIONS_DONE;
	if (options->check && words == 2)
		return OPTIONS_CHECK;
	if (options->check) {
		fprintf(stderr, "fuse_cgroupfs: --check takes nothing beside it: it mounts for itself\n");
		return OPTIONS_WRONG;
	}
	if (add_mount_options(options, args) || fuse_parse_cmdline(args, &cmdline))
		return OPTIONS_WRONG;
	free(cmdline.mountpoint);
	options->debug = cmdline.debug;
	options->foreground = cmdline.foreground || cmdline.debug;
	options->single_thread = cmdline.singlethread;
	options->clone_fd = cmdline.clone_fd;
	if (!check_paths(options) || !choose_source(options) || !choose_freezing(options) ||
	    !choose_controllers(options) || !choose_view(options))
		return OPTIONS_WRONG;
	return OPTIONS_RUN;
}

void options_free(struct options *options)
{
	free(options->mount_point);
	free(options->source_name);
	free(options->controllers);
	free(options->state);
	free(options->native);
	free(options->log);
	free(options->with);
	free(options->accounting);
	free(options->freeze);
	free(options->view);
	free(options->list);
}
