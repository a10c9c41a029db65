/* SPDX-License-Identifier: MIT */
/*
 * memory.numa_stat: the machine's lists by node, what is a cgroup's of them, and what is left for the root
 * itself.
 */
#include "small_world.h"

#define MIB (1ul << 20)

static const struct controller *const list[] = {&memory_controller, NULL};

static void put_node(struct small_world *world, unsigned node, unsigned anon, unsigned file,
		     unsigned unevictable)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "sys/devices/system/node/node%u/meminfo", node);
	snprintf(text, sizeof(text),
		 "Node %u MemTotal: 1000000 kB\nNode %u MemFree: 500000 kB\nNode %u Active(anon): %u kB\n"
		 "Node %u Inactive(anon): 40 kB\nNode %u Active(file): %u kB\nNode %u Inactive(file): 80 kB\n"
		 "Node %u Unevictable: %u kB\n",
		 node, node, node, anon - 40, node, node, file - 80, node, node, unevictable);
	fake_put(&world->fake, path, text);
}

static int set_up(void **state)
{
	struct small_world *world = *state = world_new(ONE_CPU);

	fake_put(&world->fake, "proc/meminfo", "MemTotal: 2000000 kB\nMemFree: 1000000 kB\n");
	fake_put(&world->fake, "sys/devices/system/node/has_memory", "0-1\n");
	fake_put(&world->fake, "sys/devices/system/node/possible", "0-1\n");
	put_node(world, 0, 30 * 1024, 400, 40);
	put_node(world, 1, 10 * 1024, 1200, 0);
	small_tree_open(&world->small, world->fake.root, list);
	assert_int_equal(small_mkdir(&world->small, "/memory/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/memory/a/b"), 0);
	world_put(world, 10, 1, 0);
	world_put(world, 11, 1, 0);
	world_last_pid(world, 11);
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	return 0;
}

/* It has run, and has so much memory now: what it had when it came is not the cgroup's. */
static void grow(struct small_world *world, pid_t pid, uint64_t anon)
{
	struct fake_task task = world_put(world, pid, 1, anon);

	task.run = FAKE_TICK;
	fake_put_process(&world->fake, &task, task.run, 1);
	fake_put_thread(&world->fake, &task);
}

/* 30 and 10 MiB are anonymous on the nodes: three quarters of a cgroup's are on node 0. */
static void by_node(void **state)
{
	struct small_world *world = *state;

	world_reads(world, "/memory/memory.numa_stat",
		    "total=10650 N0=7790 N1=2860\nfile=400 N0=100 N1=300\nanon=10240 N0=7680 N1=2560\n"
		    "unevictable=10 N0=10 N1=0\n"
		    "hierarchical_total=10650 N0=7790 N1=2860\nhierarchical_file=400 N0=100 N1=300\n"
		    "hierarchical_anon=10240 N0=7680 N1=2560\nhierarchical_unevictable=10 N0=10 N1=0\n");
	world_join(world, "/memory/a", 10);
	world_join(world, "/memory/a/b", 11);
	usleep(21000); /* what was read is older than it may be shown by then */
	grow(world, 10, 8 * MIB);
	grow(world, 11, 16 * MIB);
	world_reads(world, "/memory/a/memory.numa_stat",
		    "total=2048 N0=1536 N1=512\nfile=0 N0=0 N1=0\nanon=2048 N0=1536 N1=512\n"
		    "unevictable=0 N0=0 N1=0\n"
		    "hierarchical_total=6144 N0=4608 N1=1536\nhierarchical_file=0 N0=0 N1=0\n"
		    "hierarchical_anon=6144 N0=4608 N1=1536\nhierarchical_unevictable=0 N0=0 N1=0\n");
	world_reads(world, "/memory/memory.numa_stat",
		    "total=4506 N0=3182 N1=1324\nfile=400 N0=100 N1=300\nanon=4096 N0=3072 N1=1024\n"
		    "unevictable=10 N0=10 N1=0\n"
		    "hierarchical_total=10650 N0=7790 N1=2860\nhierarchical_file=400 N0=100 N1=300\n"
		    "hierarchical_anon=10240 N0=7680 N1=2560\nhierarchical_unevictable=10 N0=10 N1=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_node, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("numa", tests, NULL, NULL);
}
