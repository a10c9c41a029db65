/* SPDX-License-Identifier: MIT */
/* What cpuacct shows of the root, which is /proc/stat, and of a child, in every file of it. */
#include "small_world.h"

#define MS 1000000ul

static const struct controller *const list[] = {&cpuacct_controller, NULL};

/* user nice system idle iowait irq softirq steal guest guest_nice, each another power of two */
#define STAT "cpu  5 10 20 40 80 160 320 640 1 2\n" \
	     "cpu0 4 8 16 32 64 128 256 512 1 2\n"  \
	     "cpu1 1 2 4 8 16 32 64 128 0 0\n"

static int set_up(void **state)
{
	struct small_world *world = *state = world_open(list, STAT);

	assert_int_equal(small_mkdir(&world->small, "/cpuacct/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/cpuacct/a/b"), 0);
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	return 0;
}

static void the_root(void **state)
{
	struct small_world *world = *state;

	/* (4 + 8) and (1 + 2) ticks in user mode; (16 + 128 + 256) and (4 + 32 + 64) in the kernel */
	world_reads(world, "/cpuacct/cpuacct.usage_user", "150000000\n");
	world_reads(world, "/cpuacct/cpuacct.usage_sys", "5000000000\n");
	world_reads(world, "/cpuacct/cpuacct.usage", "5150000000\n");
	world_reads(world, "/cpuacct/cpuacct.usage_percpu", "4120000000 1030000000 \n");
	world_reads(world, "/cpuacct/cpuacct.usage_percpu_user", "120000000 30000000 \n");
	world_reads(world, "/cpuacct/cpuacct.usage_percpu_sys", "4000000000 1000000000 \n");
	world_reads(world, "/cpuacct/cpuacct.usage_all",
		    "cpu user system\n0 120000000 4000000000\n1 30000000 1000000000\n");
	world_reads(world, "/cpuacct/cpuacct.stat", "user 15\nsystem 500\n");
}

/* So many ticks in user mode and in the kernel, and so many ns in all. */
static void put_times(struct small_world *world, pid_t pid, unsigned user, unsigned system, uint64_t run)
{
	char path[64], text[256];

	snprintf(text, sizeof(text), "%d (fake) S 1 1 1 0 -1 0 0 0 0 0 %u %u 0 0 20 0 1 0 %u 0 0 "
				     "0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		 pid, user, system, 100000u + (unsigned)pid);
	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	fake_put(&world->fake, path, text);
	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", pid, pid);
	fake_put(&world->fake, path, text);
	snprintf(text, sizeof(text), "%lu 0 1\n", run);
	snprintf(path, sizeof(path), "proc/%d/schedstat", pid);
	fake_put(&world->fake, path, text);
	snprintf(path, sizeof(path), "proc/%d/task/%d/schedstat", pid, pid);
	fake_put(&world->fake, path, text);
}

/* Three parts in user mode to one in the kernel, on CPU 1: where it was seen on last. */
static void a_child(void **state)
{
	struct small_world *world = *state;

	world_put(world, 10, 1, 0);
	put_times(world, 10, 100, 100, 1000 * MS);
	world_join(world, "/cpuacct/a/b", 10);
	usleep(21000); /* what was read is older than it may be shown by then */
	put_times(world, 10, 130, 110, 1400 * MS);
	for (unsigned i = 0; i < 2; i++) {
		world_reads(world, i ? "/cpuacct/a/cpuacct.usage" : "/cpuacct/a/b/cpuacct.usage",
			    "400000000\n");
		world_reads(world, i ? "/cpuacct/a/cpuacct.usage_user" : "/cpuacct/a/b/cpuacct.usage_user",
			    "300000000\n");
		world_reads(world, i ? "/cpuacct/a/cpuacct.usage_sys" : "/cpuacct/a/b/cpuacct.usage_sys",
			    "100000000\n");
		world_reads(world, i ? "/cpuacct/a/cpuacct.usage_all" : "/cpuacct/a/b/cpuacct.usage_all",
			    "cpu user system\n0 0 0\n1 300000000 100000000\n");
	}
	world_reads(world, "/cpuacct/a/cpuacct.usage_percpu", "0 400000000 \n");
	world_reads(world, "/cpuacct/a/cpuacct.usage_percpu_user", "0 300000000 \n");
	world_reads(world, "/cpuacct/a/cpuacct.usage_percpu_sys", "0 100000000 \n");
	world_reads(world, "/cpuacct/a/cpuacct.stat", "user 30\nsystem 10\n");
	assert_int_equal(small_write(&world->small, "/cpuacct/a/b/cpuacct.usage", "1"), -EINVAL);
	assert_int_equal(small_write(&world->small, "/cpuacct/a/b/cpuacct.usage", "0"), 0);
	world_reads(world, "/cpuacct/a/b/cpuacct.usage", "0\n");
	world_reads(world, "/cpuacct/a/b/cpuacct.usage_all", "cpu user system\n0 0 0\n1 0 0\n");
	world_reads(world, "/cpuacct/a/cpuacct.usage", "400000000\n");
	assert_int_equal(small_write(&world->small, "/cpuacct/cpuacct.usage", "0"), 0);
	world_reads(world, "/cpuacct/cpuacct.usage_user", "150000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_child, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cpuacct", tests, NULL, NULL);
}
