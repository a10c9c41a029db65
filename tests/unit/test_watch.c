/* SPDX-License-Identifier: MIT */
/* An unmount that nobody tells of is found in the mount table, and another's mount is none of ours. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BEFORE "21 1 0:5 / / rw - ext4 /dev/vda rw\n"
#define OURS "23 21 0:41 / /a\\040b rw - fuse.cgroupfs cgroup rw\n"
#define OTHER "24 21 0:42 / /a rw - tmpfs tmpfs rw\n"
#define ABOVE "25 23 0:43 / /a\\040b rw - tmpfs tmpfs rw\n"

static const char *_Atomic table; /* what /proc/self/mountinfo says; NULL: it cannot be opened */
static atomic_int told; /* the signal that the program was ended by */

static FILE *open_table(const char *path, const char *mode)
{
	assert_string_equal(path, "/proc/self/mountinfo");
	return table ? fmemopen((void *)table, strlen(table), mode) : NULL;
}

static int tell(pid_t pid, int signal)
{
	assert_int_equal(pid, getpid());
	told = signal;
	return 0;
}

static atomic_uint looks;

static int64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec * 1000000000ll + time->tv_nsec;
}

/* Looks more often than it is asked to, which is twice a second. */
static int wait_less(sem_t *semaphore, const struct timespec *until)
{
	struct timespec now, soon;

	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(until->tv_nsec, 0, 999999999);
	assert_true(nanoseconds(until) <= nanoseconds(&now) + 500000000);
	soon = now;
	soon.tv_sec += soon.tv_nsec >= 999000000;
	soon.tv_nsec = (soon.tv_nsec + 1000000) % 1000000000;
	looks++;
	return sem_timedwait(semaphore, &soon);
}

#define fopen open_table
#define kill tell
#define sem_timedwait wait_less
#include "../../src/daemon/watch.c"
#undef fopen
#undef kill
#undef sem_timedwait

static void finds_by_path(void **state)
{
	(void)state;
	table = BEFORE OURS OTHER;
	assert_int_equal(find_mount("/a b"), 23);
	assert_int_equal(find_mount("/a"), 24);
	assert_int_equal(find_mount("/"), 21);
	assert_int_equal(find_mount("/b"), 0);
	assert_int_equal(find_mount("/a\\040b"), 0);
	table = BEFORE OURS OTHER ABOVE;
	assert_int_equal(find_mount("/a b"), 25); /* the last is on top */
	table = "no line\n" OURS;
	assert_int_equal(find_mount("/a b"), 23);
	table = NULL;
	assert_int_equal(find_mount("/a b"), 0);
}

static void finds_by_number(void **state)
{
	(void)state;
	table = BEFORE OURS OTHER;
	assert_true(is_mounted(21));
	assert_true(is_mounted(23));
	assert_true(is_mounted(24));
	assert_false(is_mounted(22));
	assert_false(is_mounted(25));
	assert_false(is_mounted(2));
	table = BEFORE ABOVE; /* another one, on the same path */
	assert_false(is_mounted(23));
	table = NULL;
	assert_true(is_mounted(23));
}

/* Stops watching; whether the mount was gone. The descriptor gives way to one of /dev/null. */
static bool stop(struct watch *watch)
{
	int ends[2];
	bool gone;
	char byte;

	assert_int_equal(pipe(ends), 0);
	gone = watch_stop(watch, ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody can write any more */
	assert_int_equal(write(ends[1], "", 1), 1);
	close(ends[0]);
	close(ends[1]);
	return gone;
}

static void wait_for_looks(void)
{
	unsigned before = looks;

	while (looks < before + 3)
		usleep(1000);
}

static void tells_of_an_unmount(void **state)
{
	struct watch *watch;

	(void)state;
	told = 0;
	table = BEFORE OURS ABOVE;
	watch = watch_start("/a b");
	assert_non_null(watch);
	wait_for_looks();
	assert_int_equal(told, 0);
	table = BEFORE OURS; /* that above it was unmounted, which is what we watch */
	for (unsigned before = looks; !told && looks < before + 3;)
		usleep(1000);
	assert_int_equal(told, SIGTERM);
	assert_true(stop(watch));
}

static void tells_of_nothing_else(void **state)
{
	struct watch *watch;

	(void)state;
	told = 0;
	table = BEFORE OURS;
	watch = watch_start("/a b");
	wait_for_looks();
	table = BEFORE OURS OTHER;
	wait_for_looks();
	assert_false(stop(watch));
	watch = watch_start("/not to be found");
	assert_false(stop(watch));
	assert_int_equal(told, 0);
	assert_false(watch_stop(NULL, -1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_path),
		cmocka_unit_test(finds_by_number),
		cmocka_unit_test(tells_of_an_unmount),
		cmocka_unit_test(tells_of_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
