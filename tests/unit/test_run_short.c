/* SPDX-License-Identifier: MIT */
/*
 * Each allocation and each descriptor fails once that the supervisor wants for an answer: the task is told
 * what it always is, or an error. Never is the kernel to make a call that is ours to answer.
 */
#include "fixture.h"

#include <limits.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"
#include "failing.h"
#include "fs_context.h"
#include "machine.h"
#include "peer.h"
#include "temporary.h"
#include "view.h"

/* --- what else can fail, and what the daemon would say --- */


PASSED_ON(int, memfd_create, (const char *name, unsigned flags), (name, flags), EMFILE, -1)

int __real_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument)
{
	return command == F_DUPFD_CLOEXEC && fails(EMFILE) ? -1 : __real_fcntl(fd, command, argument);
}

/* Those that have no function of their own. */
static bool gives_descriptor(long number)
{
	return number == __NR_openat2 || number == __NR_pidfd_open || number == __NR_pidfd_getfd;
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return gives_descriptor(number) && fails(EMFILE) ? -1 : __real_syscall(number, a, b, c, d, e, f);
}

/* Of namespaces: a descriptor, where the number is no other's. */
int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	return request >> 8 == 0xb7 && fails(EMFILE) ? -1 : __real_ioctl(fd, request, argument);
}

ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size);
ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size)
{
	static const char memberships[] = "2:memory:/a\n1:cpu:/a\n";

	(void)path;
	(void)name;
	assert_true(size >= strlen(memberships));
	memcpy(value, memberships, strlen(memberships));
	return (ssize_t)strlen(memberships);
}

/* --- a task, for which everything of the filesystem of its file is the tree --- */

enum { TEXTS = 4096, SIZE = 8192 };

static struct {
	char directory[TEMPORARY_MAX], file[TEMPORARY_MAX + 16], link[64];
	int fd, directory_fd, table_fd, context_fd;
	char *memory; /* at the same address in the task */
	pid_t pid;
	struct view view;
	struct calls_context context;
} task;

static bool is_same(uint64_t call)
{
	return call == 77;
}

static void wait_for_nobody(void)
{
}

/* As root it has less than the supervisor, which then walks with its rights. */
static void drop_one_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (!syscall(__NR_capget, &header, sets, 0L, 0L, 0L, 0L)) {
		sets[1].effective &= ~(1u << (CAP_WAKE_ALARM - 32));
		syscall(__NR_capset, &header, sets, 0L, 0L, 0L, 0L);
	}
}

static int start(void **state)
{
	struct stat st;

	(void)state;
	if (!mkdtemp(temporary(task.directory, "/tmp/test_run_short")))
		return -1;
	snprintf(task.file, sizeof(task.file), "%s/file", task.directory);
	task.fd = open(task.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	task.directory_fd = open(task.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	task.table_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	task.context_fd = fs_context_new(&(struct fs_context){.phase = CONTEXT_CREATE, .hierarchy = -1});
	task.memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (task.fd < 0 || task.directory_fd < 0 || task.table_fd < 0 || task.context_fd < 0 ||
	    task.memory == MAP_FAILED || fstat(task.fd, &st))
		return -1;
	task.view = (struct view){
		.count = 2, .at = "/nothing-is-here", .outside = -1, .home = -1, .device = st.st_dev,
		.hierarchies = {{.name = "cpu", .option = "cpu"}, {.name = "memory", .option = "memory"}},
		.machine = machine_open("/"), .top = task.directory_fd, .lock = PTHREAD_RWLOCK_INITIALIZER,
	};
	task.context = (struct calls_context){.view = &task.view, .before_waiting = wait_for_nobody};
	return 0;
}

static int stop(void **state)
{
	(void)state;
	close(task.fd);
	close(task.directory_fd);
	close(task.table_fd);
	close(task.context_fd);
	machine_close((struct machine *)task.view.machine);
	munmap(task.memory, SIZE);
	return unlink(task.file) | rmdir(task.directory);
}

/* With what the test has written into its memory. */
static struct peer *begin(void)
{
	struct peer *peer;

	task.pid = fork();
	assert_true(task.pid >= 0);
	if (!task.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also of a test that has failed */
		drop_one_capability();
		for (;;)
			pause();
	}
	peer = peer_new(task.pid, is_same, 77);
	assert_non_null(peer);
	return peer;
}

static void end(struct peer *peer)
{
	peer_free(peer);
	kill(task.pid, SIGKILL);
	waitpid(task.pid, NULL, 0);
}

/* --- an answer, and the same with one failure --- */

#define TEXT(at) ((uintptr_t)task.memory + TEXTS * (at))

static void read_answer(const struct answer *answer, char text[4096])
{
	ssize_t len = answer->kind == ANSWER_FILE ? read(answer->file, text, 4095) : 0;

	text[len > 0 ? len : 0] = '\0';
	if (answer->kind == ANSWER_FILE)
		close(answer->file);
}

/* False: there were not so many. */
static bool fail_once(const struct call *call, int error, unsigned number, const struct answer *expected,
		      const char *expected_text)
{
	struct answer answer;
	char text[4096];

	has_failed = false;
	which = error;
	left = number;
	calls_answer(&task.context, call, &answer);
	left = 0;
	read_answer(&answer, text);
	if (answer.kind == ANSWER_VALUE ? answer.value >= 0 && answer.value != expected->value
					: answer.kind != expected->kind || strcmp(text, expected_text) != 0)
		fail_msg("call %d, %s %u: kind %d, value %ld", call->number, strerror(error), number,
			 answer.kind, (long)answer.value);
	if (answer.kind == ANSWER_VALUE)
		assert_int_not_equal(answer.value, -EMFILE); /* the task has not too many */
	return has_failed;
}

static void try(int number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct call call = {.peer = begin(), .number = number, .arguments = {a, b, c, d, e}};
	const int errors[] = {ENOMEM, EMFILE};
	struct answer expected;
	char text[4096];
	unsigned failed = 0;

	calls_answer(&task.context, &call, &expected);
	read_answer(&expected, text);
	if (expected.kind != ANSWER_VALUE && expected.kind != ANSWER_FILE)
		fail_msg("call %d is not ours", number);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned n = 1; fail_once(&call, errors[i], n, &expected, text); n++)
			failed++;
	}
	assert_true(failed > 0);
	end(call.peer);
}

/* --- the calls --- */

static void test_types(void **state)
{
	(void)state;
	strcpy(task.memory, task.file);
	try(__NR_statfs, TEXT(0), TEXT(1), 0, 0, 0);
	try(__NR_fstatfs, (uint64_t)task.fd, TEXT(1), 0, 0, 0);
}

static void test_copies(void **state)
{
	(void)state;
	try(__NR_sendfile, (uint64_t)task.table_fd, (uint64_t)task.fd, 0, 1, 0);
	try(__NR_splice, (uint64_t)task.fd, 0, (uint64_t)task.table_fd, 0, 1);
	try(__NR_copy_file_range, (uint64_t)task.fd, 0, (uint64_t)task.table_fd, 0, 1);
}

static void test_tables(void **state)
{
	static const char *const tables[] = {
		"/proc/self/cgroup", "/proc/self/mountinfo", "/proc/thread-self/mounts",
		"/proc/self/mountstats", "/proc/self/cpuset", "/proc/cgroups",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		strcpy(task.memory, tables[i]);
		try(__NR_openat, (uint64_t)AT_FDCWD, TEXT(0), O_RDONLY, 0, 0);
	}
	sprintf(task.memory, "/proc/self/fd/%d", task.table_fd);
	try(__NR_openat, (uint64_t)AT_FDCWD, TEXT(0), O_RDONLY, 0, 0);
}

static void test_mounts(void **state)
{
	(void)state;
	strcpy(task.memory, task.directory);
	try(__NR_umount2, TEXT(0), MNT_FORCE, 0, 0, 0);
	try(__NR_mount, 0, TEXT(0), 0, MS_REMOUNT | MS_RDONLY, 0);
	strcpy(task.memory + TEXTS, "cpu");
	try(__NR_fsconfig, (uint64_t)task.context_fd, FSCONFIG_SET_FLAG, TEXT(1), 0, 0);
	if (geteuid())
		return; /* the kernel refuses these */
	try(__NR_fspick, (uint64_t)AT_FDCWD, TEXT(0), 0, 0, 0);
	try(__NR_fsmount, (uint64_t)task.context_fd, 0, 0, 0, 0);
}

static void test_version_2(void **state)
{
	struct clone_args *clone = (void *)task.memory;
	union bpf_attr *query = (void *)task.memory;

	(void)state;
	task.context.needed = TRAP_UNIFIED;
	memset(task.memory, 0, SIZE);
	clone->flags = CLONE_INTO_CGROUP;
	clone->cgroup = (uint64_t)task.directory_fd;
	try(__NR_clone3, TEXT(0), sizeof(*clone), 0, 0, 0);
	memset(task.memory, 0, SIZE);
	query->query.target_fd = (uint32_t)task.directory_fd;
	try(__NR_bpf, BPF_PROG_QUERY, TEXT(0), sizeof(query->query), 0, 0);
	task.context.needed = 0;
}

static void test_redirected(void **state)
{
	(void)state;
	task.context.redirect = true;
	task.view.mount = task.directory;
	strcpy(task.memory, "/nothing-is-here/file");
	try(__NR_openat, (uint64_t)AT_FDCWD, TEXT(0), O_RDONLY, 0, 0);
	try(__NR_newfstatat, (uint64_t)AT_FDCWD, TEXT(0), TEXT(1), 0, 0);
	sprintf(task.memory, "/proc/self/fd/%d", task.fd);
	try(__NR_readlinkat, (uint64_t)AT_FDCWD, TEXT(0), TEXT(1), 100, 0);
	task.context.redirect = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_copies),
		cmocka_unit_test(test_tables),	   cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_version_2), cmocka_unit_test(test_redirected),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
