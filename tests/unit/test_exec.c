/* SPDX-License-Identifier: MIT */
/*
 * An exec by another thread than the leader, as /proc alone shows it: the leader's number has had fewer
 * faults, or has waited less for a processor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <utlist.h>

#include "family.h"

#define TICKS(n) ((n) * FAKE_TICK) /* of run: the fake tasks have as many faults */

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

/* The thread is gone, and the leader's number has run and waited for so long. */
static void exec_waited(struct threads *threads, uint64_t run, uint64_t waited)
{
	struct fake_task leader = threads->leader;

	gone(&threads->family, &threads->leader);
	gone(&threads->family, &threads->thread);
	threads->leader.run = run;
	threads->leader.waited = waited;
	show(threads, true);
	threads->leader = leader;
}

static void exec(struct threads *threads, uint64_t run)
{
	exec_waited(threads, run, threads->leader.waited);
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

static void by_a_thread(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	fake_move(family->accounting, &threads->thread, &threads->other);
	assert_members(&family->group, 10);
	assert_members(&threads->other, 12);
	exec(threads, TICKS(9));
	assert_members(&threads->other, 10);
	assert_members(&family->group, 0);
	measure_all(family);
	assert_int_equal(threads->other.usage->total.user + threads->other.usage->total.system, TICKS(7));
	assert_true(!family->group.usage || !counted(family));
}

static void by_a_thread_found_while_measured(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->thread, &threads->other);
	exec(threads, TICKS(9));
	measure_all(family);
	assert_members(&threads->other, 10);
	assert_int_equal(threads->other.usage->total.user + threads->other.usage->total.system, TICKS(7));
}

/* Who was in no group leads on, so nobody is. */
static void by_a_stranger(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	exec(threads, TICKS(9));
	assert_members(&family->group, 0);
	assert_null(family->accounting->processes);
}

/* A leader that has done little: the new program has more faults by then. */
static void by_a_thread_after_little(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	threads->leader.waited = 40000;
	threads->thread.waited = 3000;
	show(threads, false);
	fake_move(family->accounting, &threads->thread, &threads->other);
	exec_waited(threads, TICKS(90), 5000);
	assert_members(&threads->other, 10);
	assert_members(&family->group, 0);
}

/* Its wait was read with what it had run only. */
static void by_a_thread_after_a_reading(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	fake_move(family->accounting, &threads->thread, &threads->other);
	threads->leader.run += TICKS(1);
	threads->leader.waited = 40000;
	show(threads, false);
	measure_all(family);
	exec_waited(threads, TICKS(90), 5000);
	assert_members(&threads->other, 10);
	assert_members(&family->group, 0);
}

static void by_the_leader(void **state)
{
	struct threads *threads = *state;
	struct family *family = &threads->family;

	fake_move(family->accounting, &threads->leader, &family->group);
	fake_move(family->accounting, &threads->thread, &threads->other);
	exec_waited(threads, TICKS(57), 50000);
	assert_members(&threads->other, 0);
	assert_members(&family->group, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_a_thread, start, stop),
		cmocka_unit_test_setup_teardown(by_a_thread_found_while_measured, start, stop),
		cmocka_unit_test_setup_teardown(by_a_stranger, start, stop),
		cmocka_unit_test_setup_teardown(by_a_thread_after_little, start, stop),
		cmocka_unit_test_setup_teardown(by_a_thread_after_a_reading, start, stop),
		cmocka_unit_test_setup_teardown(by_the_leader, start, stop),
	};

	return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
