/* SPDX-License-Identifier: MIT */
/* Calls that gVisor interrupts although they are done. */
#include "trace_again.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"
#include "peer.h"
#include "trace.h"
#include "trace_registers.h"

/* Errors of which the kernel makes EINTR, or makes the call again, as the signal's handler wants. */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

/*
 * They do twice without harm what they do, or, as mounts, have not done it if they are interrupted. Others
 * are TRAP_INTERRUPTED rows (calls.h).
 */
static const int repeatable[] = {
#ifdef __NR_open
	__NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_chmod, __NR_chown, __NR_lchown,
	__NR_utime, __NR_utimes, __NR_futimesat,
#endif
#ifdef __NR_newfstatat
	__NR_newfstatat,
#endif
	__NR_openat, __NR_openat2, __NR_statx, __NR_faccessat, __NR_faccessat2, __NR_readlinkat,
	__NR_fchmodat, __NR_fchownat, __NR_utimensat, __NR_truncate, __NR_chdir, __NR_chroot,
	__NR_statfs, __NR_inotify_add_watch, __NR_getxattr, __NR_lgetxattr, __NR_listxattr, __NR_llistxattr,
	__NR_setxattr, __NR_lsetxattr, __NR_fsetxattr, __NR_mount, __NR_umount2, __NR_open_tree,
	__NR_move_mount, __NR_getdents64, __NR_fstat, __NR_fstatfs, __NR_fchmod, __NR_fchown,
	__NR_ftruncate, __NR_fgetxattr, __NR_flistxattr,
};

/* Repeatable if a file on a disk would be read or written: that waits for nobody. */
static const int of_files[] = {
	__NR_read, __NR_write, __NR_readv, __NR_writev, __NR_pread64, __NR_pwrite64, __NR_preadv,
	__NR_pwritev,
};

static bool has(const int *numbers, size_t count, int number)
{
	while (count--) {
		if (numbers[count] == number)
			return true;
	}
	return false;
}

#define IS_ONE_OF(numbers, number) has(numbers, sizeof(numbers) / sizeof((numbers)[0]), number)

/* The file's descriptor is the first argument. */
static int descriptor_of(const struct registers *registers)
{
	uint64_t arguments[6];

	registers_arguments(registers, arguments);
	return (int)arguments[0];
}

/* Pipes and sockets have none, which are what most reads wait for. */
static bool has_name(pid_t tid, int fd)
{
	char path[64], first;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, fd);
	return readlink(path, &first, 1) == 1 && first == '/';
}

enum trace_verdict trace_again_judge(pid_t tid, const struct registers *registers)
{
	const int number = registers_number(registers);
	const int64_t result = registers_result(registers);

	if ((result != -EINTR && result != -ERESTARTSYS) || !registers_follow_call(tid, registers))
		return VERDICT_AS_IT_IS;
	if (IS_ONE_OF(of_files, number))
		return has_name(tid, descriptor_of(registers)) ? VERDICT_ASK : VERDICT_AS_IT_IS;
	if (result != -EINTR)
		return VERDICT_AS_IT_IS;
	if (number == __NR_close)
		return VERDICT_DONE;
	return IS_ONE_OF(repeatable, number) ? VERDICT_AGAIN : VERDICT_AS_IT_IS;
}

bool trace_again_is_file(const struct peer *peer, const struct registers *registers)
{
	int file = peer_file(peer, descriptor_of(registers));
	struct stat st;
	bool is_file = file >= 0 && !fstat(file, &st) && S_ISREG(st.st_mode);

	if (file >= 0)
		close(file);
	return is_file;
}

/* --- what may not be made twice --- */

/* As by SIGSTOP, which nobody can hold back. */
static bool is_interrupted(int64_t result)
{
	return result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK);
}

static bool removes(const struct call *call)
{
#ifdef __NR_rmdir
	if (call->number == __NR_rmdir)
		return true;
#endif
	return call->number == __NR_unlinkat;
}

/*
 * A signal that came before they are held back has left its mark (gVisor's Task.interruptChan), which would
 * end any wait. It goes at the end of a call: so the task makes one that waits for nothing, before.
 */
int64_t trace_whole(struct trace_job *job, const struct call *call)
{
	const uint64_t none[6] = {0};
	int64_t result = trace_call(job, __NR_getpid, none);
	bool interrupted = false;

	if (result < 0)
		return result;
	while (is_interrupted(result = trace_call(job, call->number, call->arguments)))
		interrupted = true;
	return interrupted && removes(call) && result == -ENOENT ? 0 : result;
}
