/* SPDX-License-Identifier: MIT */
/* The life of the supervisor. */
#include "supervisor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "advice.h"
#include "calls.h"
#include "catcher.h"
#include "cgroupfs.h"
#include "channel.h"
#include "descriptors.h"
#include "helper.h"
#include "limits.h"
#include "log.h"
#include "machine.h"
#include "machine_patient.h"
#include "namespace.h"
#include "options.h"
#include "pause.h"
#include "privilege.h"
#include "restricted.h"
#include "rights.h"
#include "view.h"

/* How long the command's last processes may take to be gone after it, before it is said that they stay. */
#define GRACE_MS 20

struct supervisor {
	const struct run_options *options;
	struct view view;
	struct cgroupfs cgroupfs; /* without --root */
	char root[PATH_MAX]; /* --root, absolute */
	struct calls_context context;
	struct pause pause;
	int channel; /* -1 once nobody is there */
	int end; /* hangs up when nobody is left (catcher.h); -1 until the command has come */
};

/* Where our FUSE mount is. */
static const char *fuse_directory(const struct supervisor *supervisor)
{
	return supervisor->options->root ? supervisor->root : supervisor->cgroupfs.mount;
}

static void complain_of_root(const char *path, int error)
{
	fprintf(stderr, "fuse_cgroup_run: --root: %s: %s: mount fuse_cgroupfs there first\n", path,
		strerror(error));
}

static bool show(struct supervisor *supervisor)
{
	int error = view_open(&supervisor->view, fuse_directory(supervisor));

	if (error == -ENOTSUP)
		fprintf(stderr, "fuse_cgroup_run: --root: %s is no mount of fuse_cgroupfs: mount it "
				"there first\n", fuse_directory(supervisor));
	else if (error && supervisor->options->root)
		complain_of_root(fuse_directory(supervisor), -error);
	else if (error)
		fprintf(stderr, "fuse_cgroup_run: %s: %s%s\n", fuse_directory(supervisor),
			strerror(-error), advice_on(-error));
	else if (supervisor->view.unified != supervisor->options->unified) {
		fprintf(stderr, "fuse_cgroup_run: --root: %s is of cgroup %s: leave --v1 and --v2 away\n",
			fuse_directory(supervisor), supervisor->view.unified ? "v2" : "v1");
		return false;
	}
	return !error;
}

static bool start_daemon(struct supervisor *supervisor)
{
	const struct run_options *options = supervisor->options;
	const int news = options->catcher->open_news ? options->catcher->open_news() : -1;

	if (!cgroupfs_start(&supervisor->cgroupfs, options->program, options->unified, news))
		return false;
	if (options->redirect || !namespace_is_below(supervisor->cgroupfs.directory, options->at))
		return true;
	fprintf(stderr, "fuse_cgroup_run: --at: %s would hide %s: choose another TMPDIR\n", options->at,
		supervisor->cgroupfs.directory);
	return false;
}

/* The tree in its place, with the command's own cgroups. */
static bool build(struct supervisor *supervisor)
{
	const struct run_options *options = supervisor->options;

	if (options->root && !realpath(options->root, supervisor->root)) {
		complain_of_root(options->root, errno);
		return false;
	}
	if (!options->root && !start_daemon(supervisor))
		return false;
	if (!show(supervisor))
		return false;
	if (chdir("/")) /* where we were started is not to be kept busy */
		return false;
	if (limits_given(&options->limits) && limits_make(&supervisor->view, &options->limits))
		return false;
	if (options->redirect) {
		supervisor->view.mount = fuse_directory(supervisor);
		umask(0); /* modes come with the task's taken away */
		return true;
	}
	if (!namespace_mount(&supervisor->view, fuse_directory(supervisor), options->at))
		return false;
	if (!options->root)
		cgroupfs_hide(&supervisor->cgroupfs);
	return true;
}

/* The command's process has come: serves it. */
static bool take_command(struct supervisor *supervisor, const struct channel_message *message)
{
	const struct catcher *catcher = supervisor->options->catcher;
	int error = 0;

	supervisor->pause.command = message->sender;
	if (supervisor->view.prefix[0])
		error = limits_take(&supervisor->view, message->sender);
	if (!error)
		supervisor->end = catcher->serve(message->descriptor, message->sender, &supervisor->context);
	if (supervisor->end < 0 && !error)
		error = supervisor->end;
	if (error)
		fprintf(stderr, "fuse_cgroup_run: the command cannot be served: %s%s\n",
			strerror(-error), advice_on(-error));
	return channel_send(supervisor->channel, error ? CHANNEL_FAILED : CHANNEL_GO, -1) && !error;
}

/* Nobody speaks with us any more, nor waits for what is printed. */
static void close_channel(struct supervisor *supervisor)
{
	close(supervisor->channel);
	supervisor->channel = -1;
	supervisor->pause.holds = false;
	descriptors_to_null(STDERR_FILENO, STDERR_FILENO);
}

/* False: there is nothing left to do. */
static bool answer_channel(struct supervisor *supervisor)
{
	struct channel_message message = channel_receive(supervisor->channel);

	if (message.word == CHANNEL_COMMAND)
		return take_command(supervisor, &message);
	if (message.word == CHANNEL_PAUSED) {
		pause_begin(&supervisor->pause, &supervisor->view, supervisor->view.machine,
			    message.descriptor);
		if (message.descriptor >= 0)
			close(message.descriptor);
		return true;
	}
	if (message.word == CHANNEL_CONTINUE) {
		bool may = pause_may_continue(&supervisor->pause, &supervisor->view);

		channel_send(supervisor->channel, may ? CHANNEL_GO : CHANNEL_FROZEN, -1);
		return true;
	}
	if (message.word == CHANNEL_ENDED && catcher_is_over(supervisor->end, GRACE_MS))
		return false;
	if (message.word == CHANNEL_ENDED)
		channel_send(supervisor->channel, CHANNEL_STAYS, -1);
	if (supervisor->end < 0)
		return false; /* it ended before it came */
	close_channel(supervisor);
	return true;
}

static void replace_daemon(struct supervisor *supervisor)
{
	const char *at = supervisor->options->at;
	dev_t before = supervisor->view.device;

	fprintf(stderr, "fuse_cgroup_run: its daemon has ended: starting another\n");
	if (!cgroupfs_restart(&supervisor->cgroupfs) || !show(supervisor) ||
	    supervisor->options->redirect)
		return;
	namespace_mount_again(&supervisor->view, supervisor->cgroupfs.mount, at, before);
	cgroupfs_hide(&supervisor->cgroupfs);
}

/* Until the last process has ended. */
static void live(struct supervisor *supervisor)
{
	for (bool alive = true; alive;) {
		struct pollfd pollers[] = {
			{.fd = supervisor->channel, .events = POLLIN},
			{.fd = supervisor->end}, /* POLLHUP: nobody is left */
			{.fd = supervisor->cgroupfs.pidfd, .events = POLLIN},
		};

		if (poll(pollers, 3, supervisor->pause.holds ? PAUSE_POLL_MS : -1) < 0 && errno != EINTR)
			return;
		if (supervisor->pause.holds)
			pause_look(&supervisor->pause, &supervisor->view, supervisor->view.machine);
		if (pollers[2].revents)
			replace_daemon(supervisor);
		if (pollers[0].revents)
			alive = answer_channel(supervisor);
		else if (pollers[1].revents & POLLHUP && supervisor->channel < 0)
			alive = false;
		else if (pollers[1].revents & POLLHUP)
			alive = answer_channel(supervisor); /* the command's end is about to be told */
	}
}

static const struct helper_job helped[] = {
	{CHANNEL_MARK, restricted_mark, CHANNEL_MARKED, CHANNEL_MARKED},
	{CHANNEL_ENTER, rights_enter, CHANNEL_ENTERED, CHANNEL_REFUSED},
	{0},
};

/* Of what hangs there is nothing to tell here. */
static const struct machine *open_patient_machine(void)
{
	struct machine *machine = machine_open("/");

	if (machine)
		machine_be_patient(machine);
	log_to_file("/dev/null", 0);
	return machine;
}

int supervisor_run(const struct run_options *options, int channel)
{
	/* The answering threads' to the end of the process. */
	static struct supervisor supervisor;
	bool built;

	supervisor = (struct supervisor){
		.options = options,
		.view = {.lock = PTHREAD_RWLOCK_INITIALIZER, .top = -1, .home = -1, .at = options->at,
			 .outside = options->outside},
		.cgroupfs = {.pidfd = -1},
		.pause = {.launcher = (int)syscall(__NR_pidfd_open, getppid(), 0)},
		.channel = channel,
		.end = -1,
	};
	supervisor.context = (struct calls_context){
		.view = &supervisor.view,
		.machine = machine_open("/"),
		.needed = options->needed,
		.redirect = options->redirect,
		.trace = options->trace,
		.before_waiting = options->catcher->before_waiting,
	};
	supervisor.view.machine = open_patient_machine();
	if (!supervisor.context.machine || !supervisor.view.machine)
		fprintf(stderr, "fuse_cgroup_run: /proc and /sys cannot be read: %s: mount them, or "
				"raise the limit of open files (ulimit -n)\n", strerror(errno));
	built = supervisor.context.machine && supervisor.view.machine && build(&supervisor) &&
		helper_open(helped) &&
		privilege_keep_supervisors(options->catcher->traces) &&
		channel_send(channel, CHANNEL_READY, -1);
	if (built)
		live(&supervisor);
	limits_remove(&supervisor.view);
	if (!options->root)
		cgroupfs_stop(&supervisor.cgroupfs);
	if (supervisor.channel >= 0)
		channel_send(supervisor.channel, built ? CHANNEL_DONE : CHANNEL_FAILED, -1);
	return built ? 0 : 1;
}
