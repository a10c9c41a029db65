/* Starting and ending our own fuse_cgroupfs. */
#include "cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "fuse_cgroupfs"
#define STATE "state"
#define START_MS 20000 /* until a daemon that does not serve counts as hung */
#define STOP_MS 5000
#define POLL_MS 2

static bool complain(const char *what)
{
	fprintf(stderr, "fuse_cgroup_run: %s: %s\n", what, strerror(errno));
	return false;
}

/* In a user namespace of an ordinary user exec() takes the capabilities that mounting needs: keep them. */
static void keep_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (geteuid() == 0 || syscall(__NR_capget, &header, data))
		return;
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	if (syscall(__NR_capset, &header, data))
		return;
	for (unsigned i = 0; i < 64; i++) {
		if (data[i / 32].permitted & 1u << i % 32)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
	}
}

/* The child's part: in quiet, with a log that is shown when the start fails. */
static void run_daemon(const struct cgroupfs *cgroupfs, pid_t parent)
{
	char state[PATH_MAX];
	char *arguments[] = {PROGRAM, "-f", state, (char *)cgroupfs->mount, NULL};
	sigset_t none;

	snprintf(state, sizeof(state), "-ostate=%s/" STATE, cgroupfs->directory);
	dup2(cgroupfs->log, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1); /* it has ended before */
	if (chdir("/"))
		_exit(1);
	keep_capabilities();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(cgroupfs->program, F_SETFD, 0); /* by its name there a script is read, and a sanitizer starts anew */
	execveat(cgroupfs->program, "", arguments, environ, AT_EMPTY_PATH);
	dprintf(STDERR_FILENO, PROGRAM ": %s\n", strerror(errno));
	_exit(127);
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

/* Forgets a daemon that has ended. */
static void bury(struct cgroupfs *cgroupfs)
{
	waitpid(cgroupfs->pid, NULL, 0);
	close(cgroupfs->pidfd);
	cgroupfs->pidfd = -1;
	cgroupfs->pid = 0;
}

static void end(struct cgroupfs *cgroupfs)
{
	if (!cgroupfs->pid)
		return;
	kill(cgroupfs->pid, SIGTERM);
	if (!has_ended(cgroupfs, STOP_MS))
		kill(cgroupfs->pid, SIGKILL);
	bury(cgroupfs);
}

static void show_log(const struct cgroupfs *cgroupfs)
{
	char text[1024];
	ssize_t len = pread(cgroupfs->log, text, sizeof(text), 0);

	fprintf(stderr, "fuse_cgroup_run: its daemon did not start: %.*s%s", len > 0 ? (int)len : 0,
		text, len > 0 && text[len - 1] == '\n' ? "" : "\n");
}

static bool wait_until_serving(struct cgroupfs *cgroupfs)
{
	for (int waited = 0; waited < START_MS; waited += POLL_MS) {
		if (is_serving(cgroupfs))
			return true;
		if (has_ended(cgroupfs, POLL_MS))
			break;
	}
	show_log(cgroupfs);
	end(cgroupfs);
	return false;
}

static bool start(struct cgroupfs *cgroupfs)
{
	pid_t parent = getpid();

	if (ftruncate(cgroupfs->log, 0) || lseek(cgroupfs->log, 0, SEEK_SET))
		return complain("its log");
	cgroupfs->pid = fork();
	if (cgroupfs->pid < 0) {
		cgroupfs->pid = 0;
		return complain("fork");
	}
	if (!cgroupfs->pid)
		run_daemon(cgroupfs, parent);
	cgroupfs->pidfd = (int)syscall(__NR_pidfd_open, cgroupfs->pid, 0);
	if (cgroupfs->pidfd < 0) {
		kill(cgroupfs->pid, SIGKILL);
		return complain("pidfd_open");
	}
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

bool cgroupfs_start(struct cgroupfs *cgroupfs, int program)
{
	const char *temporary = getenv("TMPDIR");

	if (!temporary || !*temporary)
		temporary = "/tmp";
	*cgroupfs = (struct cgroupfs){.program = program, .pidfd = -1};
	cgroupfs->log = memfd_create("log", MFD_CLOEXEC);
	if (cgroupfs->log < 0)
		return complain("its log");
	if (make_directory(cgroupfs, temporary))
		return start(cgroupfs);
	fprintf(stderr, "fuse_cgroup_run: %s: its daemon's directory cannot be made there: %s: choose another "
			"with TMPDIR\n", temporary, strerror(errno));
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

void cgroupfs_stop(struct cgroupfs *cgroupfs)
{
	end(cgroupfs);
	if (!cgroupfs->directory[0])
		return;
	cgroupfs_hide(cgroupfs);
	nftw(cgroupfs->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
