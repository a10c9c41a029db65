/* SPDX-License-Identifier: MIT */
/*
 * A program with a seccomp filter of its own. own_filter errno: it forbids getppid, and statfs with
 * EPERM; look: it forbids nothing that matters; listener: it wants to be notified; run COMMAND...:
 * it runs that under a filter that forbids acct.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static int install(long number, unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static const char *kind(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup/cpu", &fs))
		return strerrorname_np(errno);
	return fs.f_type == 0x27e0eb ? "cgroup" : "other";
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!strcmp(what, "listener")) {
		int listener = install(__NR_getppid, SECCOMP_RET_USER_NOTIF,
				       SECCOMP_FILTER_FLAG_NEW_LISTENER);

		printf("%s %s\n", listener < 0 ? strerrorname_np(errno) : "listens", kind());
		return 0;
	}
	if (!strcmp(what, "run") && argc > 2) {
		if (!install(__NR_acct, SECCOMP_RET_ERRNO | EPERM, 0))
			execvp(argv[2], argv + 2);
		return 1;
	}
	if (install(__NR_getppid, SECCOMP_RET_ERRNO | EPERM, 0))
		return 1;
	if (!strcmp(what, "errno") && install(__NR_statfs, SECCOMP_RET_ERRNO | EXDEV, 0))
		return 1;
	printf("%ld %s\n", syscall(__NR_getppid), kind());
	return 0;
}
