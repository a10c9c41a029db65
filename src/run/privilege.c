/* SPDX-License-Identifier: MIT */
/* Least privilege of the supervisor and the launcher. */
#include "privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/*
 * To look into tasks: SYS_PTRACE. To mount in their namespaces: SYS_ADMIN, SYS_CHROOT (setns(2)). To receive
 * calls at a real-time priority, and to move the command into a cpuset: SYS_NICE. To be them for a moment:
 * SETUID, SETGID, and what may be in their effective set that a call on a path asks for.
 */
#define OF_SUPERVISOR (CAP(SYS_PTRACE) | CAP(SYS_ADMIN) | CAP(SYS_CHROOT) | CAP(SYS_NICE) | CAP(SETUID) | \
		       CAP(SETGID) | CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | \
		       CAP(FSETID) | CAP(MKNOD) | CAP(SETFCAP))
#define OVER_OTHERS (CAP(SYS_PTRACE) | CAP(SYS_NICE)) /* who have more capabilities */
#define OF_LAUNCHER CAP(KILL) /* the command may be another user's, as su's child */

/* A sanitizer looks for leaks, at the end, by ptrace(2) from a process of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum need { NONE, SANITIZER = 1 << 0, TRACER = 1 << 1 };

static const struct {
	int number;
	unsigned needed; /* by whom it is */
} forbidden[] = {
	/* other programs, other processes */
	{SCMP_SYS(execve), SANITIZER}, {SCMP_SYS(execveat), NONE}, {SCMP_SYS(fork), SANITIZER},
	{SCMP_SYS(vfork), SANITIZER},
	{SCMP_SYS(ptrace), SANITIZER | TRACER}, {SCMP_SYS(personality), SANITIZER},
	/* the kernel's own code and state */
	{SCMP_SYS(init_module), NONE}, {SCMP_SYS(finit_module), NONE}, {SCMP_SYS(delete_module), NONE},
	{SCMP_SYS(kexec_load), NONE}, {SCMP_SYS(kexec_file_load), NONE}, {SCMP_SYS(reboot), NONE},
	{SCMP_SYS(bpf), NONE}, {SCMP_SYS(perf_event_open), NONE}, {SCMP_SYS(userfaultfd), NONE},
	{SCMP_SYS(iopl), NONE}, {SCMP_SYS(ioperm), NONE}, {SCMP_SYS(modify_ldt), NONE},
	{SCMP_SYS(swapon), NONE}, {SCMP_SYS(swapoff), NONE}, {SCMP_SYS(acct), NONE},
	{SCMP_SYS(syslog), NONE},
	{SCMP_SYS(quotactl), NONE}, {SCMP_SYS(quotactl_fd), NONE}, {SCMP_SYS(sethostname), NONE},
	{SCMP_SYS(setdomainname), NONE}, {SCMP_SYS(settimeofday), NONE}, {SCMP_SYS(clock_settime), NONE},
	{SCMP_SYS(adjtimex), NONE}, {SCMP_SYS(clock_adjtime), NONE}, {SCMP_SYS(vhangup), NONE},
	{SCMP_SYS(add_key), NONE}, {SCMP_SYS(request_key), NONE}, {SCMP_SYS(keyctl), NONE},
	/* roots, files by handle and rings that no filter looks into */
	{SCMP_SYS(chroot), NONE}, {SCMP_SYS(pivot_root), NONE}, {SCMP_SYS(open_by_handle_at), NONE},
	{SCMP_SYS(io_uring_setup), NONE}, {SCMP_SYS(io_uring_enter), NONE},
	{SCMP_SYS(io_uring_register), NONE},
	/* other users for good, and the network */
	{SCMP_SYS(setuid), NONE}, {SCMP_SYS(setreuid), NONE},
	{SCMP_SYS(setgid), NONE}, {SCMP_SYS(setregid), NONE},
	{SCMP_SYS(socket), NONE}, {SCMP_SYS(connect), NONE}, {SCMP_SYS(bind), NONE},
	{SCMP_SYS(listen), NONE},
};

static int forbid(scmp_filter_ctx filter, unsigned needs)
{
	int error = 0;

	for (unsigned i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]) && !error; i++) {
		if (!(forbidden[i].needed & needs))
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i].number, 0);
	}
	return error;
}

/*
 * Threads can be made, processes cannot: of clone3(2) no filter sees which, and who is told ENOSYS takes
 * clone(2).
 */
static int forbid_processes(scmp_filter_ctx filter)
{
	int error;

	if (SANITIZED)
		return 0;
	error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	return error;
}

/* For good: who has no setfsuid(2) takes another's effective ids for a moment (identity.c). */
static int forbid_becoming_another(scmp_filter_ctx filter)
{
	static const int calls[] = {SCMP_SYS(setresuid), SCMP_SYS(setresgid)};
	const bool lacks_fsuid = syscall(__NR_setfsuid, -1) < 0 && errno == ENOSYS;
	int error = 0;

	for (unsigned i = 0; i < 2 && !error; i++) {
		if (!lacks_fsuid) {
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
			continue;
		}
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
					 SCMP_A0(SCMP_CMP_NE, UINT32_MAX, 0));
		if (!error)
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
						 SCMP_A2(SCMP_CMP_NE, UINT32_MAX, 0));
	}
	return error;
}

static int install_filter(bool traces)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (!filter)
		return -ENOMEM;
	error = forbid(filter, (SANITIZED ? SANITIZER : NONE) | (traces ? TRACER : NONE));
	if (!error)
		error = forbid_processes(filter);
	if (!error)
		error = forbid_becoming_another(filter);
	if (!error) /* we run no code of others' */
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (!error || error == -EOPNOTSUPP) /* gVisor slows nobody down */
		error = seccomp_load(filter); /* sets no_new_privs */
	seccomp_release(filter);
	return error;
}

/* Without CAP_SETPCAP there is nothing to be got from the bounding set either: then it stays. */
static void empty_bounding_set(void)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static int keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(__NR_capget, &header, data))
		return -errno;
	/* Without these two we look into and move only who has no more than we have: all of that stays. */
	if (kept & OVER_OTHERS && (data[0].permitted & OVER_OTHERS) != OVER_OTHERS)
		kept = UINT64_MAX;
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0; /* and with it the ambient ones */
	}
	return syscall(__NR_capset, &header, data) ? -errno : 0;
}

static bool keep(uint64_t capabilities, bool traces)
{
	int error;

	empty_bounding_set();
	error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : install_filter(traces);
	if (!error)
		error = keep_capabilities(capabilities);
	if (error)
		fprintf(stderr, "fuse_cgroup_run: its own rights cannot be let go of: %s\n",
			strerror(-error));
	return !error;
}

bool privilege_keep_supervisors(bool traces)
{
	return keep(OF_SUPERVISOR, traces);
}

bool privilege_keep_launchers(void)
{
	return keep(OF_LAUNCHER, false);
}
