/* SPDX-License-Identifier: MIT */
/* Numbers of another pid namespace, found with the kernel's help and without. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"
#include "machine_task.h"
#include "pid_namespace.h"

struct inside {
	struct machine *own, *other; /* the same /proc; the second's numbers are not taken for ours */
	pid_t helper, first, second; /* who made the namespace, and its first two, as we know them */
};

/* Whether it is a child of ours that has ended. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static pid_t child_of(const struct machine *machine, pid_t pid)
{
	struct machine_ids children = {0};
	pid_t child = 0;

	while (!child && !has_ended(pid) && !machine_children(machine, pid, 0, &children)) {
		if (children.nr)
			child = children.id[0];
	}
	machine_ids_free(&children);
	return child;
}

/* Process 1 of a namespace of its own has a child. */
static void live_inside(void)
{
	if (unshare(CLONE_NEWPID))
		_exit(2);
	if (!fork() && !fork())
		pause();
	pause();
	_exit(0);
}

static int set_up(void **state)
{
	struct inside *inside = calloc(1, sizeof(*inside));

	*state = inside;
	alarm(60);
	inside->own = machine_open("/");
	inside->other = machine_open("/.");
	inside->helper = fork();
	if (!inside->helper)
		live_inside();
	inside->first = child_of(inside->own, inside->helper);
	if (inside->first)
		inside->second = child_of(inside->own, inside->first);
	return 0;
}

static int tear_down(void **state)
{
	struct inside *inside = *state;

	if (inside->first)
		kill(inside->first, SIGKILL); /* with it all of them */
	kill(inside->helper, SIGKILL);
	waitpid(inside->helper, NULL, 0);
	machine_close(inside->own);
	machine_close(inside->other);
	free(inside);
	return 0;
}

static void look_up(const struct machine *machine, const struct inside *inside)
{
	struct pid_namespace space = pid_namespace_of(machine, inside->first);
	struct machine_task_status status;
	pid_t number; /* 2, unless a sanitizer has made threads of its own */

	assert_int_equal(machine_task_status(machine, inside->second, 0, &status), 0);
	number = status.nspid[status.nr_nspid - 1];
	assert_true(number > 1);
	assert_int_equal(space.level, 1);
	assert_int_equal(pid_namespace_find(machine, &space, 1), inside->first);
	assert_int_equal(pid_namespace_find(machine, &space, number), inside->second);
	assert_int_equal(pid_namespace_find(machine, &space, number + 1000), 0);
	assert_int_equal(pid_namespace_find(machine, &space, getpid()), 0);
	assert_int_equal(pid_namespace_show(machine, &space, inside->second, true), number);
	assert_int_equal(pid_namespace_show(machine, &space, inside->second, false), number);
	assert_int_equal(pid_namespace_show(machine, &space, getpid(), true), 0);
}

static void numbers_of_a_namespace(void **state)
{
	const struct inside *inside = *state;

	if (!inside->second) {
		print_message("a pid namespace needs root\n");
		skip();
	}
	look_up(inside->own, inside);
	look_up(inside->other, inside);
}

static void our_own_numbers(void **state)
{
	const struct inside *inside = *state;
	struct pid_namespace space = pid_namespace_of(inside->own, getpid());

	assert_int_equal(space.level, 0);
	assert_int_equal(pid_namespace_find(inside->own, &space, getpid()), getpid());
	assert_int_equal(pid_namespace_of(inside->own, 0).level, 0);
	space = (struct pid_namespace){.level = 1, .member = getpid()}; /* one that cannot be looked at */
	assert_int_equal(pid_namespace_find(inside->own, &space, 1), 0);
	assert_int_equal(pid_namespace_show(inside->own, &space, getpid(), true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_of_a_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_own_numbers, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("pid_namespace", tests, NULL, NULL);
}
