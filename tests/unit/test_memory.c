/* SPDX-License-Identifier: MIT */
/* memory over recorded machines (Linux, and gVisor without /proc/vmstat): sums, fallbacks, limits, levels. */
#include "fixture.h"
#include "fake_machine.h"
#include "small_tree.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "../../src/controllers/mem_cgroup.h"
#include "machine_task.h"
#include "number.h"

static const struct controller *const list[] = {&memory_controller, NULL};

static struct small_tree small;

static int open_root(const char *root)
{
	small_tree_open(&small, root, list);
	return small_mkdir(&small, "/memory/a") || small_mkdir(&small, "/memory/a/b");
}

static int open_linux(void **state)
{
	(void)state;
	return open_root(FIXTURES "/linux");
}

static int open_gvisor(void **state)
{
	(void)state;
	return open_root(FIXTURES "/gvisor");
}

static struct fake_machine fake;

static unsigned stack; /* where that of process 100 starts; 0: not told */

/* Process 100 has run a little and has so much anonymous memory now, in a machine without swap. */
static void put_memory(unsigned anon_kb)
{
	static unsigned ticks;
	char text[512];

	snprintf(text, sizeof(text),
		 "100 (a) S 1 100 100 0 -1 0 10 0 1 0 %u 5 0 0 20 0 1 0 900 1000000 2000 "
		 "0 0 0 %u 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", ++ticks, stack);
	fake_put(&fake, "proc/100/stat", text);
	fake_put(&fake, "proc/100/task/100/stat", text);
	snprintf(text, sizeof(text), "%u000000 0 1\n", ticks);
	fake_put(&fake, "proc/100/task/100/schedstat", text);
	snprintf(text, sizeof(text),
		 "0-1 ---p 00000000 00:00 0 [rollup]\nRss: %u kB\nPss: %u kB\nPss_Anon: %u kB\n"
		 "Pss_File: 2050 kB\nPss_Shmem: 1024 kB\n", anon_kb + 3074, anon_kb + 3074, anon_kb);
	fake_put(&fake, "proc/100/smaps_rollup", text);
}

static int open_process(void **state)
{
	(void)state;
	fake_open(&fake);
	fake_put(&fake, "proc/meminfo", "MemTotal: 100000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
					"Cached: 20000 kB\nAnonPages: 30000 kB\n");
	fake_put(&fake, "proc/100/status",
		 "Name:\ta\nState:\tS (sleeping)\nTgid:\t100\nPid:\t100\n"
		 "PPid:\t1\nUid:\t0\t0\t0\t0\nNStgid:\t100\nNSpid:\t100\nVmSize:\t9000 kB\nVmRSS:\t10 kB\n"
		 "RssAnon:\t4 kB\nVmPTE:\t 44 kB\nThreads:\t1\n");
	put_memory(0);
	return open_root(fake.root);
}

static int close_tree(void **state)
{
	(void)state;
	small_tree_close(&small);
	return 0;
}

static int close_process(void **state)
{
	close_tree(state);
	fake_close(&fake);
	return 0;
}

static uint64_t number(const char *path)
{
	const char *content = small_read(&small, path);

	assert_non_null(content);
	return strtoull(content, NULL, 10);
}

/* A line of memory.stat; the test fails when there is none. */
static uint64_t stat_line(const char *cgroup, const char *name)
{
	char *path, *wanted;
	const char *content, *at;

	assert_true(asprintf(&path, "%s/memory.stat", cgroup) > 0);
	assert_true(asprintf(&wanted, "\n%s ", name) > 0);
	content = small_read(&small, path);
	assert_non_null(content);
	at = !strncmp(content, wanted + 1, strlen(wanted + 1)) ? content - 1 : strstr(content, wanted);
	assert_non_null(at);
	at += strlen(wanted);
	free(path);
	free(wanted);
	return strtoull(at, NULL, 10);
}

/* A line of the recorded meminfo in bytes, read by other means than the machine's parser. */
static uint64_t meminfo(const char *file, const char *name)
{
	char *text = fixture_read(file, NULL), *at, *wanted;
	uint64_t value;

	assert_true(asprintf(&wanted, "\n%s:", name) > 0);
	at = strstr(text, wanted);
	value = at ? strtoull(at + strlen(wanted), NULL, 10) * 1024 : 0;
	free(wanted);
	free(text);
	return value;
}

static void assert_usage_is_meminfo(const char *file)
{
	uint64_t usage = meminfo(file, "Cached") + meminfo(file, "Buffers") +
			 meminfo(file, "SwapCached") + meminfo(file, "AnonPages");

	assert_true(usage > 0);
	assert_int_equal(number("/memory/memory.usage_in_bytes"), usage);
	assert_int_equal(number("/memory/memory.max_usage_in_bytes"), usage);
	assert_int_equal(number("/memory/memory.memsw.usage_in_bytes"),
			 usage + meminfo(file, "SwapTotal") - meminfo(file, "SwapFree"));
}

/* What memory.stat says of cache and rss is what usage_in_bytes says; in - out is what is held. */
static void assert_stat_adds_up(void)
{
	uint64_t held = stat_line("/memory", "total_cache") + stat_line("/memory", "total_rss");

	assert_int_equal(held, number("/memory/memory.usage_in_bytes"));
	assert_int_equal(stat_line("/memory", "total_pgpgin") - stat_line("/memory", "total_pgpgout"),
			 held / number_page_size());
	assert_int_equal(stat_line("/memory", "cache"), stat_line("/memory", "total_cache"));
}

static void test_root_of_linux(void **state)
{
	(void)state;
	assert_usage_is_meminfo(FIXTURES "/linux/proc/meminfo");
	assert_stat_adds_up();
	assert_int_equal(stat_line("/memory", "total_inactive_file"),
			 meminfo(FIXTURES "/linux/proc/meminfo", "Inactive(file)"));
	assert_true(stat_line("/memory", "pgfault") > 0);
}

/* No vmstat: meminfo has it, and nothing is an error. */
static void test_root_of_gvisor(void **state)
{
	(void)state;
	assert_usage_is_meminfo(FIXTURES "/gvisor/proc/meminfo");
	assert_stat_adds_up();
	assert_int_equal(stat_line("/memory", "pgfault"), 0);
	assert_int_equal(number("/memory/memory.swappiness"), 60);
	assert_string_equal(small_read(&small, "/memory/memory.oom_control"),
			    "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
}

/* Every line's nodes add up to it, and total is the sum of the lists. */
static void test_numa_stat_adds_up(void **state)
{
	const char *at = small_read(&small, "/memory/memory.numa_stat");
	uint64_t value[4];

	(void)state;
	assert_non_null(at);
	for (unsigned half = 0; half < 2; half++) {
		for (unsigned i = 0; i < 4; i++) {
			char *end;
			uint64_t nodes = 0;

			value[i] = strtoull(strchr(at, '=') + 1, &end, 10);
			for (; *end == ' '; )
				nodes += strtoull(strchr(end, '=') + 1, &end, 10);
			assert_int_equal(nodes, value[i]);
			at = end + 1;
		}
		assert_true(value[0] > 0);
		assert_int_equal(value[0], value[1] + value[2] + value[3]);
	}
}

static void test_limits_of_memory_and_memsw(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/memory/a/memory.memsw.limit_in_bytes", "1G"), -EINVAL);
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "512M\n"), 0);
	assert_int_equal(small_write(&small, "/memory/a/memory.memsw.limit_in_bytes", "1G"), 0);
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "2G"), -EINVAL);
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "-1"), -EINVAL);
	assert_int_equal(small_write(&small, "/memory/a/memory.memsw.limit_in_bytes", "256M"), -EINVAL);
	assert_int_equal(small_write(&small, "/memory/a/b/memory.limit_in_bytes", "1M"), 0);
	assert_int_equal(stat_line("/memory/a/b", "hierarchical_memory_limit"), 1 << 20);
	assert_int_equal(stat_line("/memory/a/b", "hierarchical_memsw_limit"), 1 << 30);
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "4k"), 0);
	assert_int_equal(stat_line("/memory/a/b", "hierarchical_memory_limit"), 4096);
	assert_int_equal(small_write(&small, "/memory/memory.limit_in_bytes", "1G"), -EINVAL);
}

static void test_settings_are_inherited(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/memory/memory.swappiness", "33"), 0);
	assert_int_equal(small_write(&small, "/memory/a/memory.oom_control", "1"), 0);
	assert_int_equal(small_mkdir(&small, "/memory/c"), 0);
	assert_int_equal(small_mkdir(&small, "/memory/a/d"), 0);
	assert_int_equal(number("/memory/memory.swappiness"), 33);
	assert_int_equal(number("/memory/c/memory.swappiness"), 33);
	assert_int_equal(number("/memory/a/memory.swappiness"), 60);
	assert_int_equal(small_write(&small, "/memory/a/memory.swappiness", "201"), -EINVAL);
	assert_int_equal(number("/memory/a/memory.swappiness"), 60);
	assert_int_equal(small_write(&small, "/memory/a/memory.swappiness", "200"), 0);
	assert_int_equal(number("/memory/a/memory.swappiness"), 200);
	assert_string_equal(small_read(&small, "/memory/a/d/memory.oom_control"),
			    "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n");
	assert_string_equal(small_read(&small, "/memory/c/memory.oom_control"),
			    "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
}

/* A root's is the machine's until it is written: no read makes it what was read. */
static void test_swappiness_follows_the_machine(void **state)
{
	(void)state;
	fake_put(&fake, "proc/sys/vm/swappiness", "70\n");
	assert_int_equal(number("/memory/memory.swappiness"), 70);
	fake_put(&fake, "proc/sys/vm/swappiness", "80\n");
	assert_int_equal(small_mkdir(&small, "/memory/new"), 0);
	assert_int_equal(number("/memory/new/memory.swappiness"), 80);
	assert_int_equal(number("/memory/memory.swappiness"), 80);
	assert_int_equal(small_write(&small, "/memory/memory.swappiness", "10"), 0);
	fake_put(&fake, "proc/sys/vm/swappiness", "90\n");
	assert_int_equal(number("/memory/memory.swappiness"), 10);
	assert_int_equal(number("/memory/new/memory.swappiness"), 80);
}

/* Lets the figures that accounting has grow old. */
static void wait_a_moment(void)
{
	usleep(50000);
}

/*
 * What a process takes after it moved is its new cgroup's and those' above;
 * a limit is not set below what no reclaim could free, as there is no swap.
 */
static void test_usage_of_a_process(void **state)
{
	const uint64_t anon = 8 << 20, cache = (2 << 20) + (1 << 20);
	uint64_t usage;

	(void)state;
	assert_int_equal(small_write(&small, "/memory/a/b/cgroup.procs", "100"), 0);
	put_memory(8 << 10);
	wait_a_moment();
	assert_int_equal(stat_line("/memory/a/b", "rss"), anon);
	usage = number("/memory/a/b/memory.usage_in_bytes");
	assert_int_equal(usage, anon + stat_line("/memory/a/b", "cache") +
				       number("/memory/a/b/memory.kmem.usage_in_bytes"));
	assert_true(stat_line("/memory/a/b", "cache") <= cache);
	assert_int_equal(stat_line("/memory/a", "rss"), 0);
	assert_int_equal(stat_line("/memory/a", "total_rss"), anon);
	assert_int_equal(number("/memory/a/memory.usage_in_bytes"), usage);
	assert_int_equal(stat_line("/memory", "total_rss") - stat_line("/memory", "rss"), anon);
	assert_int_equal(stat_line("/memory/a/b", "pgpgin") - stat_line("/memory/a/b", "pgpgout"),
			 (anon + stat_line("/memory/a/b", "cache")) / number_page_size());

	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "7M"), -EBUSY);
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "20M"), 0);
	fake_put(&fake, "proc/meminfo", "MemTotal: 100000 kB\nSwapTotal: 50000 kB\nSwapFree: 50000 kB\n");
	assert_int_equal(small_write(&small, "/memory/a/memory.limit_in_bytes", "7M"), 0);
	assert_int_equal(small_write(&small, "/memory/a/memory.memsw.limit_in_bytes", "7M"), -EBUSY);
}

/* The highest stays when memory goes, until it is reset; counters never go back. */
static void test_peak_and_its_reset(void **state)
{
	uint64_t high, now, in, out;

	(void)state;
	assert_int_equal(small_write(&small, "/memory/a/cgroup.procs", "100"), 0);
	put_memory(8 << 10);
	wait_a_moment();
	high = number("/memory/a/memory.usage_in_bytes");
	in = stat_line("/memory/a", "pgpgin");
	out = stat_line("/memory/a", "pgpgout");
	put_memory(1 << 10);
	wait_a_moment();
	now = number("/memory/a/memory.usage_in_bytes");
	assert_int_equal(high - now, 7 << 20);
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), high - high % number_page_size());
	assert_true(stat_line("/memory/a", "pgpgin") >= in);
	assert_true(stat_line("/memory/a", "pgpgout") >= out + (7 << 20) / number_page_size());
	assert_int_equal(small_write(&small, "/memory/a/memory.max_usage_in_bytes", "0"), 0);
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), now);
}

static void put_status(unsigned high_kb, unsigned resident_kb)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "Name:\ta\nState:\tS (sleeping)\nTgid:\t100\nPid:\t100\nPPid:\t1\nUid:\t0\t0\t0\t0\n"
		 "NStgid:\t100\nNSpid:\t100\nVmSize:\t9000 kB\nVmHWM:\t%u kB\nVmRSS:\t%u kB\n"
		 "RssAnon:\t4 kB\nVmPTE:\t 44 kB\nThreads:\t1\n", high_kb, resident_kb);
	fake_put(&fake, "proc/100/status", text);
}

static void remove_file(const char *path)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/%s", fake.root, path);
	assert_int_equal(unlink(full), 0);
}

/* A kernel that does not tell the kinds of resident pages, as gVisor's, tells all and the shared ones. */
static void test_memory_by_statm(void **state)
{
	const uint64_t page = number_page_size();

	(void)state;
	fake_put(&fake, "proc/100/status",
		 "Name:\ta\nState:\tS (sleeping)\nTgid:\t100\nPid:\t100\nPPid:\t1\nUid:\t0\t0\t0\t0\n"
		 "NStgid:\t100\nNSpid:\t100\nVmSize:\t9000 kB\nVmRSS:\t4000 kB\nThreads:\t1\n");
	fake_put(&fake, "proc/100/statm", "3000 1000 300 5 0 50 0\n");
	remove_file("proc/100/smaps_rollup");
	assert_int_equal(small_write(&small, "/memory/a/b/cgroup.procs", "100"), 0);
	fake_put(&fake, "proc/100/statm", "3000 1100 330 5 0 50 0\n");
	put_memory(0);
	remove_file("proc/100/smaps_rollup");
	wait_a_moment();
	assert_int_equal(stat_line("/memory/a/b", "rss"), 70 * page);
	assert_int_equal(stat_line("/memory/a/b", "cache"), 30 * page);
}

/* An exec that is read half-way, with no stack yet, frees what the cgroup before holds, as any other. */
static void test_exec_half_way(void **state)
{
	(void)state;
	stack = 5000;
	put_memory(8 << 10);
	assert_int_equal(small_write(&small, "/memory/a/b/cgroup.procs", "100"), 0);
	for (unsigned next = 0; next <= 6000; next += 6000) {
		assert_int_equal(stat_line("/memory/a/b", "rss"), 0);
		stack = next;
		put_memory(next ? 8 << 10 : 0);
		wait_a_moment();
	}
	assert_int_equal(stat_line("/memory/a/b", "rss"), 8 << 20);
	stack = 0;
}

#define SMALL_KB ((10 << 10) - 3074) /* of anonymous memory: with the others' pages it has 10 MiB */

/*
 * A peak between two readings, of which the kernel tells; but not one of before it was a member or
 * of a reset.
 */
static void test_peak_that_nobody_read(void **state)
{
	uint64_t now;

	(void)state;
	put_status(60 << 10, 10 << 10);
	put_memory(SMALL_KB);
	assert_int_equal(small_write(&small, "/memory/a/b/cgroup.procs", "100"), 0);
	now = number("/memory/a/memory.usage_in_bytes");
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), now);
	put_status(80 << 10, 10 << 10);
	put_memory(SMALL_KB);
	wait_a_moment();
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), now + (70 << 20));
	assert_int_equal(number("/memory/a/b/memory.max_usage_in_bytes"), now + (70 << 20));
	assert_int_equal(number("/memory/a/memory.memsw.max_usage_in_bytes"), now + (70 << 20));
	assert_int_equal(number("/memory/a/memory.usage_in_bytes"), now);
	put_status(100 << 10, 100 << 10); /* and then it freed 90 MiB */
	put_memory(SMALL_KB);
	wait_a_moment();
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), now + (90 << 20));
	assert_int_equal(small_write(&small, "/memory/a/memory.max_usage_in_bytes", "0"), 0);
	put_memory(SMALL_KB);
	wait_a_moment();
	assert_int_equal(number("/memory/a/memory.max_usage_in_bytes"), now);
}

/* What a removed cgroup held is the root's own again. */
static void test_root_takes_back(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/memory/a/cgroup.procs", "100"), 0);
	put_memory(8 << 10);
	wait_a_moment();
	assert_int_equal(stat_line("/memory/a", "rss"), 8 << 20);
	assert_int_equal(stat_line("/memory", "rss"), (30000 - (8 << 10)) * 1024);
	assert_int_equal(small_write(&small, "/memory/cgroup.procs", "100"), 0);
	assert_int_equal(small_rmdir(&small, "/memory/a/b"), 0);
	assert_int_equal(small_rmdir(&small, "/memory/a"), 0);
	assert_int_equal(stat_line("/memory", "rss"), 30000 * 1024);
}

/* What it left in two cgroups of one parent, one after the other, is the parent's until it gives it back. */
static void test_parent_inherits_twice(void **state)
{
	(void)state;
	assert_int_equal(small_mkdir(&small, "/memory/c"), 0);
	for (unsigned anon = 8; anon <= 12; anon += 4) {
		assert_int_equal(small_write(&small, "/memory/a/b/cgroup.procs", "100"), 0);
		put_memory(anon << 10);
		wait_a_moment();
		assert_int_equal(stat_line("/memory/a", "total_rss"), anon << 20);
		assert_int_equal(small_write(&small, "/memory/c/cgroup.procs", "100"), 0);
		assert_int_equal(small_rmdir(&small, "/memory/a/b"), 0);
		assert_int_equal(stat_line("/memory/a", "rss"), 0);
		assert_int_equal(stat_line("/memory/a", "total_rss"), anon << 20);
		assert_int_equal(small_mkdir(&small, "/memory/a/b"), 0);
	}
	put_memory(10 << 10);
	wait_a_moment();
	assert_int_equal(stat_line("/memory/c", "rss"), 0); /* which reads its member */
	assert_int_equal(stat_line("/memory/a", "total_rss"), 10 << 20);
	put_memory(0);
	wait_a_moment();
	assert_int_equal(stat_line("/memory/c", "rss"), 0); /* which reads its member */
	assert_int_equal(stat_line("/memory/a", "total_rss"), 0);
}

/* mm/vmpressure.c: of what was scanned, the share that was not reclaimed, in percent. */
static void test_pressure_levels(void **state)
{
	(void)state;
	assert_int_equal(memory_pressure_level(512, 512), MEMORY_PRESSURE_LOW);
	assert_int_equal(memory_pressure_level(512, 600), MEMORY_PRESSURE_LOW);
	assert_int_equal(memory_pressure_level(512, 256), MEMORY_PRESSURE_LOW);
	assert_int_equal(memory_pressure_level(1000, 401), MEMORY_PRESSURE_LOW);
	assert_int_equal(memory_pressure_level(1000, 399), MEMORY_PRESSURE_MEDIUM);
	assert_int_equal(memory_pressure_level(1000, 60), MEMORY_PRESSURE_MEDIUM);
	assert_int_equal(memory_pressure_level(1000, 40), MEMORY_PRESSURE_CRITICAL);
	assert_int_equal(memory_pressure_level(512, 0), MEMORY_PRESSURE_CRITICAL);
}

static unsigned threads(void)
{
	struct machine_ids ids = {0};
	unsigned count;

	assert_int_equal(machine_tids(small.machine, getpid(), &ids), 0);
	count = ids.nr;
	machine_ids_free(&ids);
	return count;
}

static void *stay(void *argument)
{
	pause();
	return argument;
}

/* Who waits for events asks accounting, and so ends before it. */
static void test_threads_end_before_the_tree(void **state)
{
	struct memory_event *event = calloc(1, sizeof(*event));
	int fd = eventfd(0, EFD_NONBLOCK);
	struct request request = {0};
	pthread_t first;
	unsigned before;

	(void)state;
	/* a sanitizer's begins with the first */
	assert_int_equal(pthread_create(&first, NULL, stay, NULL), 0);
	small_tree_open(&small, "/", list);
	assert_int_equal(small_mkdir(&small, "/memory/a"), 0);
	assert_int_equal(small_find(&small, "/memory/a/memory.usage_in_bytes", 0, &request), 0);
	assert_int_equal(memory_eventfd_take(small.machine, getpid(), fd, &event->eventfd), 0);
	event->cgroup = request.cgroup;
	event->threshold = UINT64_MAX;
	before = threads();
	assert_int_equal(memory_watch_add(mem_cgroup_of(request.cgroup->parent)->watch, event), 0);
	assert_true(threads() > before);
	tree_stop(small.tree);
	for (unsigned i = 0; i < 10000 && threads() > before; i++)
		usleep(1000); /* it has ended, but for its task */
	assert_int_equal(threads(), before);
	pthread_cancel(first);
	pthread_join(first, NULL);
	cgroup_put(request.cgroup);
	close(fd);
	small_tree_close(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root_of_linux, open_linux, close_tree),
		cmocka_unit_test_setup_teardown(test_root_of_gvisor, open_gvisor, close_tree),
		cmocka_unit_test_setup_teardown(test_numa_stat_adds_up, open_linux, close_tree),
		cmocka_unit_test_setup_teardown(test_numa_stat_adds_up, open_gvisor, close_tree),
		cmocka_unit_test_setup_teardown(test_limits_of_memory_and_memsw, open_linux, close_tree),
		cmocka_unit_test_setup_teardown(test_settings_are_inherited, open_linux, close_tree),
		cmocka_unit_test_setup_teardown(test_swappiness_follows_the_machine, open_process,
						close_process),
		cmocka_unit_test_setup_teardown(test_usage_of_a_process, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_peak_and_its_reset, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_memory_by_statm, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_exec_half_way, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_peak_that_nobody_read, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_root_takes_back, open_process, close_process),
		cmocka_unit_test_setup_teardown(test_parent_inherits_twice, open_process, close_process),
		cmocka_unit_test(test_pressure_levels),
		cmocka_unit_test(test_threads_end_before_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
