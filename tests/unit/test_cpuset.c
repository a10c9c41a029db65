/* SPDX-License-Identifier: MIT */
/* cpuset: validate_change, cloning, CPUs that come and go. The answers are Linux 6.18's. */
#include "../../src/controllers/cpuset_state.h"
#include "fake_machine.h"
#include "fixture.h"
#include "small_tree.h"

static const struct controller *const cpuset_only[] = {&cpuset_controller, NULL};

static struct fake_machine fake;
static struct small_tree small;

static int put(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/cpuset/%s/cpuset.%s", cgroup, file);
	return small_write(&small, path, text);
}

static void shows(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/cpuset/%s/cpuset.%s", cgroup, file);
	assert_string_equal(small_read(&small, path), text);
}

static void make(const char *cgroup)
{
	char path[128];

	snprintf(path, sizeof(path), "/cpuset/%s", cgroup);
	assert_int_equal(small_mkdir(&small, path), 0);
}

/* Four CPUs that share a cache in twos, two nodes, and t with all of them. */
static int setup(void **state)
{
	(void)state;
	fake_open(&fake);
	fake_put(&fake, "proc/sys/kernel/sched_rt_period_us", "1000000\n");
	fake_put(&fake, "proc/sys/kernel/sched_rt_runtime_us", "950000\n");
	fake_put(&fake, "proc/self/status", "Mems_allowed:\t00000000,00000003\n");
	fake_put(&fake, "sys/devices/system/cpu/possible", "0-3\n");
	fake_put(&fake, "sys/devices/system/cpu/online", "0-3\n");
	fake_put(&fake, "sys/devices/system/cpu/kernel_max", "255\n");
	fake_put(&fake, "sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n");
	fake_put(&fake, "sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list", "0-1\n");
	fake_put(&fake, "sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-3\n");
	fake_put(&fake, "sys/devices/system/node/has_memory", "0-1\n");
	small_tree_open(&small, fake.root, cpuset_only);
	make("t");
	assert_int_equal(put("t", "cpus", "0-3"), 0);
	assert_int_equal(put("t", "mems", "0-1"), 0);
	make("t/a");
	make("t/b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	small_tree_close(&small);
	fake_close(&fake);
	return 0;
}

static void a_root_has_what_is_online(void **state)
{
	(void)state;
	shows("", "cpus", "0-3\n");
	shows("", "effective_mems", "0-1\n");
	shows("", "cpu_exclusive", "1\n");
	shows("", "mem_exclusive", "1\n");
	assert_int_equal(put("", "cpus", "0"), -EACCES);
	assert_int_equal(put("", "cpus", "nonsense"), -EACCES);
	assert_int_equal(put("", "cpu_exclusive", "1"), 0);
}

static void a_new_cpuset_has_nothing(void **state)
{
	(void)state;
	shows("t/a", "cpus", "\n");
	shows("t/a", "mems", "\n");
	shows("t/a", "sched_load_balance", "1\n");
	shows("t/a", "sched_relax_domain_level", "-1\n");
}

static void children_are_subsets(void **state)
{
	(void)state;
	make("t/a/x");
	assert_int_equal(put("t/a/x", "cpus", "0"), -EACCES);
	assert_int_equal(put("t/a", "cpus", "0-1"), 0);
	assert_int_equal(put("t/a/x", "cpus", "1"), 0);
	assert_int_equal(put("t/a", "cpus", "0"), -EBUSY);
	assert_int_equal(put("t/a", "cpus", "\n"), -EBUSY);
	assert_int_equal(put("t/a", "cpus", "1-3"), 0);
	assert_int_equal(put("t/a", "mems", "1"), 0);
	assert_int_equal(put("t/a/x", "mems", "0"), -EACCES);
	shows("t/a", "effective_cpus", "1-3\n");
}

static void lists_name_what_there_is(void **state)
{
	char long_text[2000];

	(void)state;
	assert_int_equal(put("t/a", "cpus", "4"), -ERANGE);
	assert_int_equal(put("t/a", "mems", "5"), -EINVAL);
	assert_int_equal(put("t/a", "mems", "64"), -ERANGE);
	assert_int_equal(put("t/a", "cpus", "1-0"), -EINVAL);
	assert_int_equal(put("t/a", "cpus", " 0-3:1/2 "), 0);
	shows("t/a", "cpus", "0,2\n");
	/* 100 + 6 * NR_CPUS bytes at most, blanks and all. */
	memset(long_text, ' ', sizeof(long_text));
	long_text[0] = '1';
	long_text[1636] = '\0';
	assert_int_equal(put("t/a", "cpus", long_text), 0);
	long_text[1636] = ' ';
	long_text[1637] = '\0';
	assert_int_equal(put("t/a", "cpus", long_text), -E2BIG);
}

static void exclusive_needs_an_exclusive_parent(void **state)
{
	(void)state;
	assert_int_equal(put("t/a", "cpu_exclusive", "1"), -EACCES);
	assert_int_equal(put("t", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t/a", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t", "cpu_exclusive", "0"), -EBUSY);
	assert_int_equal(put("t/a", "mem_exclusive", "1"), -EACCES);
	/* An int in the kernel: the upper half is lost. */
	assert_int_equal(put("t/a", "cpu_exclusive", "4294967296"), 0);
	shows("t/a", "cpu_exclusive", "0\n");
}

static void exclusive_siblings_do_not_overlap(void **state)
{
	(void)state;
	assert_int_equal(put("t", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t", "mem_exclusive", "1"), 0);
	assert_int_equal(put("t/a", "cpus", "0-1"), 0);
	assert_int_equal(put("t/b", "cpus", "1"), 0);
	assert_int_equal(put("t/a", "cpu_exclusive", "1"), -EINVAL);
	assert_int_equal(put("t/b", "cpus", "2"), 0);
	assert_int_equal(put("t/a", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t/b", "cpus", "1-2"), -EINVAL);
	assert_int_equal(put("t/a", "cpus", "0-2"), -EINVAL);
	assert_int_equal(put("t/a", "mems", "0"), 0);
	assert_int_equal(put("t/b", "mems", "0"), 0); /* exclusive CPUs say nothing of nodes */
	assert_int_equal(put("t/a", "mem_exclusive", "1"), -EINVAL);
	assert_int_equal(put("t/b", "mems", "1"), 0);
	assert_int_equal(put("t/a", "mem_exclusive", "1"), 0);
}

/* Each CPU's fair server has 5 %, and a domain's CPUs must hold those of all in it. */
static void deadline_bandwidth_keeps_exclusive_cpusets(void **state)
{
	(void)state;
	assert_int_equal(put("t", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t/a", "cpus", "0-1"), 0);
	assert_int_equal(put("t/a", "cpu_exclusive", "1"), 0);
	assert_int_equal(put("t/a", "cpus", "\n"), -EBUSY);
	assert_int_equal(put("t/a", "cpus", "0"), 0);
	assert_int_equal(put("t/a", "sched_load_balance", "0"), 0);
	assert_int_equal(put("t/a", "cpus", "\n"), 0);
	assert_int_equal(put("t/a", "cpus", "0"), 0);
	assert_int_equal(put("t/a", "sched_load_balance", "1"), 0);
	fake_put(&fake, "proc/sys/kernel/sched_rt_runtime_us", "-1\n"); /* no admission control */
	assert_int_equal(put("t/a", "cpus", "\n"), 0);
}

static int validate(const char *path, const struct cpuset *trial, bool populated)
{
	struct node node;
	int error;

	tree_read_lock(small.tree);
	assert_int_equal(tree_lookup(small.tree, path, &node), 0);
	error = cpuset_validate_change(node.cgroup, trial, populated);
	tree_unlock(small.tree);
	return error;
}

static void populated_cpusets_do_not_become_empty(void **state)
{
	struct bitmap *none = bitmap_new(64), *some = bitmap_new(64);
	struct cpuset trial = {.cpus = none, .mems = some, .flags = CS_SCHED_LOAD_BALANCE};

	(void)state;
	bitmap_set(some, 0);
	assert_int_equal(validate("/cpuset/t/a", &trial, true), 0); /* it has none to lose */
	assert_int_equal(put("t/a", "cpus", "0"), 0);
	assert_int_equal(put("t/a", "mems", "0"), 0);
	assert_int_equal(validate("/cpuset/t/a", &trial, true), -ENOSPC);
	assert_int_equal(validate("/cpuset/t/a", &trial, false), 0);
	trial.cpus = some;
	trial.mems = none;
	assert_int_equal(validate("/cpuset/t/a", &trial, true), -ENOSPC);
	/* The parent's rule comes before it, the siblings' after. */
	trial.flags |= CS_CPU_EXCLUSIVE;
	assert_int_equal(validate("/cpuset/t/a", &trial, true), -EACCES);
	bitmap_free(none);
	bitmap_free(some);
}

static void clones_are_as_their_parent(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/cpuset/t/cgroup.clone_children", "1"), 0);
	assert_int_equal(put("t", "memory_spread_page", "1"), 0);
	assert_int_equal(put("t", "mem_hardwall", "1"), 0);
	make("t/clone");
	shows("t/clone", "cpus", "0-3\n");
	shows("t/clone", "effective_mems", "0-1\n");
	shows("t/clone", "memory_spread_page", "1\n");
	shows("t/clone", "mem_hardwall", "0\n");
	assert_int_equal(put("t", "mem_exclusive", "1"), 0);
	assert_int_equal(put("t/a", "mem_exclusive", "1"), 0);
	make("t/refused"); /* beside an exclusive one */
	shows("t/refused", "cpus", "\n");
	shows("t/refused", "memory_spread_page", "1\n");
}

static void what_goes_offline_is_gone(void **state)
{
	(void)state;
	assert_int_equal(put("t/a", "cpus", "2-3"), 0);
	fake_put(&fake, "sys/devices/system/cpu/online", "0-2\n");
	shows("", "cpus", "0-2\n");
	shows("t/a", "cpus", "2\n");
	assert_int_equal(put("t/b", "cpus", "3"), -EINVAL);
	fake_put(&fake, "sys/devices/system/cpu/online", "0-3\n");
	shows("t", "effective_cpus", "0-2\n"); /* does not come back by itself */
	shows("", "effective_cpus", "0-3\n");
	assert_int_equal(put("t", "cpus", "0-3"), 0);
	fake_put(&fake, "sys/devices/system/node/has_memory", "0\n");
	shows("t", "mems", "0\n");
}

static void relax_level_is_bounded_by_the_topology(void **state)
{
	(void)state;
	/* Levels: the last cache 0, the package 1, which has all. */
	assert_int_equal(put("t", "sched_relax_domain_level", "2"), 0);
	assert_int_equal(put("t", "sched_relax_domain_level", "3"), -EINVAL);
	assert_int_equal(put("t", "sched_relax_domain_level", "-2"), -EINVAL);
	shows("t", "sched_relax_domain_level", "2\n");
}

static void tasks_need_cpus_and_nodes(void **state)
{
	struct small_tree here;
	char number[16];

	(void)state;
	snprintf(number, sizeof(number), "%d", getpid());
	small_tree_open(&here, "/", cpuset_only);
	assert_int_equal(small_mkdir(&here, "/cpuset/t"), 0);
	assert_int_equal(small_write(&here, "/cpuset/t/cgroup.procs", number), -ENOSPC);
	assert_int_equal(small_write(&here, "/cpuset/t/cpuset.cpus", "0"), 0);
	assert_int_equal(small_write(&here, "/cpuset/t/tasks", number), -ENOSPC);
	assert_int_equal(small_write(&here, "/cpuset/t/cpuset.mems", "0"), 0);
	assert_int_equal(small_write(&here, "/cpuset/t/cgroup.procs", number), 0);
	assert_int_equal(small_write(&here, "/cpuset/t/cpuset.cpus", "\n"), -ENOSPC);
	assert_int_equal(small_write(&here, "/cpuset/cgroup.procs", number), 0);
	assert_int_equal(small_write(&here, "/cpuset/t/cpuset.cpus", "\n"), 0);
	small_tree_close(&here);
}

/* cpuset_write_u64(): a flag of the root alone, which nothing is counted by here. */
static void pressure_is_switched_by_the_root(void **state)
{
	static const struct {
		const char *input, *shown;
		int error;
	} rows[] = {{"1", "1\n", 0}, {"x", "1\n", -EINVAL}, {"0", "0\n", 0}, {"7", "1\n", 0}};

	(void)state;
	shows("", "memory_pressure_enabled", "0\n");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(put("", "memory_pressure_enabled", rows[i].input), rows[i].error);
		shows("", "memory_pressure_enabled", rows[i].shown);
	}
	assert_int_equal(put("t", "memory_pressure_enabled", "1"), -ENOENT);
	shows("t", "memory_pressure", "0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_root_has_what_is_online),
		TEST(a_new_cpuset_has_nothing),
		TEST(children_are_subsets),
		TEST(lists_name_what_there_is),
		TEST(exclusive_needs_an_exclusive_parent),
		TEST(exclusive_siblings_do_not_overlap),
		TEST(deadline_bandwidth_keeps_exclusive_cpusets),
		TEST(populated_cpusets_do_not_become_empty),
		TEST(clones_are_as_their_parent),
		TEST(what_goes_offline_is_gone),
		TEST(relax_level_is_bounded_by_the_topology),
		TEST(pressure_is_switched_by_the_root),
		cmocka_unit_test(tasks_need_cpus_and_nodes),
	};

	return cmocka_run_group_tests_name("cpuset", tests, NULL, NULL);
}
