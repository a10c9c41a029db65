/* SPDX-License-Identifier: MIT */
/* What is found by a task's number counts only while the task is the one that was meant. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

#define SIZE 8192

static char *memory; /* every child has its own */
static unsigned answers; /* so many times it is still the same, then no more */

static bool is_same(uint64_t call)
{
	assert_int_equal(call, 77);
	if (!answers)
		return false;
	answers--;
	return true;
}

/* A child that waits, with the text in its memory; its peer. */
static struct peer *begin(const char *text, pid_t *pid)
{
	struct peer *peer;

	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	strcpy(memory, text);
	*pid = fork();
	assert_true(*pid >= 0);
	if (!*pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also of a test that has failed */
		for (;;)
			pause();
	}
	peer = peer_new(*pid, is_same, 77);
	assert_non_null(peer);
	return peer;
}

static void end(struct peer *peer, pid_t pid)
{
	peer_free(peer);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(memory, SIZE);
}

static uint64_t at(size_t offset)
{
	return (uintptr_t)memory + offset;
}

static void test_memory(void **state)
{
	char text[16] = "";
	pid_t pid;
	struct peer *peer = begin("a path", &pid);

	(void)state;
	answers = 100;
	assert_int_equal(peer_read_string(peer, at(0), text, sizeof(text)), 0);
	assert_string_equal(text, "a path");
	assert_int_equal(peer_read_string(peer, at(0), text, 3), -ENAMETOOLONG);
	assert_int_equal(peer_write(peer, at(SIZE / 2 - 2), "xyz", 4), 0); /* over a page's end */
	assert_int_equal(peer_read(peer, at(SIZE / 2 - 2), text, 4), 0);
	assert_string_equal(text, "xyz");
	assert_int_equal(memory[SIZE / 2 - 2], 0); /* not ours */
	assert_int_equal(peer_read(peer, 1, text, 4), -EFAULT);
	assert_int_equal(peer_write(peer, 1, text, 4), -EFAULT);
	assert_int_equal(peer_write(peer, UINT64_MAX - 2, text, 4), -EFAULT);
	end(peer, pid);
}

/* /proc/TID/mem would write there. */
static void test_memory_that_the_task_may_not_write(void **state)
{
	static const int protections[] = {PROT_READ, PROT_NONE};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char *own = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint64_t end_of_first = (uintptr_t)own + SIZE / 2;
		struct peer *peer;
		pid_t pid;

		assert_true(own != MAP_FAILED);
		assert_int_equal(mprotect(own + SIZE / 2, SIZE / 2, protections[i]), 0);
		peer = begin("", &pid);
		answers = 100;
		assert_int_equal(peer_write(peer, end_of_first, "xyz", 4), -EFAULT);
		assert_int_equal(peer_write(peer, end_of_first - 2, "xyz", 4), -EFAULT);
		assert_int_equal(peer_write(peer, end_of_first - 4, "xyz", 4), 0);
		end(peer, pid);
		munmap(own, SIZE);
	}
}

#define LOW ((void *)0x1000000) /* below all else: both are told of in one read of the table */

/* What is written may be in two mappings that lie side by side. */
static void test_memory_of_two_mappings(void **state)
{
	char *own = mmap(LOW, SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), text[4] = "";
	uint64_t end_of_first = (uintptr_t)own + SIZE / 2;
	struct peer *peer;
	pid_t pid;

	(void)state;
	assert_true(own != MAP_FAILED);
	assert_true(mmap(own + SIZE / 2, SIZE / 2, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	peer = begin("", &pid);
	answers = 100;
	assert_int_equal(peer_write(peer, end_of_first - 2, "xyz", 4), 0);
	assert_int_equal(peer_read(peer, end_of_first - 2, text, 4), 0);
	assert_string_equal(text, "xyz");
	end(peer, pid);
	munmap(own, SIZE);
}

/* Before Linux 6.11 no mapping can be asked for: from here on ioctl(2) is as there. */
static void have_no_queries(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	assert_non_null(filter);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0), 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
}

static void test_memory_of_older_kernels(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		have_no_queries();
		test_memory(state);
		test_memory_that_the_task_may_not_write(state);
		test_memory_of_two_mappings(state);
		_exit(23);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 23);
}

static void test_what_proc_tells(void **state)
{
	char name[PEER_NAME_MAX], expected[64];
	struct text text = {0};
	struct stat own, st;
	pid_t pid;
	struct peer *peer = begin("", &pid);
	int fd;

	(void)state;
	answers = 100;
	peer_name(peer, name);
	snprintf(expected, sizeof(expected), "%d", pid);
	assert_string_equal(name, expected);
	assert_int_equal(peer_proc_read(peer, "stat", &text), 0);
	assert_memory_equal(text.data, expected, strlen(expected));
	assert_int_equal(peer_proc_read(peer, "no-such", &text), -ENOENT);
	assert_int_equal(stat("/", &own), 0);
	assert_int_equal(peer_proc_stat(peer, "root", &st), 0);
	assert_true(st.st_ino == own.st_ino && st.st_dev == own.st_dev);
	fd = peer_descriptor(peer, 0);
	assert_true(fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	assert_int_equal(peer_descriptor(peer, 999), -EBADF);
	assert_int_equal(peer_file(peer, 999), -EBADF);
	text_free(&text);
	end(peer, pid);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The number is another's, from the n-th look on: whatever was found is nothing, and is closed. */
static void test_number_of_another(void **state)
{
	struct text text = {0};
	unsigned before;
	char read[8];
	struct stat st;
	pid_t pid;
	struct peer *peer = begin("secret", &pid);

	(void)state;
	before = open_descriptors();
	for (unsigned same = 0; same < 2; same++) {
		answers = same;
		assert_int_equal(peer_proc_read(peer, "status", &text), -ESRCH);
		answers = same;
		assert_int_equal(peer_write(peer, at(0), "xyz", 4), -ESRCH);
	}
	assert_false(peer_is_there(peer));
	assert_int_equal(peer_read(peer, at(0), read, sizeof(read)), -ESRCH);
	assert_int_equal(peer_read_string(peer, at(0), read, sizeof(read)), -ESRCH);
	assert_int_equal(peer_proc_open(peer, "root", O_PATH), -ESRCH);
	assert_int_equal(peer_proc_open(peer, "no-such", O_PATH), -ESRCH);
	assert_int_equal(peer_proc_stat(peer, "root", &st), -ESRCH);
	assert_int_equal(peer_file(peer, 0), -ESRCH);
	assert_int_equal(peer_descriptor(peer, 0), -ESRCH);
	assert_int_equal(place_start(peer, AT_FDCWD), -ESRCH);
	assert_int_equal(place_open(peer, AT_FDCWD, "/"), -ESRCH);
	assert_int_equal(place_open_quickly(peer, "/", "/"), -EAGAIN);
	assert_int_equal(open_descriptors(), before);
	answers = 100;
	assert_int_equal(peer_read(peer, at(0), read, sizeof(read)), 0);
	assert_string_equal(read, "secret");
	text_free(&text);
	end(peer, pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_that_the_task_may_not_write),
		cmocka_unit_test(test_memory_of_two_mappings),
		cmocka_unit_test(test_memory_of_older_kernels),
		cmocka_unit_test(test_what_proc_tells),
		cmocka_unit_test(test_number_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
