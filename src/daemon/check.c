/* SPDX-License-Identifier: MIT */
/* fuse_cgroupfs --check: what this machine has and lacks for us, and what to do about it. */
#include "check_tree.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <mntent.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_report.h"
#include "daemon.h"
#include "fuse_device.h"
#include "version.h"
#include "write_file.h"

static void say_where(void)
{
	struct utsname name = {0};

	uname(&name);
	printf("fuse_cgroupfs %s on %s %s (%s), as user %u\n", FUSE_CGROUPFS_VERSION,
	       platform_is_gvisor() ? "gVisor" : name.sysname, name.release,
	       name.machine, geteuid());
	fflush(stdout);
}

/* The machine's own, of which there need be none. */
static void look_for_cgroups(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	unsigned v1 = 0, v2 = 0, ours = 0;
	struct mntent *entry;

	while (mounts && (entry = getmntent(mounts))) {
		v1 += !strcmp(entry->mnt_type, "cgroup");
		v2 += !strcmp(entry->mnt_type, "cgroup2");
		ours += !strcmp(entry->mnt_type, "fuse.cgroupfs");
	}
	if (!mounts || access("/proc/self/stat", R_OK)) {
		check_report(CHECK_FAILED, "there is no /proc: mount it first (mount -t proc proc /proc)");
		return;
	}
	endmntent(mounts);
	check_report(CHECK_OK, "/proc is there");
	if (v1 || v2)
		check_report(
			CHECK_OK,
			"the machine has cgroups of its own (mounts of v1: %u, of v2: %u): ours are beside "
			"them",
			v1, v2);
	else
		check_report(CHECK_LACKS, "the machine has no cgroups: that is what fuse_cgroupfs is for");
	if (ours)
		check_report(CHECK_OK, "trees of fuse_cgroupfs that are mounted: %u", ours);
}

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return !syscall(__NR_capget, &header, data) &&
	       (data[capability / 32].effective >> capability % 32 & 1);
}

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH"), *end;
	char file[4096];

	do {
		end = path ? strchrnul(path, ':') : "";
		snprintf(file, sizeof(file), "%.*s/%s", path ? (int)(end - path) : 0, path ? path : "",
			 program);
		if (!access(file, X_OK))
			return true;
		path = end + 1;
	} while (*end);
	return false;
}

/* As `unshare -Urm` does: we are its root, as a daemon that we start there has capabilities then. */
static bool enter_user_namespace(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof(users), "0 %u 1", geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", getegid());
	return !unshare(CLONE_NEWUSER | CLONE_NEWNS) &&
	       !write_file(AT_FDCWD, "/proc/self/setgroups", "deny") &&
	       !write_file(AT_FDCWD, "/proc/self/uid_map", users) &&
	       !write_file(AT_FDCWD, "/proc/self/gid_map", groups);
}

static bool can_have_user_namespace(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(enter_user_namespace() ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

/* Whether one may mount, and how. */
static bool look_for_right(void)
{
	/* gVisor gives a program its file owner's rights only when it was told to (runsc --allow-suid) */
	bool has_helper = geteuid() && is_in_path("fusermount3") && !platform_is_gvisor();

	if (has_capability(CAP_SYS_ADMIN))
		check_report(CHECK_OK, "mounting is permitted (CAP_SYS_ADMIN)");
	else if (has_helper)
		check_report(CHECK_OK, "fusermount3 is there to mount for an ordinary user");
	else if (can_have_user_namespace() && enter_user_namespace())
		check_report(CHECK_LACKS,
			     "CAP_SYS_ADMIN: mounting is permitted in a user namespace: `unshare -Urm sh` "
			     "gives one, and fuse_cgroup_run has its own; what follows is looked at in such "
			     "a one");
	else if (geteuid())
		check_report(CHECK_FAILED,
			     "only root may mount here: run this as root, or install fuse3, which has "
			     "fusermount3");
	else
		check_report(CHECK_FAILED,
			     "mounting is not permitted: it needs CAP_SYS_ADMIN (in a container: --cap-add "
			     "SYS_ADMIN), or CAP_SETFCAP for a user namespace, or another user than root");
	return has_helper || has_capability(CAP_SYS_ADMIN);
}

/* Whether it is worth while to try. */
static bool look_for_fuse(void)
{
	char problem[256];
	bool is_there = fuse_device_check(problem, sizeof(problem));

	if (is_there)
		check_report(CHECK_OK, "/dev/fuse is there and can be opened");
	else
		check_report(CHECK_FAILED, "%s", problem);
	return look_for_right() && is_there;
}

static void look_for_log(void)
{
	if (!access("/dev/log", W_OK))
		check_report(CHECK_OK, "/dev/log takes the log of a daemon in the background");
	else
		check_report(
			CHECK_LACKS,
			"/dev/log: a daemon in the background has nowhere to log to: give it -o log=FILE");
}

/* What fuse_cgroup_run stands on. */
static void look_for_seccomp(void)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;

	if (syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action))
		check_report(CHECK_LACKS,
			     "seccomp user notification: fuse_cgroup_run catches calls by ptrace here, which "
			     "costs more (Linux 5.5 has it, gVisor has not)");
	if (has_capability(CAP_SYS_ADMIN) || can_have_user_namespace())
		check_report(CHECK_OK,
			     "mount namespaces are there, for fuse_cgroup_run");
	else if (geteuid())
		check_report(
			CHECK_LACKS,
			"user namespaces: fuse_cgroup_run can run here as root only, or once the sysctls "
			"kernel.unprivileged_userns_clone and user.max_user_namespaces permit them");
	else
		check_report(CHECK_LACKS,
			     "CAP_SYS_ADMIN, and user namespaces of root's: fuse_cgroup_run needs the one, "
			     "or CAP_SETFCAP, or another user than root");
	if (has_capability(CAP_SYS_ADMIN) && !has_capability(CAP_SYS_PTRACE))
		check_report(CHECK_LACKS,
			     "CAP_SYS_PTRACE: fuse_cgroup_run answers the calls of its own user's programs "
			     "alone (in a container: --cap-add SYS_PTRACE)");
}

int check_run(void)
{
	say_where();
	look_for_cgroups();
	if (look_for_fuse())
		check_tree();
	look_for_log();
	look_for_seccomp();
	if (check_failures())
		printf("%u failed\n", check_failures());
	else
		puts("everything works that is not said to be lacking");
	return check_failures() ? 1 : 0;
}
