/* SPDX-License-Identifier: MIT */
/* An exec, as /proc alone shows it: by another thread than the leader its number has run less than before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <utlist.h>

#include "family.h"

#define TICKS(n) ((n) * FAKE_TICK)

struct threads {
	struct family family;
	struct group other;
	struct fake_task leader, thread;
};

static void show(struct threads *threads, bool alone)
{
	fake_put_process(&threads->family.fake, &threads->leader, threads->leader.run, alone ? 1 : 2);
	fake_put_thread(&threads->family.fake, &threads->leader);
	if (!alone)
		fake_put_thread(&threads->family.fake, &threads->thread);
}

static int start(void **state)
{
	struct threads *threads = calloc(1, sizeof(*threads));
	struct family *family = &threads->family;

	*state = threads;
	family->accounting = fake_accounting_new(&family->fake, &family->machine);
	make_groups(family);
	group_init(family->accounting, &threads->other, 0, &family->root);
	threads->leader = task_of(10, 1);
	threads->leader.run = TICKS(50);
	threads->thread = task_of(12, 1);
	threads->thread.tgid = 10;
	threads->thread.run = TICKS(2);
	show(threads, false);
	put_last_pid(family, 12);
	return 0;
}

static int stop(void **state)
{
	struct threads *threads = *state;

	group_retire(&threads->other);
	return tear_down(state);
}

/* The thread is gone. The leader's number has run so long, and the process with all that it ever had. */
static void exec(struct threads *threads, uint64_t run, uint64_t total)
{
	struct fake_task leader = threads->leader;

	gone(&threads->family, &threads->leader);
	gone(&threads->family, &threads->thread);
	leader.run = run;
	fake_put_process(&threads->family.fake, &leader, total, 1);
	fake_put_thread(&threads->family.fake, &leader);
}

static void assert_members(struct group *group, pid_t wanted)
{
	struct task_list list;

	assert_int_equal(accounting_list(group, &list), 0);
	assert_int_equal(list.count, wanted ? 1 : 0);
	if (wanted)
		assert_int_equal(list.tasks[0].tid, wanted);
	free(list.tasks);
}

/* The leader's number has run less than before: the process has run more. */
static void time_is_not_lost(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	fake_move(family->accounting, &threads->thread, &family->group);
	exec(threads, TICKS(9), TICKS(59));
	measure_all(family);
	assert_int_equal(counted(family), TICKS(7));
	assert_members(&family->group, 10);
	exec(threads, TICKS(70), TICKS(120));
	measure_all(family);
	assert_int_equal(counted(family), TICKS(68));
}

static void by_the_leader(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	fake_move(family->accounting, &threads->thread, &threads->other);
	exec(threads, TICKS(57), TICKS(59));
	assert_members(&threads->other, 0);
	assert_members(&family->group, 10);
	measure_all(family);
	assert_int_equal(counted(family), TICKS(7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(time_is_not_lost, start, stop),
		cmocka_unit_test_setup_teardown(by_the_leader, start, stop),
	};

	return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
