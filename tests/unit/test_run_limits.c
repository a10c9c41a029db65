/* SPDX-License-Identifier: MIT */
/* Limits on the launcher's command line: the last that is taken, the first that is not, what is written. */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "limit_options.h"
#include "limit_settings.h"
#include "options.h"

#define NONE {.memory_swappiness = -1}
#define FORTY "/345678901234567890123456789012345678901"

/* --- one option: docker's ranges (verifyPlatformContainerResources() of moby/daemon/daemon_unix.go) --- */

static const struct {
	int key;
	const char *taken[6], *refused[6];
} ranges[] = {
	{LIMIT_MEMORY_SWAP, {"-1", "0", "1"}, {"-2", "", "-1k"}},
	{LIMIT_MEMORY_RESERVATION, {"0", "6m"}, {"-1", ""}},
	{LIMIT_MEMORY_SWAPPINESS, {"-1", "0", "100"}, {"-2", "101", "", "1k"}},
	{LIMIT_CPU_PERIOD, {"0", "1000", "1000000"}, {"-1", "1", "999", "1000001", ""}},
	{LIMIT_CPU_QUOTA, {"-2", "-1", "0", "1000"}, {"1", "999", "", "5ms"}},
	{LIMIT_CPUS, {"0", "0.01", "1000000", "0.123456789"}, {"0.009", "1000001", "0.1234567891", ""}},
	{'c', {"0", "2", "262145", "=2"}, {"-1", "1", "==2", ""}},
	{'m', {"0", "1", "=1"}, {"-1", "==1", ""}},
	{LIMIT_BLKIO_WEIGHT, {"0", "10", "1000"}, {"-1", "1", "9", "1001", ""}},
	{LIMIT_PIDS, {"-1", "0", "1"}, {"-2", "", "=1"}},
	{LIMIT_CPUSET_CPUS, {"0"}, {""}},
	{LIMIT_CPUSET_MEMS, {"0"}, {""}},
	{LIMIT_PARENT,
	 {"/", "a", "/a//b/", "...", "a..", FORTY},
	 {"", "..", ".", "a/..", "a/./b", FORTY "x"}},
};

static void test_ranges(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (unsigned j = 0; j < 6; j++) {
			const char *taken = ranges[i].taken[j], *refused = ranges[i].refused[j];
			struct limits limits = NONE;

			if (taken && limit_option_take(&limits, ranges[i].key, taken))
				fail_msg("row %u: %s was refused", i, taken);
			if (refused && limit_option_take(&limits, ranges[i].key, refused) != -EINVAL)
				fail_msg("row %u: %s was taken", i, refused);
		}
	}
	assert_int_equal(limit_option_take(&(struct limits)NONE, 'x', "1"), -ENOENT);
}

/* --- which go together --- */

#define LEAST (6 << 20)

static void test_together(void **state)
{
	const int64_t online = sysconf(_SC_NPROCESSORS_ONLN) * CPU_PERIOD;
	const struct {
		struct limits limits;
		const char *problem; /* how it begins; NULL: there is none */
	} rows[] = {
		{{.memory = LEAST}, NULL},
		{{.memory = LEAST - 1}, "--memory cannot be less"},
		{{.memory_swap = LEAST}, "--memory-swap needs"},
		{{.memory_swap = -1}, NULL},
		{{.memory = LEAST, .memory_swap = LEAST}, NULL},
		{{.memory = LEAST, .memory_swap = LEAST - 1}, "--memory-swap is"},
		{{.memory = LEAST, .memory_swap = -1}, NULL},
		{{.memory_reservation = LEAST}, NULL},
		{{.memory_reservation = LEAST - 1}, "--memory-reservation cannot be less"},
		{{.memory = LEAST, .memory_reservation = LEAST}, NULL},
		{{.memory = LEAST, .memory_reservation = LEAST + 1}, "--memory-reservation cannot be more"},
		{{.cpus = online}, NULL},
		{{.cpus = online + 1}, "--cpus cannot be more"},
		{{.cpus = 1000, .cpu_quota = 1000}, "--cpus is a quota"},
		{{.cpus = 1000, .cpu_period = 1000}, "--cpus is a quota"},
		{{.cpu_quota = online + 1, .cpu_period = 1000}, NULL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *problem = limit_options_check(&rows[i].limits), *wanted = rows[i].problem;

		if (!problem != !wanted || (wanted && strncmp(problem, wanted, strlen(wanted)) != 0))
			fail_msg("row %u: %s", i, problem ? problem : "nothing is wrong");
	}
}

/* Each by itself is a reason to make a cgroup. */
static void test_given(void **state)
{
	const struct limits each[] = {
		{.memory_swappiness = -1, .memory = 1},
		{.memory_swappiness = -1, .memory_swap = -1},
		{.memory_swappiness = -1, .memory_reservation = 1},
		{.memory_swappiness = 0},
		{.memory_swappiness = -1, .cpus = 1},
		{.memory_swappiness = -1, .cpu_quota = -1},
		{.memory_swappiness = -1, .cpu_period = 1},
		{.memory_swappiness = -1, .cpu_shares = 1},
		{.memory_swappiness = -1, .pids = -1},
		{.memory_swappiness = -1, .blkio_weight = 1},
		{.memory_swappiness = -1, .cpuset_cpus = "0"},
		{.memory_swappiness = -1, .cpuset_mems = "0"},
		{.memory_swappiness = -1, .parent = "a"},
	};

	(void)state;
	assert_false(limits_given(&(struct limits)NONE));
	for (unsigned i = 0; i < sizeof(each) / sizeof(*each); i++) {
		if (!limits_given(&each[i]))
			fail_msg("row %u is taken for none", i);
	}
}

/* --- what is written --- */

/* "hierarchy/file=value " of each. */
static void assert_written(const struct limit_setting *setting, const struct limits *limits,
			   const char *wanted)
{
	char all[1024] = "", value[64];

	for (; setting->hierarchy; setting++) {
		if (!setting->print(limits, value, sizeof(value)))
			continue;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s/%s=%s ", setting->hierarchy,
			 setting->file, value);
	}
	assert_string_equal(all, wanted);
}

static void test_written(void **state)
{
	static const struct limits all = {
		.memory = 100, .memory_swap = 150, .memory_reservation = 50, .memory_swappiness = 7,
		.cpu_quota = 2000, .cpu_period = 5000, .cpu_shares = 1024, .blkio_weight = 20, .pids = 9,
		.cpuset_cpus = "0-1", .cpuset_mems = "0"};
	static const struct limits other = {
		.memory = 100, .memory_swappiness = -1, .cpus = 3000, .pids = -1};
	static const struct limits open = {
		.memory = 100, .memory_swap = -1, .memory_swappiness = -1, .cpu_quota = -1};
	static const struct limits vast = {.memory = INT64_MAX / 2 + 1, .memory_swappiness = 0};
	static const struct limits half = {.memory = INT64_MAX / 2, .memory_swappiness = -1};

	(void)state;
	assert_written(limit_settings_v1, &all,
		       "memory/memory.limit_in_bytes=100 memory/memory.memsw.limit_in_bytes=150 "
		       "memory/memory.soft_limit_in_bytes=50 memory/memory.swappiness=7 "
		       "cpu/cpu.cfs_period_us=5000 cpu/cpu.cfs_quota_us=2000 cpu/cpu.shares=1024 "
		       "cpuset/cpuset.cpus=0-1 cpuset/cpuset.mems=0 blkio/blkio.bfq.weight=20 "
		       "pids/pids.max=9 ");
	assert_written(limit_settings_v2, &all,
		       "./memory.max=100 ./memory.swap.max=50 ./memory.low=50 ./cpu.max=2000 5000 "
		       "./cpu.weight=100 ./cpuset.cpus=0-1 ./cpuset.mems=0 ./io.bfq.weight=20 ./pids.max=9 ");
	assert_written(limit_settings_v1, &other,
		       "memory/memory.limit_in_bytes=100 memory/memory.memsw.limit_in_bytes=200 "
		       "cpu/cpu.cfs_quota_us=3000 ");
	assert_written(limit_settings_v2, &other,
		       "./memory.max=100 ./memory.swap.max=100 ./cpu.max=3000 100000 ");
	assert_written(limit_settings_v1, &open,
		       "memory/memory.limit_in_bytes=100 memory/memory.memsw.limit_in_bytes=-1 "
		       "cpu/cpu.cfs_quota_us=-1 ");
	assert_written(limit_settings_v2, &open,
		       "./memory.max=100 ./memory.swap.max=max ./cpu.max=max 100000 ");
	assert_written(limit_settings_v1, &vast,
		       "memory/memory.limit_in_bytes=4611686018427387904 "
		       "memory/memory.memsw.limit_in_bytes=-1 memory/memory.swappiness=0 ");
	assert_written(limit_settings_v1, &half,
		       "memory/memory.limit_in_bytes=4611686018427387903 "
		       "memory/memory.memsw.limit_in_bytes=9223372036854775806 ");
}

/* What opencontainers/cgroups' own test has of ConvertCPUSharesToCgroupV2Value(). */
static void test_weights(void **state)
{
	static const struct {
		int64_t shares;
		const char *wanted;
	} rows[] = {
		{2, "./cpu.weight=1 "}, {3, "./cpu.weight=2 "}, {1024, "./cpu.weight=100 "},
		{262143, "./cpu.weight=10000 "}, {262144, "./cpu.weight=10000 "},
		{262145, "./cpu.weight=10000 "},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_written(limit_settings_v2,
			       &(struct limits){.memory_swappiness = -1, .cpu_shares = rows[i].shares},
			       rows[i].wanted);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
