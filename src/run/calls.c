/* SPDX-License-Identifier: MIT */
/* The table of caught system calls. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "answers.h"
#include "cgroup2_calls.h"
#include "cgroup_namespace.h"
#include "mount_calls.h"
#include "peer.h"
#include "redirect.h"
#include "restricted.h"
#include "shortage.h"
#include "text.h"
#include "view.h"

#ifndef __NR_statmount /* Linux 6.8; everywhere the same */
#define __NR_statmount 457
#define __NR_listmount 458
#endif
#ifndef __NR_open_tree_attr /* Linux 6.15 */
#define __NR_open_tree_attr 467
#endif

/* --- statfs: the filesystem's type --- */

static void answer_statfs_of(const struct calls_context *context, const struct call *call, int file,
			     struct answer *answer)
{
	struct statfs fs;
	int error = answers_statfs(context->view, file, &fs);

	if (error == -ENOENT)
		return; /* not ours */
	if (!error)
		error = peer_write(call->peer, call->arguments[1], &fs, sizeof(fs));
	answer_value(answer, error);
}

static void answer_statfs(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	int file;

	if (!call_path(call, 0, path))
		return;
	file = place_open_quickly(call->peer, path, context->view->at);
	if (file == -EAGAIN) {
		context->before_waiting();
		file = place_open(call->peer, AT_FDCWD, path);
	}
	if (file < 0)
		return;
	answer_statfs_of(context, call, file, answer);
	close(file);
}

static void answer_fstatfs(const struct calls_context *context, const struct call *call, char *path,
			   struct answer *answer)
{
	int file = peer_file(call->peer, (int)call->arguments[0]);

	snprintf(path, PATH_MAX, "%d", (int)call->arguments[0]);
	if (file < 0)
		return;
	answer_statfs_of(context, call, file, answer);
	close(file);
}

/* --- open: the tables --- */

static void answer_open_at(const struct calls_context *context, const struct call *call, int dirfd,
			   const char *path, const struct open_how *how, struct answer *answer)
{
	int file;

	if (!answers_may_be_table(path))
		return;
	if (is_restricted(call->peer))
		return;
	context->before_waiting();
	if (!place_is_permitted(call->peer, dirfd, path, how->flags, how->resolve))
		return;
	file = answers_open_table(context->view, call->peer, dirfd, path, how->resolve);
	if (file == -ENOENT)
		return; /* no table of ours */
	if (file < 0) {
		answer_value(answer, file);
		return;
	}
	if (shortage_met()) { /* it may lack what could not be seen */
		close(file);
		return;
	}
	answer->kind = ANSWER_FILE;
	answer->file = file;
	answer->close_on_exec = how->flags & O_CLOEXEC;
}

#ifdef __NR_open
static void answer_open(const struct calls_context *context, const struct call *call, char *path,
			struct answer *answer)
{
	const struct open_how how = {.flags = call->arguments[1]};

	if (call_path(call, 0, path))
		answer_open_at(context, call, AT_FDCWD, path, &how, answer);
}
#endif

static void answer_openat(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	const struct open_how how = {.flags = call->arguments[2]};

	if (call_path(call, 1, path))
		answer_open_at(context, call, (int)call->arguments[0], path, &how, answer);
}

/* openat2(2)'s structure, may be a later and longer one whose rest is 0. False: the kernel says why. */
static bool fetch_how(const struct call *call, struct open_how *how)
{
	char longer[4096];
	uint64_t size = call->arguments[3];

	if (size < sizeof(*how) || size > sizeof(longer) ||
	    peer_read(call->peer, call->arguments[2], longer, size))
		return false;
	memcpy(how, longer, sizeof(*how));
	for (uint64_t i = sizeof(*how); i < size; i++) {
		if (longer[i])
			return false;
	}
	return true;
}

/* The kernel looks at the structure before it looks at the descriptor. */
static bool is_valid(const struct open_how *how)
{
	return syscall(__NR_openat2, -1, "none", how, sizeof(*how)) < 0 && errno == EBADF;
}

static void answer_openat2(const struct calls_context *context, const struct call *call, char *path,
			   struct answer *answer)
{
	struct open_how how;

	if (!call_path(call, 1, path) || !fetch_how(call, &how) || how.flags & CALLS_NOT_READING ||
	    !is_valid(&how))
		return;
	answer_open_at(context, call, (int)call->arguments[0], path, &how, answer);
}

/* --- sendfile, splice, copy_file_range: copies within the kernel --- */

/*
 * FUSE's end at st_size, which is 0 for a cgroup file: nothing would be copied. Whoever hears that this
 * file cannot be copied so reads and writes it: docs/run.md says who.
 */
static void answer_copy(const struct calls_context *context, const struct call *call, char *path,
			int in, int out, bool within, int error, struct answer *answer)
{
	snprintf(path, PATH_MAX, "%d to %d", in, out);
	error = answers_copy(context->view, call->peer, in, out, within, error);
	if (error)
		answer_value(answer, error);
}

static void answer_sendfile(const struct calls_context *context, const struct call *call, char *path,
			    struct answer *answer)
{
	if (call->arguments[3])
		answer_copy(context, call, path, (int)call->arguments[1], (int)call->arguments[0],
			    false, -EINVAL, answer);
}

static void answer_splice(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	if (call->arguments[4])
		answer_copy(context, call, path, (int)call->arguments[0], (int)call->arguments[2],
			    false, -EINVAL, answer);
}

/* The kernel's answer to a copy to another filesystem: FUSE has its own where that is one of FUSE, too. */
static void answer_copy_file_range(const struct calls_context *context, const struct call *call,
				   char *path, struct answer *answer)
{
	if (call->arguments[4])
		answer_copy(context, call, path, (int)call->arguments[0], (int)call->arguments[2],
			    true, -EXDEV, answer);
}

/* --- what a program cannot have because we have it --- */

#define REFUSALS_MAX 16 /* that are told of: no program is to fill somebody's log */

/* Says why on standard error, for which the caller alone may have to wait. */
static void tell_refusal(const struct calls_context *context, const struct call *call, const char *why)
{
	static atomic_uint told;
	char name[PEER_NAME_MAX];
	unsigned before = told < REFUSALS_MAX ? told++ : REFUSALS_MAX;

	if (before >= REFUSALS_MAX)
		return;
	context->before_waiting();
	peer_name(call->peer, name);
	fprintf(stderr, "fuse_cgroup_run: process %s wants %s%s\n", name, why,
		before == REFUSALS_MAX - 1 ? " (further ones are not told of)" : "");
}

/* The kernel permits one listener to a process, and ours is there: what it would say. */
static void answer_seccomp(const struct calls_context *context, const struct call *call, char *path,
			   struct answer *answer)
{
	snprintf(path, PATH_MAX, "SECCOMP_FILTER_FLAG_NEW_LISTENER");
	if (!call->arguments[2])
		return; /* libseccomp finds out what the kernel knows */
	tell_refusal(context, call, "a seccomp listener of its own: refused (EBUSY), the kernel permits one "
				    "and fuse_cgroup_run has it");
	answer_value(answer, -EBUSY);
}

/* The kernel permits one tracer to a task, and ours is there: what it would say. */
static void answer_ptrace(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	snprintf(path, PATH_MAX, "%d", (int)call->arguments[1]);
	tell_refusal(context, call, "to trace or be traced: refused (EPERM), the kernel permits one tracer "
				    "and fuse_cgroup_run is it");
	answer_value(answer, -EPERM);
}

/* --- statx: who asks for the type alone --- */

/*
 * gVisor's FUSE then tells none; with the mode it tells it. Whoever gets more than was asked for
 * has no harm.
 */
static void answer_statx(const struct calls_context *context, const struct call *call, char *path,
			 struct answer *answer)
{
	(void)context;
	call_path(call, 1, path);
	answer->kind = ANSWER_ARGUMENTS;
	memcpy(answer->arguments, call->arguments, sizeof(answer->arguments));
	answer->arguments[3] |= STATX_MODE;
}

/* --- mkdir, rmdir, rename: what cannot be made again --- */

/* Only in our tree: it takes a task a millisecond, and others' directories are made by the thousand. */
static void make_whole(const struct calls_context *context, const struct call *call, int dirfd,
		       const char *path, struct answer *answer)
{
	struct place place;
	struct statx about;

	context->before_waiting();
	if (place_find(call->peer, dirfd, path, &place))
		return; /* the kernel says why */
	if (place.parent >= 0 && view_has(context->view, place.parent, &about))
		answer->kind = ANSWER_WHOLE;
	place_close(&place);
}

#ifdef __NR_mkdir
static void answer_whole(const struct calls_context *context, const struct call *call, char *path,
			 struct answer *answer)
{
	if (call_path(call, 0, path))
		make_whole(context, call, AT_FDCWD, path, answer);
}
#endif

static void answer_whole_at(const struct calls_context *context, const struct call *call, char *path,
			    struct answer *answer)
{
	if (call_path(call, 1, path))
		make_whole(context, call, (int)call->arguments[0], path, answer);
}

/* --- landlock_restrict_self: what the kernel alone knows --- */

static void answer_landlock(const struct calls_context *context, const struct call *call, char *path,
			    struct answer *answer)
{
	(void)answer; /* it is the kernel that does it */
	snprintf(path, PATH_MAX, "%d", (int)call->arguments[0]);
	context->before_waiting();
	restricted_expect(call->peer, (int)call->arguments[0]);
}

/* --- mounts, cgroup namespaces --- */

/* Mounts one by one, not by tables: whoever asks so falls back to them. */
static void answer_absent(const struct calls_context *context, const struct call *call, char *path,
			  struct answer *answer)
{
	(void)context;
	(void)call;
	(void)path;
	answer_value(answer, -ENOSYS);
}

static void answer_unshare(const struct calls_context *context, const struct call *call, char *path,
			   struct answer *answer)
{
	(void)answer; /* it is the kernel that does it */
	snprintf(path, PATH_MAX, "CLONE_NEWCGROUP");
	context->before_waiting();
	cgroup_namespace_expect(context->view, call->peer);
	if (context->view->unified)
		view_expect_namespace(context->view, call->peer);
}

const struct trap traps[] = {
	{__NR_statfs, "statfs", 0, 0, 0, 0, answer_statfs},
	{__NR_fstatfs, "fstatfs", 0, 0, 0, 0, answer_fstatfs},
#ifdef __NR_open
	{__NR_open, "open", 1, CALLS_NOT_READING, O_RDONLY, TRAP_OPEN, answer_open},
#endif
	{__NR_openat, "openat", 2, CALLS_NOT_READING, O_RDONLY, TRAP_OPEN, answer_openat},
	{__NR_openat2, "openat2", 0, 0, 0, 0, answer_openat2},
	{__NR_sendfile, "sendfile", 0, 0, 0, 0, answer_sendfile},
	{__NR_splice, "splice", 0, 0, 0, 0, answer_splice},
	{__NR_copy_file_range, "copy_file_range", 5, UINT32_MAX, 0, 0, answer_copy_file_range},
	{__NR_mount, "mount", 0, 0, 0, 0, answer_mount},
	{__NR_umount2, "umount2", 0, 0, 0, 0, answer_umount},
	{__NR_fsopen, "fsopen", 0, 0, 0, 0, answer_fsopen},
	{__NR_fspick, "fspick", 0, 0, 0, 0, answer_fspick},
	{__NR_fsconfig, "fsconfig", 0, 0, 0, 0, answer_fsconfig},
	{__NR_fsmount, "fsmount", 0, 0, 0, 0, answer_fsmount},
	{__NR_open_tree, "open_tree", 0, 0, 0, 0, answer_open_tree},
	{__NR_open_tree_attr, "open_tree_attr", 0, 0, 0, 0, answer_open_tree},
	{__NR_move_mount, "move_mount", 0, 0, 0, 0, answer_move_mount},
	{__NR_mount_setattr, "mount_setattr", 0, 0, 0, 0, answer_mount_setattr},
	{__NR_statmount, "statmount", 0, 0, 0, 0, answer_absent},
	{__NR_listmount, "listmount", 0, 0, 0, 0, answer_absent},
	{__NR_unshare, "unshare", 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP, 0, answer_unshare},
	{__NR_landlock_restrict_self, "landlock_restrict_self", 0, 0, 0, 0, answer_landlock},
	{__NR_seccomp, "seccomp", 1, SECCOMP_FILTER_FLAG_NEW_LISTENER,
	 SECCOMP_FILTER_FLAG_NEW_LISTENER, TRAP_NOTIFIED, answer_seccomp},
	{__NR_ptrace, "ptrace", 0, UINT64_MAX, PTRACE_TRACEME, TRAP_TRACED, answer_ptrace},
	{__NR_ptrace, "ptrace", 0, UINT64_MAX, PTRACE_ATTACH, TRAP_TRACED, answer_ptrace},
	{__NR_ptrace, "ptrace", 0, UINT64_MAX, PTRACE_SEIZE, TRAP_TRACED, answer_ptrace},
	{__NR_statx, "statx", 3, STATX_TYPE | STATX_MODE, STATX_TYPE, TRAP_TRACED, answer_statx},
#ifdef __NR_mkdir
	{__NR_mkdir, "mkdir", 0, 0, 0, TRAP_INTERRUPTED, answer_whole},
	{__NR_rmdir, "rmdir", 0, 0, 0, TRAP_INTERRUPTED, answer_whole},
	{__NR_rename, "rename", 0, 0, 0, TRAP_INTERRUPTED, answer_whole},
#endif
#ifdef __NR_renameat
	{__NR_renameat, "renameat", 0, 0, 0, TRAP_INTERRUPTED, answer_whole_at},
#endif
	{__NR_renameat2, "renameat2", 0, 0, 0, TRAP_INTERRUPTED, answer_whole_at},
	{__NR_mkdirat, "mkdirat", 0, 0, 0, TRAP_INTERRUPTED, answer_whole_at},
	{__NR_unlinkat, "unlinkat", 2, AT_REMOVEDIR, AT_REMOVEDIR, TRAP_INTERRUPTED, answer_whole_at},
	{__NR_clone3, "clone3", 0, 0, 0, TRAP_UNIFIED, answer_clone3},
	{__NR_bpf, "bpf", 0, 0, 0, TRAP_UNIFIED, answer_bpf},
};

const unsigned trap_count = sizeof(traps) / sizeof(traps[0]);

static void tell(const struct call *call, const char *name, char *path,
		 const struct answer *answer)
{
	const char *what = "the kernel's";
	char task[PEER_NAME_MAX];

	peer_name(call->peer, task);
	if (answer->kind == ANSWER_FILE)
		what = "our file";
	else if (answer->kind == ANSWER_ARGUMENTS)
		what = "the kernel's, otherwise";
	else if (answer->kind == ANSWER_WHOLE)
		what = "the kernel's, without signals";
	else if (answer->kind == ANSWER_VALUE)
		what = answer->value < 0 ? strerrorname_np(-(int)answer->value) : "answered";
	text_make_printable(path, strlen(path));
	fprintf(stderr, "fuse_cgroup_run: %s %s(%s): %s\n", task, name, path, what);
}

/*
 * What was looked for and could not be opened may be ours: then the kernel must not make the call. And it is
 * not the task that has too many open files.
 */
static void respect_shortage(struct answer *answer)
{
	if (answer->kind == ANSWER_VALUE && answer->value == -EMFILE)
		answer->value = -ENFILE;
	else if (answer->kind != ANSWER_VALUE && answer->kind != ANSWER_FILE && shortage_met())
		answer_value(answer, shortage_met());
}

/* With --redirect a call may be caught for that alone. */
static const struct trap *find_trap(const struct calls_context *context, int number)
{
	for (unsigned i = 0; i < trap_count; i++) {
		if (traps[i].number == number && !(traps[i].flags & TRAP_CONDITIONS & ~context->needed))
			return &traps[i];
	}
	return NULL;
}

void calls_answer(const struct calls_context *context, const struct call *call,
		  struct answer *answer)
{
	const struct trap *trap = find_trap(context, call->number);
	char path[PATH_MAX]; /* not cleared: that would cost as much as reading it */
	bool redirected;

	path[0] = '\0';
	shortage_begin();
	*answer = (struct answer){.kind = ANSWER_KERNEL, .file = -1};
	redirected = context->redirect && redirect_answer(context, call, path, answer);
	if (!redirected && trap)
		trap->answer(context, call, path, answer);
	respect_shortage(answer);
	if (context->trace)
		tell(call, trap ? trap->name : redirect_name(call->number), path, answer);
}
