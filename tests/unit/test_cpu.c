/* SPDX-License-Identifier: MIT */
/* cpu: what the kernel's rules make of sequences of writes. The answers are Linux 6.18's. */
#include "fake_machine.h"
#include "fixture.h"
#include "small_tree.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static const struct controller *const cpu_only[] = {&cpu_controller, NULL};

static struct fake_machine fake;
static struct small_tree small;

static int setup(void **state)
{
	(void)state;
	fake_open(&fake);
	fake_put(&fake, "proc/sys/kernel/sched_rt_period_us", "1000000\n");
	fake_put(&fake, "proc/sys/kernel/sched_rt_runtime_us", "950000\n");
	small_tree_open(&small, fake.root, cpu_only);
	assert_int_equal(small_mkdir(&small, "/cpu/t"), 0);
	assert_int_equal(small_mkdir(&small, "/cpu/t/a"), 0);
	assert_int_equal(small_mkdir(&small, "/cpu/t/a/b"), 0);
	assert_int_equal(small_mkdir(&small, "/cpu/t/c"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	small_tree_close(&small);
	fake_close(&fake);
	return 0;
}

static int put(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/cpu/%s/cpu.%s", cgroup, file);
	return small_write(&small, path, text);
}

static void shows(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/cpu/%s/cpu.%s", cgroup, file);
	assert_string_equal(small_read(&small, path), text);
}

static void shares_are_clamped(void **state)
{
	(void)state;
	assert_int_equal(put("t", "shares", "0"), 0);
	shows("t", "shares", "2\n");
	assert_int_equal(put("t", "shares", "18446744073709551615"), 0);
	shows("t", "shares", "262144\n");
	assert_int_equal(put("", "shares", "1024"), -EINVAL);
	shows("", "shares", "1024\n");
}

static void idle_owns_the_shares(void **state)
{
	(void)state;
	assert_int_equal(put("t", "shares", "5000"), 0);
	assert_int_equal(put("t", "idle", "0"), 0); /* no change, and the shares stay */
	shows("t", "shares", "5000\n");
	assert_int_equal(put("t", "idle", "1"), 0);
	shows("t", "shares", "3\n");
	assert_int_equal(put("t", "shares", "2000"), -EINVAL);
	assert_int_equal(put("t", "idle", "0"), 0);
	shows("t", "shares", "1024\n");
	assert_int_equal(put("t", "idle", "2"), -EINVAL);
	assert_int_equal(put("", "idle", "0"), -EINVAL);
}

static void a_child_has_no_more_quota_than_its_parent(void **state)
{
	(void)state;
	assert_int_equal(put("t", "cfs_quota_us", "50000"), 0);
	assert_int_equal(put("t/a", "cfs_quota_us", "50001"), -EINVAL);
	shows("t/a", "cfs_quota_us", "-1\n");
	assert_int_equal(put("t/a", "cfs_quota_us", "50000"), 0);
	assert_int_equal(put("t/a/b", "cfs_quota_us", "20000"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "49999"), -EINVAL);
	/* Without one of its own, a is as its parent: b must fit in t. */
	assert_int_equal(put("t/a", "cfs_quota_us", "-1"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "20000"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "19999"), -EINVAL);
	shows("t", "cfs_quota_us", "20000\n");
	assert_int_equal(put("t/a/b", "cfs_quota_us", "20001"), -EINVAL);
	/* Siblings may have as much each. */
	assert_int_equal(put("t/c", "cfs_quota_us", "20000"), 0);
}

static void quotas_compare_as_ratios(void **state)
{
	(void)state;
	assert_int_equal(put("t/a", "cfs_period_us", "1000000"), 0);
	assert_int_equal(put("t/a", "cfs_quota_us", "200000"), 0);
	assert_int_equal(put("t/a/b", "cfs_quota_us", "20000"), 0);
	assert_int_equal(put("t/a/b", "cfs_period_us", "99999"), -EINVAL);
	shows("t/a/b", "cfs_period_us", "100000\n");
	assert_int_equal(put("t/a", "cfs_quota_us", "199999"), -EINVAL);
	assert_int_equal(put("t/a", "cfs_period_us", "1000001"), -EINVAL);
	assert_int_equal(put("t/a", "cfs_period_us", "999"), -EINVAL);
}

static void burst_is_within_the_quota(void **state)
{
	(void)state;
	assert_int_equal(put("t", "cfs_burst_us", "18446744073709551"), 0);
	assert_int_equal(put("t", "cfs_burst_us", "18446744073709552"), -EINVAL);
	assert_int_equal(put("t", "cfs_quota_us", "100000"), -EINVAL);
	assert_int_equal(put("t", "cfs_burst_us", "8796093022208"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "8796093022208"), -EINVAL); /* 2^44 together */
	assert_int_equal(put("t", "cfs_burst_us", "8796093022207"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "8796093022208"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "8796093022206"), -EINVAL);
	assert_int_equal(put("t", "cfs_burst_us", "0"), 0);
	assert_int_equal(put("t", "cfs_quota_us", "999"), -EINVAL);
}

static void children_share_the_realtime_runtime(void **state)
{
	(void)state;
	assert_int_equal(put("t/a", "rt_runtime_us", "1000"), -EINVAL);
	assert_int_equal(put("t", "rt_runtime_us", "100000"), 0);
	assert_int_equal(put("t/a", "rt_runtime_us", "50000"), 0);
	assert_int_equal(put("t/c", "rt_runtime_us", "50002"), -EINVAL);
	assert_int_equal(put("t/c", "rt_runtime_us", "50000"), 0);
	assert_int_equal(put("t", "rt_runtime_us", "99998"), -EINVAL);
	assert_int_equal(put("t/a", "rt_period_us", "900000"), -EINVAL);
	assert_int_equal(put("t/a", "rt_period_us", "0"), -EINVAL);
	assert_int_equal(put("t", "rt_runtime_us", "0"), -EINVAL);
	shows("t", "rt_runtime_us", "100000\n");
	/* More runtime than period, and more than all together. */
	assert_int_equal(put("t", "rt_runtime_us", "1000001"), -EINVAL);
	assert_int_equal(put("t", "rt_runtime_us", "950001"), -EINVAL);
	assert_int_equal(put("t", "rt_runtime_us", "-1"), -EINVAL);
	assert_int_equal(put("", "rt_runtime_us", "0"), -EINVAL);
	shows("", "rt_runtime_us", "950000\n");
}

static void the_global_limit_is_the_machines(void **state)
{
	(void)state;
	assert_int_equal(put("t", "rt_runtime_us", "600000"), 0);
	fake_put(&fake, "proc/sys/kernel/sched_rt_period_us", "500000\n");
	fake_put(&fake, "proc/sys/kernel/sched_rt_runtime_us", "250000\n");
	/* The root has 0.95 still: nothing passes until it is lowered. */
	assert_int_equal(put("t", "rt_runtime_us", "100000"), -EINVAL);
	fake_put(&fake, "proc/sys/kernel/sched_rt_runtime_us", "475000\n");
	assert_int_equal(put("t", "rt_runtime_us", "100000"), 0);
	/* A new cgroup starts with the machine's period. */
	assert_int_equal(small_mkdir(&small, "/cpu/new"), 0);
	shows("new", "rt_period_us", "500000\n");
	shows("new", "rt_runtime_us", "0\n");
}

/* A child that sleeps, with SCHED_FIFO; 0 where this is not permitted. */
/* Another program: a fork of this one may bring threads of a sanitizer along. 0: not permitted. */
static pid_t start_realtime(void)
{
	char *arguments[] = {"sleep", "60", NULL};
	const struct sched_param first = {.sched_priority = 1};
	pid_t pid;

	if (posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ))
		return 0;
	if (!sched_setscheduler(pid, SCHED_FIFO, &first))
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

static void realtime_tasks_need_runtime(void **state)
{
	struct small_tree here;
	char number[16];
	pid_t pid = start_realtime();

	(void)state;
	if (!pid) {
		print_message("skipped: SCHED_FIFO needs root or RLIMIT_RTPRIO\n");
		skip();
	}
	snprintf(number, sizeof(number), "%d", pid);
	small_tree_open(&here, "/", cpu_only);
	assert_int_equal(small_mkdir(&here, "/cpu/t"), 0);
	assert_int_equal(small_write(&here, "/cpu/t/cgroup.procs", number), -EINVAL);
	assert_int_equal(small_write(&here, "/cpu/t/cpu.rt_runtime_us", "1000"), 0);
	assert_int_equal(small_write(&here, "/cpu/t/cgroup.procs", number), 0);
	assert_int_equal(small_write(&here, "/cpu/t/cpu.rt_runtime_us", "0"), -EBUSY);
	assert_int_equal(sched_setscheduler(pid, SCHED_OTHER, &(struct sched_param){0}), 0);
	assert_int_equal(small_write(&here, "/cpu/t/cpu.rt_runtime_us", "0"), 0);
	assert_int_equal(small_write(&here, "/cpu/cgroup.procs", number), 0);
	assert_int_equal(small_rmdir(&here, "/cpu/t"), 0);
	small_tree_close(&here);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shares_are_clamped),
		TEST(idle_owns_the_shares),
		TEST(a_child_has_no_more_quota_than_its_parent),
		TEST(quotas_compare_as_ratios),
		TEST(burst_is_within_the_quota),
		TEST(children_share_the_realtime_runtime),
		TEST(the_global_limit_is_the_machines),
		cmocka_unit_test(realtime_tasks_need_runtime),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
