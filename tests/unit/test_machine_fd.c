/* SPDX-License-Identifier: MIT */
/* Descriptors and mounts of tasks: lines as Linux 6.18 and gVisor print them, and this process' own. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine_fd.h"
#include "machine_task.h"

static struct machine *machine;

static int open_machine(void **state)
{
	(void)state;
	machine = machine_open("/");
	return machine ? 0 : -1;
}

static int close_machine(void **state)
{
	(void)state;
	machine_close(machine);
	return 0;
}

static struct machine_fd parse(const char *text)
{
	struct machine_fd fd = {.path_only = true, .eventfd_id = 7, .mount = 7};

	machine_parse_fdinfo(text, strlen(text), &fd);
	return fd;
}

static void test_fdinfo(void **state)
{
	struct machine_fd fd;

	(void)state;
	fd = parse("pos:\t0\nflags:\t02004002\nmnt_id:\t16\nino:\t1057\neventfd-count:                2a\n"
		   "eventfd-id: 7\neventfd-semaphore: 0\n");
	assert_false(fd.path_only);
	assert_int_equal(fd.mount, 16);
	assert_int_equal(fd.eventfd_id, 7);
	assert_true(parse("pos:\t0\nflags:\t012000000\nmnt_id:\t25\nino:\t4\n").path_only);
	fd = parse("pos:\t0\nflags:\t0100000\n"); /* gVisor */
	assert_int_equal(fd.mount, -1);
	assert_int_equal(fd.eventfd_id, 0);
	assert_int_equal(parse("").mount, -1);
	assert_int_equal(parse("mnt_id\nflags:\n:\n\n").mount, -1);
}

struct seen {
	char text[256];
	int stop_at;
};

static int note_mount(const struct machine_mount *mount, void *arg)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%d|%s|%s|%s;", mount->id, mount->root,
		 mount->point, mount->type);
	return mount->id == seen->stop_at;
}

static void test_mounts(void **state)
{
	static const char text[] =
		"25 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
		"36 25 0:33 /memory /a\\040b\\134c rw,nosuid shared:7 master:1 - fuse.cgroupfs cgroup "
		"rw,user_id=0\n"
		"nonsense\n"
		"40 25 0:40 / /x\\04\\1\xe9\xe9 rw - fuse none rw\n";
	struct seen seen = {.stop_at = -1};

	(void)state;
	assert_int_equal(machine_parse_mounts(text, strlen(text), note_mount, &seen), 0);
	assert_string_equal(seen.text,
			    "25|/|/|ext4;36|/memory|/a b\\c|fuse.cgroupfs;40|/|/x\\04\\1\xe9\xe9|fuse;");
	seen = (struct seen){.stop_at = 36};
	assert_int_equal(machine_parse_mounts(text, strlen(text), note_mount, &seen), 1);
	assert_null(strstr(seen.text, "40|"));
	seen = (struct seen){.stop_at = -1};
	assert_int_equal(machine_parse_mounts(text, 60, note_mount, &seen), 0);
	assert_string_equal(seen.text, "25|/|/|ext4;");
}

/* An eventfd that is taken is the same one. */
static void test_taking_an_eventfd(void **state)
{
	int theirs = eventfd(0, EFD_NONBLOCK), ours;
	struct machine_fd a, b;
	uint64_t value = 3;

	(void)state;
	assert_true(theirs >= 0);
	ours = machine_task_eventfd(machine, getpid(), theirs);
	if (ours == -EOPNOTSUPP || ours == -EPERM)
		skip(); /* a kernel or a sandbox without pidfd_getfd */
	assert_true(ours >= 0);
	assert_int_equal(fcntl(ours, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(ours, &value, sizeof(value)), sizeof(value));
	value = 0;
	assert_int_equal(read(theirs, &value, sizeof(value)), sizeof(value));
	assert_int_equal(value, 3);
	assert_int_equal(machine_task_fd(machine, getpid(), theirs, &a), 0);
	assert_int_equal(machine_task_fd(machine, getpid(), ours, &b), 0);
	assert_true(a.eventfd && b.eventfd);
	assert_int_equal(a.eventfd_id, b.eventfd_id);
	close(ours);
	close(theirs);
}

static void test_what_cannot_be_taken(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), path = open("/", O_PATH | O_CLOEXEC);
	struct machine_fd fd;

	(void)state;
	assert_int_equal(machine_task_eventfd(machine, getpid(), null), -EINVAL);
	assert_int_equal(machine_task_eventfd(machine, getpid(), path), -EBADF);
	assert_int_equal(machine_task_eventfd(machine, getpid(), 12345), -EBADF);
	assert_int_equal(machine_task_eventfd(machine, getpid(), 4000000000u), -EBADF);
	assert_int_equal(machine_task_eventfd(machine, 0, 0), -ESRCH);
	assert_int_equal(machine_task_fd(machine, getpid(), null, &fd), 0);
	assert_string_equal(fd.path, "/dev/null");
	assert_false(fd.eventfd || fd.path_only);
	close(path);
	close(null);
}

/*
 * What an epoll instance shows may be long in coming, so it is not asked: fdinfo has the mount, which stays
 * unknown.
 */
static void test_epoll_is_not_asked(void **state)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct machine_fd fd;

	(void)state;
	assert_int_equal(machine_task_fd(machine, getpid(), epoll, &fd), 0);
	assert_string_equal(fd.path, "anon_inode:[eventpoll]");
	assert_int_equal(fd.mount, -1);
	assert_int_equal(machine_task_eventfd(machine, getpid(), epoll), -EINVAL);
	close(epoll);
}

static bool always(void *asked)
{
	++*(unsigned *)asked;
	return true;
}

static bool never(void *asked)
{
	(void)asked;
	return false;
}

/* How many of them are held, with one look through /proc at most. */
static size_t held(struct machine_eventfd *eventfds, size_t count, bool search)
{
	unsigned asked = 0;
	size_t number = 0;

	machine_eventfds_held(machine, eventfds, count, search, always, &asked);
	for (size_t i = 0; i < count; i++)
		number += eventfds[i].held;
	return number;
}

/* Who has it: found where it was, found elsewhere, and gone. This process' own does not count. */
static void test_who_holds_an_eventfd(void **state)
{
	int eventfd_here = eventfd(0, EFD_CLOEXEC);
	struct machine_eventfd one[3];
	struct machine_fd fd;
	pid_t child;

	(void)state;
	assert_int_equal(machine_task_fd(machine, getpid(), eventfd_here, &fd), 0);
	if (!fd.eventfd_id)
		skip(); /* a kernel that does not tell them apart */
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	one[0] = one[1] = one[2] = (struct machine_eventfd){
		.id = fd.eventfd_id, .tid = child, .fd = 1000};
	one[1].id += 1000000;
	one[2].id += 2000000;
	assert_int_equal(held(one, 3, true), 1);
	assert_true(one[0].held);
	assert_int_equal(one[0].tid, child);
	assert_int_equal(one[0].fd, eventfd_here);
	assert_int_equal(held(one, 1, false), 1);
	assert_int_equal(held(one, 3, false), 3); /* nobody was asked about them */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(machine_eventfds_held(machine, one, 3, true, never, NULL));
	assert_true(one[0].held && one[1].held && one[2].held);
	assert_int_equal(held(one, 3, true), 0);
	close(eventfd_here);
}

static unsigned count_processes(void)
{
	struct machine_ids ids = {0};
	unsigned count;

	assert_int_equal(machine_pids(machine, &ids), 0);
	count = ids.nr;
	machine_ids_free(&ids);
	return count;
}

/* Nine hundred that are gone cost one look through /proc. */
static void test_many_closed_eventfds(void **state)
{
	static struct machine_eventfd many[900];
	unsigned asked = 0;

	(void)state;
	for (unsigned i = 0; i < 900; i++)
		many[i] = (struct machine_eventfd){.id = 1000000 + i, .tid = getpid(), .fd = 1000};
	assert_true(machine_eventfds_held(machine, many, 900, true, always, &asked));
	for (unsigned i = 0; i < 900; i++)
		assert_false(many[i].held);
	assert_true(asked < 900 + 2 * count_processes());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdinfo),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_taking_an_eventfd),
		cmocka_unit_test(test_what_cannot_be_taken),
		cmocka_unit_test(test_epoll_is_not_asked),
		cmocka_unit_test(test_who_holds_an_eventfd),
		cmocka_unit_test(test_many_closed_eventfds),
	};

	return cmocka_run_group_tests(tests, open_machine, close_machine);
}
