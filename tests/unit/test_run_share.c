/* SPDX-License-Identifier: MIT */
/* How many calls of one user are answered at once. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "share.h"

#define ALL (SHARE_ALL + SHARE_USER)
#define OTHER_USER 65534

static struct share shares[ALL];

static bool is_same(uint64_t call)
{
	(void)call;
	return true;
}

static void take(const struct peer *peer, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_true(share_take(peer, &shares[i]));
}

static void give_back(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		share_return(&shares[i]);
}

static void test_one_user(void **state)
{
	struct peer *peer = peer_new(getpid(), is_same, 0);
	struct share more;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		take(peer, ALL);
		assert_false(share_take(peer, &more));
		share_return(&shares[ALL - 1]);
		assert_true(share_take(peer, &shares[ALL - 1]));
		assert_false(share_take(peer, &more));
		give_back(ALL);
	}
	peer_free(peer);
}

/* A process of another user; it says when it is. */
static pid_t start_other(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		if (setresuid(OTHER_USER, 0, 0) || write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_another_user(void **state)
{
	struct peer *peer = peer_new(getpid(), is_same, 0), *other;
	struct share more;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip(); /* needs root */
	pid = start_other();
	other = peer_new(pid, is_same, 0);
	take(peer, ALL);
	assert_true(share_take(other, &more));
	share_return(&more);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(share_take(other, &more)); /* gone */
	give_back(ALL);
	peer_free(other);
	peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_user),
		cmocka_unit_test(test_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
