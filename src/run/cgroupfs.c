/* SPDX-License-Identifier: MIT */
/* Starting and ending our own fuse_cgroupfs. */
#include "cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "advice.h"
#include "starter.h"

#define START_MS 20000 /* until a daemon that does not serve counts as hung */
#define STOP_MS 5000
#define POLL_MS 2

static bool complain(const char *what)
{
	fprintf(stderr, "fuse_cgroup_run: %s: %s%s\n", what, strerror(errno), advice_on(errno));
	return false;
}

static bool is_serving(const struct cgroupfs *cgroupfs)
{
	struct statfs fs;

	return !statfs(cgroupfs->mount, &fs) && (unsigned long)fs.f_type == FUSE_SUPER_MAGIC;
}

static bool has_ended(const struct cgroupfs *cgroupfs, int milliseconds)
{
	struct pollfd poller = {.fd = cgroupfs->pidfd, .events = POLLIN};

	return poll(&poller, 1, milliseconds) > 0;
}

static void send_signal(const struct cgroupfs *cgroupfs, int number)
{
	syscall(__NR_pidfd_send_signal, cgroupfs->pidfd, number, NULL, 0);
}

/* Forgets a daemon that has ended. */
static void bury(struct cgroupfs *cgroupfs)
{
	close(cgroupfs->pidfd);
	cgroupfs->pidfd = -1;
}

static void end(struct cgroupfs *cgroupfs)
{
	if (cgroupfs->pidfd < 0)
		return;
	send_signal(cgroupfs, SIGTERM);
	if (!has_ended(cgroupfs, STOP_MS)) {
		send_signal(cgroupfs, SIGKILL);
		has_ended(cgroupfs, STOP_MS);
	}
	bury(cgroupfs);
}

/* The last line: those before it are of the log. */
static void show_log(const struct cgroupfs *cgroupfs)
{
	char text[1024], *line;
	ssize_t len = pread(cgroupfs->log, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	line = strrchr(text, '\n');
	fprintf(stderr, "fuse_cgroup_run: its daemon did not start: %s\n",
		line ? line + 1 : *text ? text : "who was to start it has been killed");
}

static bool wait_until_serving(struct cgroupfs *cgroupfs)
{
	for (int waited = 0; waited < START_MS; waited += POLL_MS) {
		if (is_serving(cgroupfs))
			return true;
		if (cgroupfs->pidfd < 0 || has_ended(cgroupfs, POLL_MS))
			break;
	}
	show_log(cgroupfs);
	end(cgroupfs);
	return false;
}

static bool start(struct cgroupfs *cgroupfs)
{
	if (ftruncate(cgroupfs->log, 0) || lseek(cgroupfs->log, 0, SEEK_SET))
		return complain("its log");
	cgroupfs->pidfd = starter_start_daemon(cgroupfs->starter);
	return wait_until_serving(cgroupfs);
}

static bool make_directory(struct cgroupfs *cgroupfs, const char *temporary)
{
	char real[PATH_MAX];

	if (!realpath(temporary, real)) /* absolute: we do not stay where we are */
		return false;
	if (snprintf(cgroupfs->directory, sizeof(cgroupfs->directory), "%s/fuse_cgroup_run-XXXXXX",
		     real) >= (int)sizeof(cgroupfs->directory))
		errno = ENAMETOOLONG;
	else if (mkdtemp(cgroupfs->directory)) {
		snprintf(cgroupfs->mount, sizeof(cgroupfs->mount), "%s/mount", cgroupfs->directory);
		return !mkdir(cgroupfs->mount, 0755) && !chmod(cgroupfs->directory, 0755);
	}
	cgroupfs->directory[0] = '\0';
	return false;
}

bool cgroupfs_start(struct cgroupfs *cgroupfs, int program, bool unified, int news)
{
	const char *temporary = getenv("TMPDIR");

	if (!temporary || !*temporary)
		temporary = "/tmp";
	*cgroupfs = (struct cgroupfs){
		.program = program, .unified = unified, .news = news, .starter = -1, .pidfd = -1};
	cgroupfs->log = memfd_create("log", MFD_CLOEXEC);
	if (cgroupfs->log < 0)
		return complain("its log");
	if (make_directory(cgroupfs, temporary)) {
		cgroupfs->starter = starter_open(cgroupfs);
		if (news >= 0)
			close(news); /* the starter has it */
		return cgroupfs->starter >= 0 ? start(cgroupfs) : complain("its daemon's process");
	}
	fprintf(stderr,
		"fuse_cgroup_run: %s: its daemon's directory cannot be made there: %s: choose another "
		"with TMPDIR, or mount a tmpfs there\n",
		temporary, strerror(errno));
	return false;
}

void cgroupfs_hide(struct cgroupfs *cgroupfs)
{
	umount2(cgroupfs->mount, MNT_DETACH);
}

bool cgroupfs_restart(struct cgroupfs *cgroupfs)
{
	bury(cgroupfs);
	return start(cgroupfs);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* By names, not by devices: below an overlay of gVisor's a directory and its files have different ones. */
static void remove_directory(const struct cgroupfs *cgroupfs)
{
	char state[sizeof(cgroupfs->directory) + sizeof("/" CGROUPFS_STATE)];

	snprintf(state, sizeof(state), "%s/" CGROUPFS_STATE, cgroupfs->directory);
	nftw(state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	rmdir(cgroupfs->mount);
	rmdir(cgroupfs->directory);
}

void cgroupfs_stop(struct cgroupfs *cgroupfs)
{
	end(cgroupfs);
	if (cgroupfs->starter >= 0)
		starter_close(cgroupfs->starter);
	if (!cgroupfs->directory[0])
		return;
	cgroupfs_hide(cgroupfs);
	remove_directory(cgroupfs);
}
