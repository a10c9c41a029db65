/* SPDX-License-Identifier: MIT */
/*
 * Memory on a machine with swap, which the tests' machines lack: sums, limits of whole pages, peaks and their
 * resets.
 */
#include "small_world.h"

#define KIB 1024ul

static const struct controller *const list[] = {&memory_controller, NULL};

/* In KiB: what is in memory, swapped out, and page tables. */
static void put_memory(struct small_world *world, unsigned anon, unsigned swap, unsigned tables)
{
	static uint64_t run;
	char text[512];
	struct fake_task task = {.tid = 10, .tgid = 10, .ppid = 1, .start = 100010, .run = run += FAKE_TICK};

	fake_put_process(&world->fake, &task, task.run, 1);
	fake_put_thread(&world->fake, &task);
	snprintf(text, sizeof(text),
		 "Name:\tfake\nState:\tS\nTgid:\t10\nPid:\t10\nPPid:\t1\nVmSize:\t%u kB\nVmRSS:\t%u kB\n"
		 "RssAnon:\t%u kB\nRssFile:\t0 kB\nRssShmem:\t0 kB\nVmPTE:\t%u kB\n"
		 "VmSwap:\t%u kB\nThreads:\t1\n",
		 anon, anon, anon, tables, swap);
	fake_put(&world->fake, "proc/10/status", text);
	usleep(21000); /* what was read is older than it may be shown by then */
}

static int set_up(void **state)
{
	struct small_world *world = *state = world_new(ONE_CPU);

	fake_put(&world->fake, "proc/meminfo",
		 "MemTotal: 100000 kB\nMemFree: 10000 kB\nBuffers: 100 kB\nCached: 2000 kB\n"
		 "SwapCached: 40 kB\n"
		 "AnonPages: 30000 kB\nSwapTotal: 9000 kB\nSwapFree: 8000 kB\nSlab: 400 kB\n"
		 "KernelStack: 20 kB\n"
		 "PageTables: 8 kB\nSecPageTables: 4 kB\nPercpu: 16 kB\n");
	small_tree_open(&world->small, world->fake.root, list);
	assert_int_equal(small_mkdir(&world->small, "/memory/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/memory/a/b"), 0);
	put_memory(world, 0, 0, 0);
	world_last_pid(world, 10);
	world_join(world, "/memory/a/b", 10);
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	return 0;
}

static uint64_t number(struct small_world *world, const char *file)
{
	char path[96];
	const char *text;

	snprintf(path, sizeof(path), "/memory/%s", file);
	text = small_read(&world->small, path);
	assert_non_null(text);
	return strtoull(text, NULL, 10);
}

static uint64_t stat_of(struct small_world *world, const char *path, const char *name)
{
	char line[64];
	const char *text = small_read(&world->small, path);

	snprintf(line, sizeof(line), "%s ", name);
	assert_non_null(text);
	while (text && strncmp(text, line, strlen(line)))
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	assert_non_null(text);
	return strtoull(text + strlen(line), NULL, 10);
}

static void the_root(void **state)
{
	struct small_world *world = *state;

	assert_int_equal(number(world, "memory.usage_in_bytes"), 32140 * KIB);
	assert_int_equal(number(world, "memory.memsw.usage_in_bytes"), 33140 * KIB);
	assert_int_equal(number(world, "memory.kmem.usage_in_bytes"), 448 * KIB);
	assert_int_equal(number(world, "memory.memsw.max_usage_in_bytes"), 33140 * KIB);
}

static void a_child(void **state)
{
	struct small_world *world = *state;

	put_memory(world, 801, 201, 8); /* whole pages are 800 and 200 */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(number(world, i ? "a/memory.usage_in_bytes" : "a/b/memory.usage_in_bytes"),
				 808 * KIB);
		assert_int_equal(number(world, i ? "a/memory.memsw.usage_in_bytes"
						 : "a/b/memory.memsw.usage_in_bytes"),
				 1008 * KIB);
		assert_int_equal(
			number(world, i ? "a/memory.kmem.usage_in_bytes" : "a/b/memory.kmem.usage_in_bytes"),
			8 * KIB);
	}
	assert_int_equal(stat_of(world, "/memory/a/b/memory.stat", "rss"), 800 * KIB);
	assert_int_equal(stat_of(world, "/memory/a/b/memory.stat", "swap"), 200 * KIB);
	assert_int_equal(stat_of(world, "/memory/a/memory.stat", "swap"), 0);
	assert_int_equal(stat_of(world, "/memory/a/memory.stat", "total_swap"), 200 * KIB);
	assert_int_equal(stat_of(world, "/memory/a/memory.stat", "total_rss"), 800 * KIB);
}

static void peaks(void **state)
{
	static const char *const files[] = {"memory", "memory.memsw", "memory.kmem"};
	struct small_world *world = *state;
	static const unsigned highest[] = {808, 1008, 8}, now[] = {404, 504, 4}; /* KiB */
	char path[96];

	put_memory(world, 801, 201, 8);
	assert_int_equal(number(world, "a/memory.memsw.usage_in_bytes"), 1008 * KIB);
	put_memory(world, 400, 100, 4);
	assert_int_equal(number(world, "a/memory.memsw.usage_in_bytes"), 504 * KIB);
	for (unsigned reset = 0; reset < 3; reset++) {
		for (unsigned i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "a/%s.max_usage_in_bytes", files[i]);
			assert_int_equal(number(world, path), (i < reset ? now[i] : highest[i]) * KIB);
		}
		snprintf(path, sizeof(path), "/memory/a/%s.max_usage_in_bytes", files[reset]);
		assert_int_equal(small_write(&world->small, path, "0"), 0);
	}
	assert_int_equal(number(world, "a/b/memory.max_usage_in_bytes"), 808 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_child, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peaks, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
