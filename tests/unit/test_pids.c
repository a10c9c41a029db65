/* SPDX-License-Identifier: MIT */
/* pids: how many there are, were, and how often a fork went over a limit, by scan. */
#include "small_world.h"

static const struct controller *const list[] = {&pids_controller, NULL};

static int set_up(void **state)
{
	struct small_world *world = *state = world_open(list, ONE_CPU);

	assert_int_equal(small_mkdir(&world->small, "/pids/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/pids/a/b"), 0);
	world_put(world, 10, 1, 0);
	world_last_pid(world, 10);
	world_join(world, "/pids/a", 10);
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	return 0;
}

/* The next number's process, and its parent. */
static void fork_one(struct small_world *world, pid_t pid, pid_t parent)
{
	world_put(world, pid, parent, 0);
	world_last_pid(world, pid);
}

static void over_the_groups_own_limit(void **state)
{
	struct small_world *world = *state;

	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "2"), 0);
	fork_one(world, 11, 10);
	world_reads(world, "/pids/a/pids.events", "max 0\n"); /* as many as may be */
	world_reads(world, "/pids/a/pids.current", "2\n");
	fork_one(world, 12, 11);
	world_reads(world, "/pids/a/pids.events", "max 1\n");
	world_reads(world, "/pids/a/pids.current", "3\n");
	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "max"), 0);
	fork_one(world, 13, 11);
	world_reads(world, "/pids/a/pids.current", "4\n");
	world_reads(world, "/pids/a/pids.events", "max 1\n");
}

/* pids_event() of v1: it is counted where the fork was. */
static void over_an_ancestors_limit(void **state)
{
	struct small_world *world = *state;

	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "1"), 0);
	world_join(world, "/pids/a/b", 10);
	fork_one(world, 11, 10);
	world_reads(world, "/pids/a/b/pids.events", "max 1\n");
	world_reads(world, "/pids/a/pids.events", "max 0\n");
	world_reads(world, "/pids/a/pids.current", "2\n");
	assert_int_equal(small_write(&world->small, "/pids/a/b/pids.max", "1"), 0);
	fork_one(world, 12, 10); /* over both: once */
	world_reads(world, "/pids/a/b/pids.events", "max 2\n");
	world_reads(world, "/pids/a/pids.events", "max 0\n");
}

static void limits(void **state)
{
	struct small_world *world = *state;

	world_reads(world, "/pids/a/pids.max", "max\n");
	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "0"), 0);
	world_reads(world, "/pids/a/pids.max", "0\n");
	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "4194304"), 0);
	world_reads(world, "/pids/a/pids.max", "4194304\n");
	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "4194305"), -EINVAL);
	assert_int_equal(small_write(&world->small, "/pids/a/pids.max", "-1"), -EINVAL);
	world_reads(world, "/pids/a/pids.max", "4194304\n");
}

/* The highest stays; who waits for his parent is counted, and listed no more. */
static void peak_and_zombies(void **state)
{
	struct small_world *world = *state;
	struct fake_task child;

	fork_one(world, 11, 10);
	world_reads(world, "/pids/a/pids.peak", "2\n");
	world_reads(world, "/pids/a/cgroup.procs", "10\n11\n");
	child = world_put(world, 11, 10, 0);
	child.zombie = true;
	fake_put_process(&world->fake, &child, 0, 1);
	fake_put_thread(&world->fake, &child);
	world_reads(world, "/pids/a/cgroup.procs", "10\n");
	world_reads(world, "/pids/a/pids.current", "2\n");
	fake_remove_dir(&world->fake, "proc/11");
	world_reads(world, "/pids/a/pids.current", "1\n");
	world_reads(world, "/pids/a/pids.peak", "2\n");
	world_join(world, "/pids", 10);
	world_reads(world, "/pids/a/pids.current", "0\n");
	world_reads(world, "/pids/a/pids.peak", "2\n");
}

/* fork() takes a number some time before the task can be seen: the number is looked at once more. */
static void seen_after_its_number(void **state)
{
	struct small_world *world = *state;

	world_last_pid(world, 11);
	world_reads(world, "/pids/a/cgroup.procs", "10\n");
	world_put(world, 11, 10, 0);
	world_reads(world, "/pids/a/cgroup.procs", "10\n11\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(over_the_groups_own_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(over_an_ancestors_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peak_and_zombies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(seen_after_its_number, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("pids", tests, NULL, NULL);
}
