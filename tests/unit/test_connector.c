/* SPDX-License-Identifier: MIT */
/* Whose answer a socket of process events hears: needs root, and the first namespaces of the machine. */
#include "fixture.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/accounting/sources/events.h"

/* Ends as a child in an inner pid namespace does: 0 where it has events, 1 where not, 2 without one. */
static void ask_inside(void)
{
	pid_t child;
	int status, fd;

	if (unshare(CLONE_NEWPID))
		_exit(2);
	child = fork();
	if (!child) {
		fd = connector_open();
		_exit(fd >= 0 ? 0 : 1);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(2);
}

/* While another has events and makes them. */
static void test_others_events_are_no_answer(void **state)
{
	int listener = connector_open(), status = 0;
	pid_t asker, child;

	(void)state;
	if (listener < 0) {
		print_message("events of processes are not to be had\n");
		return;
	}
	assert_int_equal(connector_listen(listener, true), 0);
	asker = fork();
	assert_true(asker >= 0);
	if (!asker)
		ask_inside();
	while (!waitpid(asker, &status, WNOHANG)) {
		child = fork();
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	connector_listen(listener, false);
	close(listener);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2) {
		print_message("a pid namespace needs root\n");
		return;
	}
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others_events_are_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
