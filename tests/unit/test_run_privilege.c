/* SPDX-License-Identifier: MIT */
/* What our processes refuse themselves once they have let go of their rights. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "privilege.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static void *nothing(void *argument)
{
	return argument;
}

/* Whether the call fails with EPERM; arguments that mean nothing, so that it fails anyway, otherwise. */
static bool is_refused(long number)
{
	return syscall(number, -1, 0, 0, 0, 0, 0) == -1 && errno == EPERM;
}

static bool makes_thread(void)
{
	pthread_t thread;

	return !pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL);
}

static bool makes_process(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid > 0;
}

static bool has_capability_but(unsigned number)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(__NR_capget, &header, data))
		return true;
	data[number / 32].permitted &= ~(1u << number % 32);
	return data[0].permitted || data[1].permitted;
}

/* Nobody becomes another but, where there is no setfsuid(2), for a moment. */
static bool becomes_another(long number)
{
	const bool lacks_fsuid = syscall(__NR_setfsuid, -1) < 0 && errno == ENOSYS;
	const uint32_t same = UINT32_MAX;

	return !syscall(number, 0u, same, same) || errno != EPERM || !syscall(number, same, same, 0u) ||
	       errno != EPERM || (!lacks_fsuid && !syscall(number, same, same, same));
}

/* What is wrong in a process that has let go: 0, or the number of the line. */
static int find_fault(void)
{
	static const long refused[] = {
		__NR_execveat,	__NR_bpf,    __NR_perf_event_open,  __NR_init_module, __NR_kexec_load,
		__NR_keyctl,	__NR_socket, __NR_chroot,	    __NR_pivot_root,  __NR_setuid,
		__NR_setresuid, __NR_reboot, __NR_open_by_handle_at};

	if (!privilege_keep_launchers())
		return __LINE__;
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!is_refused(refused[i]))
			return __LINE__;
	}
	if (becomes_another(__NR_setresuid) || becomes_another(__NR_setresgid))
		return __LINE__;
	if (has_capability_but(CAP_KILL))
		return __LINE__;
	if (!makes_thread())
		return __LINE__;
	if (SANITIZED)
		return 0;
	if (makes_process() || !is_refused(__NR_execve) || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1)
		return __LINE__;
	return errno == EPERM ? 0 : __LINE__;
}

static void test_refusals(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid)
		_exit(find_fault());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
