/* SPDX-License-Identifier: MIT */
/* All members are read now and then, a few at a time. */
#include "fixture.h"

#include "family.h"

#define MANY 300
#define A_SECOND 1000000000u /* ns */

static void add_children(struct family *family)
{
	for (pid_t pid = 100; pid < 100 + MANY; pid++) {
		struct fake_task child = task_of(pid, family->top.tid);

		put(family, &child);
		put_last_pid(family, pid);
	}
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 3 + MANY);
}

static unsigned count_read_after(const struct accounting *accounting, uint64_t time)
{
	const struct process *process;
	unsigned count = 0;

	for (process = accounting->processes; process; process = process->hh.next)
		count += process->read.at[0] > time;
	return count;
}

/* Reads the next until all were; returns the most that were read at once. */
static unsigned play_round(struct accounting *accounting, uint64_t *round)
{
	uint64_t before = *round;
	unsigned most = 0, count = count_read_after(accounting, before);
	bool ran;

	while (*round == before) {
		unsigned last = count;

		assert_int_equal(accounting_measure_next(accounting, USAGE_CPU, round, &ran), 0);
		count = count_read_after(accounting, before);
		most = count - last > most ? count - last : most;
	}
	assert_int_equal(count, 3 + MANY);
	return most;
}

static void everybody_in_turn(void **state)
{
	struct family *family = *state;
	uint64_t round = 0;

	add_children(family);
	for (int i = 0; i < 3; i++)
		assert_in_range(play_round(family->accounting, &round), 1, MANY / 2);
	assert_int_equal(count_read_after(family->accounting, round), 0);
}

static void whoever_wakes_is_told_of(void **state)
{
	struct family *family = *state;
	uint64_t round = 0;
	bool ran;

	measure_all(family);
	measure_all(family);
	fake_let_time_pass(family->accounting);
	assert_int_equal(accounting_measure_next(family->accounting, USAGE_CPU, &round, &ran), 0);
	assert_false(ran);
	family->bottom.run += FAKE_TICK;
	put(family, &family->bottom);
	assert_int_equal(accounting_measure_running(family->accounting, USAGE_CPU, &ran), 0);
	assert_false(ran);
	fake_let_time_pass(family->accounting);
	assert_int_equal(accounting_measure_next(family->accounting, USAGE_CPU, &round, &ran), 0);
	assert_true(ran);
	assert_int_equal(counted(family), FAKE_TICK);
}

/* A member that waits for a disk will run before it is its turn again. */
static void whoever_is_blocked_is_not_at_rest(void **state)
{
	struct family *family = *state;
	bool ran;

	family->bottom.run += FAKE_TICK;
	family->bottom.blocked = true;
	put(family, &family->bottom);
	measure_all(family);
	for (int i = 0; i < 3; i++) {
		fake_let_time_pass(family->accounting);
		assert_int_equal(accounting_measure_running(family->accounting, USAGE_CPU, &ran), 0);
		assert_true(ran);
	}
	family->bottom.blocked = false;
	put(family, &family->bottom);
	fake_let_time_pass(family->accounting);
	assert_int_equal(accounting_measure_running(family->accounting, USAGE_CPU, &ran), 0);
	assert_false(ran);
}

/* As gVisor has it: no schedstat, and times in ticks. */
static void put_ticks(struct family *family, const struct fake_task *task)
{
	char path[128];

	put(family, task);
	snprintf(path, sizeof(path), "%s/proc/%d/schedstat", family->fake.root, task->tid);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc/%d/task/%d/schedstat", family->fake.root, task->tgid,
		 task->tid);
	unlink(path);
}

static bool runs(struct family *family)
{
	bool ran;

	fake_let_time_pass(family->accounting);
	assert_int_equal(accounting_measure_running(family->accounting, USAGE_CPU, &ran), 0);
	return ran;
}

/* As if those that were seen to run had been so long ago. */
static void let_a_second_pass(struct accounting *accounting)
{
	struct process *process;

	for (process = accounting->processes; process; process = process->hh.next)
		process->read.ran_at -= A_SECOND;
}

/* Who runs a little now and then shows no tick for a while: it rests a second after the last. */
static void whoever_shows_no_tick_rests_later(void **state)
{
	struct family *family = *state;
	uint64_t start = now_ns(), round = 0;
	bool ran;

	put_ticks(family, &family->top);
	put_ticks(family, &family->middle);
	family->bottom.run += FAKE_TICK;
	put_ticks(family, &family->bottom);
	measure_all(family);
	ran = runs(family);
	if (now_ns() - start < A_SECOND) /* on a machine that is not busy */
		assert_true(ran);
	let_a_second_pass(family->accounting);
	assert_false(runs(family));
	family->bottom.run += FAKE_TICK;
	put_ticks(family, &family->bottom);
	assert_false(runs(family)); /* it is not looked at */
	fake_let_time_pass(family->accounting);
	assert_int_equal(accounting_measure_next(family->accounting, USAGE_CPU, &round, &ran), 0);
	assert_true(ran);
	assert_int_equal(counted(family), 2 * FAKE_TICK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everybody_in_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whoever_wakes_is_told_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whoever_is_blocked_is_not_at_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whoever_shows_no_tick_rests_later, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
