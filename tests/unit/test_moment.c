/* SPDX-License-Identifier: MIT */
/* Who was made before a moment and who after it, also within its tick. */
#include "fixture.h"

#include "fake_machine.h"
#include "../../src/accounting/sources/sources.h"

static void order(void **state)
{
	static const struct {
		struct accounting_moment moment;
		uint64_t ticks;
		pid_t number;
		bool before;
	} cases[] = {
		{{.ticks = 100, .last_pid = 500}, 97, 501, false},
		{{.ticks = 100, .last_pid = 500}, 98, 501, true}, /* gVisor dates a new task back */
		{{.ticks = 100, .last_pid = 500}, 98, 500, false},
		{{.ticks = 100, .last_pid = 500}, 101, 400, true},
		{{.ticks = 100, .last_pid = 500}, 100, 499, false},
		{{.ticks = 100, .last_pid = 500}, 100, 500, false},
		{{.ticks = 100, .last_pid = 500}, 100, 501, true},
		/* after the last number come the first */
		{{.ticks = 100, .last_pid = 32760}, 100, 300, true},
		{{.ticks = 100, .last_pid = 300}, 100, 32760, false},
		{{.ticks = 100, .last_pid = 4194300}, 100, 310, true},
		{{.ticks = 100, .last_pid = 310}, 100, 4194300, false},
		{{.ticks = 100, .last_pid = 0}, 99, 1, false}, /* who has no numbers takes the whole tick */
		{{.ticks = 100, .last_pid = 0}, 100, 1, true},
		{{.ticks = 0, .last_pid = 0}, 1, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool before = moment_is_before(&cases[i].moment, cases[i].ticks, cases[i].number);

		if (before != cases[i].before)
			fail_msg("case %zu", i);
	}
}

static void now_and_seen(void **state)
{
	struct accounting_moment moment, late = {.ticks = 9997, .last_pid = 900};
	struct machine *machine;
	struct fake_machine fake;
	struct accounting accounting = {.lock = LOCK_INITIALIZER};

	(void)state;
	fake_open(&fake); /* it runs for 100 s */
	machine = machine_open(fake.root);
	accounting.machine = machine;
	moment = moment_now(&accounting);
	assert_int_equal(moment.ticks, 9998); /* gVisor dates a new thread up to a tick back */
	assert_int_equal(moment.last_pid, 0);
	fake_put(&fake, "proc/loadavg", "0.00 0.00 0.00 1/1 77\n");
	moment = moment_now(&accounting);
	assert_int_equal(moment.last_pid, 77);
	assert_int_equal(moment.ticks, 10000);

	pthread_mutex_lock(&accounting.lock);
	moment_reach(&accounting, &moment);
	moment_reach(&accounting, &late); /* an earlier one says nothing new */
	pthread_mutex_unlock(&accounting.lock);
	assert_int_equal(moment_seen(&accounting).ticks, 10000);
	assert_int_equal(moment_seen(&accounting).last_pid, 77);
	machine_close(machine);
	fake_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(now_and_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
