/* SPDX-License-Identifier: MIT */
/* The mount point, before it is mounted on. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "fuse_device.h"

#define FUSE_ROOT_INO 1

extern char **environ;

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "fuse_cgroupfs: %s: %s\n", path, what);
	return false;
}

bool mount_point_leave(const char *path)
{
	char *arguments[] = {"fusermount3", "-u", "-z", "--", (char *)path, NULL};
	posix_spawn_file_actions_t silence; /* what goes wrong is said by our caller, in one line */
	pid_t child = -1;
	int status;

	if (!umount2(path, MNT_DETACH))
		return true;
	if (posix_spawn_file_actions_init(&silence))
		return false;
	if (posix_spawn_file_actions_addopen(&silence, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ||
	    posix_spawnp(&child, arguments[0], &silence, NULL, arguments, environ))
		child = -1;
	posix_spawn_file_actions_destroy(&silence);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool check_device(void)
{
	char problem[256];

	if (fuse_device_check(problem, sizeof(problem)))
		return true;
	fprintf(stderr, "fuse_cgroupfs: %s\n", problem);
	return false;
}

/* What is not there has to be made, which a read-only root does not permit. */
static bool complain_of_missing(const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX];
	struct statvfs fs;

	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	if (!statvfs(above, &fs) && (fs.f_flag & ST_RDONLY))
		return complain(path,
				"no such directory, and none can be made where all is read-only: choose one "
				"elsewhere (/dev/shm or another tmpfs)");
	return complain(path, "no such directory: make it with mkdir first");
}

static bool is_fuse_mount(const char *path, const struct stat *st)
{
	struct statfs fs;

	return st->st_ino == FUSE_ROOT_INO && !statfs(path, &fs) &&
	       (unsigned long)fs.f_type == FUSE_SUPER_MAGIC;
}

/* The latter two where requests came by io_uring: ECANCELED while the kernel still takes its rings down. */
static bool tells_of_death(int error)
{
	return error == ENOTCONN || error == ECONNABORTED || error == ECANCELED;
}

/* A stat may be answered from what the kernel still knows of the mount, a statfs never is. */
static bool is_dead(const char *path)
{
	struct stat st;
	struct statfs fs;

	return (stat(path, &st) && tells_of_death(errno)) || (statfs(path, &fs) && tells_of_death(errno));
}

static bool is_same(const struct stat *st, const char *path)
{
	struct stat other;

	return !stat(path, &other) && st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

bool mount_point_prepare(const char *path)
{
	struct stat st;

	if (is_dead(path)) {
		if (!mount_point_leave(path))
			return complain(path, "a FUSE filesystem whose daemon has died is mounted "
					      "here: unmount it with fusermount3 -u -z");
		errno = 0;
	}
	if (stat(path, &st)) {
		if (errno == ENOENT)
			return complain_of_missing(path);
		fprintf(stderr, "fuse_cgroupfs: %s: %s: choose another directory\n", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		return complain(path, "not a directory: a mount point must be one");
	if (is_same(&st, "/") || is_same(&st, "/proc"))
		return complain(path, "a tree would hide what is needed here: choose another directory");
	if (is_fuse_mount(path, &st))
		return complain(path, "a FUSE filesystem is already mounted here: unmount it with "
				      "fusermount3 -u, or choose another directory");
	return check_device();
}

/* The first line of what was written to `fd`, without the program's name before it. */
static void read_reason(int fd, char *reason, size_t size)
{
	static const char name[] = "fusermount3: ";
	ssize_t len = pread(fd, reason, size - 1, 0);

	reason[len > 0 ? len : 0] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
	if (!strncmp(reason, name, strlen(name)))
		memmove(reason, reason + strlen(name), strlen(reason + strlen(name)) + 1);
}

/* fusermount3 complains on its own: what it says becomes part of our one line. */
bool mount_point_mount(struct fuse *fuse, const char *path, char *reason, size_t size)
{
	int capture = memfd_create("standard error", MFD_CLOEXEC);
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	bool mounted;

	if (capture >= 0 && before >= 0)
		dup2(capture, STDERR_FILENO);
	mounted = !fuse_mount(fuse, path);
	if (capture >= 0 && before >= 0) {
		dup2(before, STDERR_FILENO);
		if (!mounted)
			read_reason(capture, reason, size);
	}
	close(before);
	close(capture);
	return mounted;
}

/* What libfuse and fusermount3 say ends with the kernel's words. */
static const char *advice(const char *reason)
{
	/* libfuse 3.14; 3.17; 3.18 */
	if (strstr(reason, "exec") || strstr(reason, "posix_spawn") || strstr(reason, "Failed to call"))
		return ": run as root, or install fuse3, which has fusermount3";
	if (platform_is_gvisor() && strstr(reason, strerror(EPERM)))
		return ": gVisor permits this with CAP_SYS_ADMIN, or in a user namespace: put `unshare -Urm` "
		       "before it, or take fuse_cgroup_run, which has its own";
	if (geteuid())
		return ": run as root, or with fuse3 (fusermount3) on a directory of your own";
	if (strstr(reason, strerror(EPERM)))
		return ": this needs CAP_SYS_ADMIN (in a container: --cap-add SYS_ADMIN), or a user "
		       "namespace (unshare -Urm)";
	if (strstr(reason, strerror(ENODEV)))
		return ": the kernel has no FUSE: load the module (modprobe fuse)";
	if (strstr(reason, strerror(EINVAL)))
		return ": the kernel does not take these mount options, or this /dev/fuse; --help shows ours";
	return ": fuse_cgroupfs --check tells what is missing here";
}

void mount_explain_failure(const char *path, const char *reason)
{
	const char *prefix = "fuse: ";
	size_t len;

	if (!strncmp(reason, prefix, strlen(prefix)))
		reason += strlen(prefix);
	len = strcspn(reason, "\n");
	fprintf(stderr, "fuse_cgroupfs: %s: cannot mount%s%.*s%s\n", path, len ? ": " : "",
		(int)len, reason, advice(reason));
}
