/* SPDX-License-Identifier: MIT */
/* fuse_cgroupfs(8): serves a tree of cgroups on a FUSE mount. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "advice.h"
#include "controller.h"
#include "daemon.h"
#include "descriptors.h"
#include "freezer.h"
#include "lock.h"
#include "log.h"
#include "machine.h"
#include "machine_patient.h"
#include "native.h"
#include "options.h"
#include "state.h"
#include "symlink.h"

/* Open files: half of them are for eventfds of others (memory_eventfds_max()), of 32 users at least. */
#define DESCRIPTORS 65536
/*
 * With fewer it does not begin: some are open when it serves, and one must be left at the end, when the C
 * library loads what ends threads, and aborts where it cannot.
 */
#define DESCRIPTORS_LEAST 64

/* libfuse's complaint, kept until we know what to say; it comes in pieces. Main thread only. */
static char fuse_complaint[512];

static void keep_fuse_complaint(enum fuse_log_level level, const char *format, va_list args)
{
	size_t used = strlen(fuse_complaint);

	if (level <= FUSE_LOG_WARNING)
		vsnprintf(fuse_complaint + used, sizeof(fuse_complaint) - used, format, args);
}

static bool open_log_file(const char *path)
{
	uid_t owner;
	enum symlink link = symlink_find(path, &owner);
	int error;

	if (link == SYMLINK_OF_ANOTHER) {
		fprintf(stderr, "fuse_cgroupfs: -o log: %s: it is a link of user %u, who could have us write "
				"anywhere: remove it, or name another file\n", path, owner);
		return false;
	}
	/* what was none may be one by now */
	error = log_to_file(path, link == SYMLINK_NONE ? O_NOFOLLOW : 0);
	if (error)
		fprintf(stderr, "fuse_cgroupfs: -o log: %s: %s: name a file that can be made or written to\n",
			path, error == -ENXIO ? "nobody reads this pipe" : strerror(-error));
	return !error;
}

/* From here on the log is the file of -o log; false, and said why, when it cannot be. */
static bool open_log(const struct options *options)
{
	log_set_debug(options->debug);
	return !options->log || open_log_file(options->log);
}

/* Where the kernel tells of none that it has forgotten. */
static void forget_names(struct fuse *fuse, const struct platform *platform)
{
	struct fuse_session *session = fuse_get_session(fuse);

	if (platform->never_forgets && !forgetting_start(session, fuse_session_fd(session)))
		log_warning("names of removed cgroups are kept: that takes libfuse 3.13");
}

/* From a made filesystem to its unmounting; the exit status. */
static int mount_and_serve(struct fuse *fuse, const struct options *options,
			   struct front_end *front, const char *path)
{
	char reason[512] = "";
	bool unmounted = false;
	int result = 1;

	if (!signals_end(fuse, path)) { /* from before there is a mount to be left behind */
		explain_threads();
		return 1;
	}
	if (!mount_point_mount(fuse, path, reason, sizeof(reason))) {
		signals_ignore();
		mount_explain_failure(path, *reason ? reason : fuse_complaint);
		return 1;
	}
	fuse_set_log_func(trace_fuse_log);
	forget_names(fuse, front->platform);
	if (serve_until_signal(fuse, options, front, path, &unmounted))
		result = 0;
	signals_ignore();
	if (!unmounted)
		fuse_unmount(fuse); /* as this knows by itself where the kernel tells of it */
	notifier_stop(front->notifier); /* which may have waited for an answer until now */
	front->notifier = NULL;
	return result;
}

/* What libfuse does not take, without its own name before it. */
static void explain_options(void)
{
	static const char prefix[] = "fuse: ";
	const char *reason =
		fuse_complaint + (strncmp(fuse_complaint, prefix, strlen(prefix)) ? 0 : strlen(prefix));

	fprintf(stderr, "fuse_cgroupfs: %.*s; --help shows the options\n", (int)strcspn(reason, "\n"),
		reason);
}

static int run(const struct options *options, struct fuse_args *args, struct front_end *front)
{
	char path[PATH_MAX];
	struct fuse *fuse;
	int result;

	if (!mount_point_prepare(options->mount_point))
		return 1;
	if (!realpath(options->mount_point, path)) {
		fprintf(stderr, "fuse_cgroupfs: %s: %s: choose another directory\n", options->mount_point,
			strerror(errno));
		return 1;
	}
	front->io_uring = !options->single_thread && !options->no_io_uring && platform_offers_io_uring() &&
			  !fuse_opt_add_arg(args, "-oio_uring");
	fuse = fuse_new(args, &front_end_operations, sizeof(front_end_operations), front);
	if (!fuse) {
		explain_options();
		return 1;
	}
	result = mount_and_serve(fuse, options, front, path);
	fuse_destroy(fuse);
	forgetting_stop();
	return result;
}

/* Goes on with what -o state has, from here on; false, and said why, when it cannot be had. */
static bool open_state(const struct options *options, struct front_end *front)
{
	char *problem;

	if (!options->state)
		return true;
	front->state = state_open(options->state, front->tree, &problem);
	if (!front->state)
		fprintf(stderr, "fuse_cgroupfs: -o state: %s\n",
			problem ? problem : strerror(ENOMEM));
	free(problem);
	return front->state;
}

/* Has the kernel's own cgroups below, from here on; false, and said why, when there are none. */
static bool open_native(const struct options *options, struct tree *tree, struct native **native)
{
	bool chosen = options->native && !strcmp(options->native, "auto");
	struct text names = {0};
	int error;

	if (!options->native)
		return true;
	if (chosen && !platform_is_gvisor()) {
		fprintf(stderr, "fuse_cgroupfs: -o native=auto: this is not gVisor: name the directory that "
				"cgroups of v1 are mounted in\n");
		return false;
	}
	*native = native_new(platform_is_gvisor());
	error = *native ? tree_back(tree, *native, chosen ? NULL : options->native, &names) : -ENOMEM;
	if (error)
		fprintf(stderr, "fuse_cgroupfs: -o native=%s: %s: %s\n", options->native, strerror(-error),
			chosen ? "gVisor has none of these, or lets only CAP_SYS_ADMIN mount them"
			       : "no cgroup of v1 is mounted on a directory there that has its controller's "
				 "name");
	else
		log_info("native: %.*s", (int)names.len, names.data);
	text_free(&names);
	return !error;
}

/* The end in order: all is kept, and who is stopped waits for the next daemon. */
static void close_state(struct front_end *front)
{
	if (!front->state)
		return;
	state_close(front->state);
	freezer_keep_stopped(front->tree);
}

static bool want_files(const struct options *options, struct tree *tree)
{
	for (const char *const *name = options->files; *name; name++) {
		if (tree_want_file(tree, *name))
			continue;
		fprintf(stderr,
			"fuse_cgroupfs: -o with: there is no '%s' in this tree; --help lists what there is\n",
			*name);
		return false;
	}
	return true;
}

/* The tree and what it stands on; the exit status. */
static int build_and_run(const struct options *options, struct fuse_args *args)
{
	struct front_end front = {
		.platform = platform_detect(options->sendfile),
		.handles_lock = LOCK_INITIALIZER,
	};
	struct machine *machine = access("/proc/self/stat", R_OK) ? NULL : machine_open("/");
	struct native *native = NULL;
	int result = 1;

	if (!machine) {
		fprintf(stderr, "fuse_cgroupfs: /proc: %s: mount it first (mount -t proc proc /proc)\n",
			strerror(errno));
		return 1;
	}
	machine_be_patient(machine);
	if (front.platform->tells_first_ids)
		ids_learn();
	front.accounting = accounting_new(machine);
	if (front.accounting)
		front.tree =
			(options->v2 ? tree_new_unified : tree_new)(options->list, machine, front.accounting);
	if (front.tree)
		front.tree->container_view = options->container_view;
	if (front.tree && want_files(options, front.tree) && open_state(options, &front) &&
	    open_native(options, front.tree, &native))
		result = run(options, args, &front);
	else if (!front.tree)
		fprintf(stderr, "fuse_cgroupfs: cannot build the tree: %s%s\n", strerror(errno),
			advice_on(errno));
	if (front.tree)
		tree_stop(front.tree);
	if (front.accounting)
		accounting_stop(front.accounting);
	close_state(&front);
	handles_close_all(&front);
	tree_free(front.tree);
	native_free(native);
	accounting_free(front.accounting);
	machine_close(machine);
	return result;
}

static bool enough_descriptors(unsigned allowed)
{
	if (allowed < DESCRIPTORS_LEAST)
		fprintf(stderr, "fuse_cgroupfs: %u open files are too few: raise the limit of open files "
				"(ulimit -n) to %u or more\n", allowed, DESCRIPTORS_LEAST);
	return allowed >= DESCRIPTORS_LEAST;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	unsigned descriptors;
	struct options options;
	int status = 1;

	descriptors_fill();
	descriptors_close(NULL, 0);
	descriptors = descriptors_allow(DESCRIPTORS);
	fuse_set_log_func(keep_fuse_complaint);
	switch (options_parse(&options, &args)) {
	case OPTIONS_DONE:
		status = 0;
		break;
	case OPTIONS_CHECK:
		if (enough_descriptors(descriptors))
			status = check_run();
		break;
	case OPTIONS_RUN:
		if (enough_descriptors(descriptors) && open_log(&options) &&
		    (options.foreground || background_start()))
			status = build_and_run(&options, &args);
		break;
	case OPTIONS_WRONG:
		if (*fuse_complaint) /* else it has been said */
			explain_options();
		break;
	}
	options_free(&options);
	fuse_opt_free_args(&args);
	return status;
}
