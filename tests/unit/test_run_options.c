/* SPDX-License-Identifier: MIT */
/* The launcher's command line: docker's grammar of limits, and what is refused. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

/* --- sizes, as units.RAMInBytes of docker/go-units 0.5 --- */

static void assert_size(const char *text, int64_t expected)
{
	int64_t bytes = -7;

	if (limits_parse_size(text, &bytes))
		fail_msg("%s was refused", text);
	assert_int_equal(bytes, expected);
}

static void assert_no_size(const char *text)
{
	int64_t bytes;

	if (limits_parse_size(text, &bytes) != -EINVAL)
		fail_msg("%s was taken", text);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("1", 1);
	assert_size("32", 32);
	assert_size("32b", 32);
	assert_size("32B", 32);
	assert_size("32k", 32 << 10);
	assert_size("32K", 32 << 10);
	assert_size("32kb", 32 << 10);
	assert_size("32Kb", 32 << 10);
	assert_size("32Kib", 32 << 10);
	assert_size("32KIB", 32 << 10);
	assert_size("32Mb", 32 << 20);
	assert_size("32Gb", 32LL << 30);
	assert_size("32Tb", 32LL << 40);
	assert_size("32Pb", 32LL << 50);
	assert_size("32.5kB", 33280);
	assert_size("32.5 kB", 33280);
	assert_size("32 ", 32);
	assert_size("0.5k", 512);
	assert_size(".5k", 512);
	assert_size("5.k", 5 << 10);
	assert_size("1.9", 1);
	assert_size("8191p", 8191LL << 50);
}

static void test_no_sizes(void **state)
{
	static const char *const wrong[] = {
		"", "hello", "-32", "-1", ".", "..", "1..2", " 32", "32  kb", "32 mb ", "32m b", "32bm",
		"32kk", "32mi", "32ki b", "32bb", "32bib", "32ib", "32i", "32kibi", "1,5m", "0x10", "1e3",
		"inf", "nan", "32e", "32Eb", "8192p", "99999999999999999999",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_no_size(wrong[i]);
}

/* --- CPUs, as opts.ParseCPUs of docker's --- */

static void assert_cpus(const char *text, int64_t expected)
{
	int64_t quota = -7;

	if (limits_parse_cpus(text, &quota))
		fail_msg("%s was refused", text);
	assert_int_equal(quota, expected);
}

static void test_cpus(void **state)
{
	(void)state;
	assert_cpus("0", 0);
	assert_cpus("1", 100000);
	assert_cpus("1.5", 150000);
	assert_cpus(".5", 50000);
	assert_cpus("2.", 200000);
	assert_cpus("0.01", 1000);
	assert_cpus("0.29", 29000);
	assert_cpus("1.123456789", 112345);
	assert_cpus("0.999999", 99999);
	assert_cpus("64", 6400000);
}

static void test_no_cpus(void **state)
{
	static const char *const wrong[] = {
		"", "x", "-1", "1x", "1 ", " 1", "0.001", "0.0099", "1.1234567891", "1e2", "inf", "0x1",
		"1/2", ".", "99999999",
	};
	int64_t quota;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (limits_parse_cpus(wrong[i], &quota) != -EINVAL)
			fail_msg("%s was taken", wrong[i]);
	}
}

/* --- the whole line --- */

#define MAX_WORDS 32

static enum run_options_result parse(struct run_options *options, char *line)
{
	static char *words[MAX_WORDS + 1];
	char *save = NULL;
	int count = 1;

	words[0] = "fuse_cgroup_run";
	for (char *word = strtok_r(line, " ", &save); word && count < MAX_WORDS;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	words[count] = NULL;
	optind = 0; /* getopt(3): begin anew */
	opterr = 0;
	return run_options_parse(options, count, words);
}

static void assert_line(struct run_options *options, const char *line)
{
	static char copy[256];

	snprintf(copy, sizeof(copy), "%s", line);
	assert_int_equal(parse(options, copy), RUN_OPTIONS_RUN);
}

static void test_all_options(void **state)
{
	struct run_options options;

	(void)state;
	assert_line(&options, "--at /cg --root /r --redirect --trace --backend trace -m 512m "
			      "--memory-swap 1g --cpus 0.5 -c 512 --cpuset-cpus 0-1 --pids-limit 100 "
			      "-- sh -c");
	assert_string_equal(options.at, "/cg");
	assert_string_equal(options.root, "/r");
	assert_true(options.redirect);
	assert_string_equal(options.backend, "trace");
	assert_true(options.trace);
	assert_int_equal(options.limits.memory, 512 << 20);
	assert_int_equal(options.limits.memory_swap, 1 << 30);
	assert_int_equal(options.limits.cpus, 50000);
	assert_int_equal(options.limits.cpu_shares, 512);
	assert_string_equal(options.limits.cpuset_cpus, "0-1");
	assert_int_equal(options.limits.pids, 100);
	assert_true(limits_given(&options.limits));
	assert_string_equal(options.command[0], "sh");
	assert_string_equal(options.command[1], "-c");
	assert_null(options.command[2]);
}

static void test_defaults(void **state)
{
	struct run_options options;

	(void)state;
	assert_line(&options, "true --memory 1g");
	assert_string_equal(options.at, "/sys/fs/cgroup");
	assert_null(options.root);
	assert_false(options.redirect);
	assert_null(options.backend);
	assert_false(options.trace);
	assert_false(limits_given(&options.limits));
	assert_string_equal(options.command[0], "true");
	assert_string_equal(options.command[1], "--memory");
}

/* docker's way to say: no limit. */
static void test_no_limits(void **state)
{
	struct run_options options;

	(void)state;
	assert_line(&options, "-m 0 --memory-swap 0 --cpus 0 -c 0 true");
	assert_false(limits_given(&options.limits));
	assert_line(&options, "-m 1g --memory-swap -1 true");
	assert_int_equal(options.limits.memory_swap, -1);
	assert_line(&options, "--pids-limit -1 true");
	assert_int_equal(options.limits.pids, -1);
	assert_line(&options, "--pids-limit 0 true");
	assert_int_equal(options.limits.pids, -1);
}

static void test_wrong_lines(void **state)
{
	static const char *const wrong[] = {
		"", "--", "-m", "--nonsense true", "-m x true", "-m -1 true", "--memory-swap 1g true",
		"-m 1g --memory-swap 512m true", "-m 1g --memory-swap -2 true", "--cpus 0.001 true",
		"-c 1 true", "-c x true", "-c -1 true", "--pids-limit x true", "--pids-limit -2 true",
		"--cpuset-cpus= true", "--at relative true", "--memory= true",
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), errors = dup(STDERR_FILENO);
	enum run_options_result results[sizeof(wrong) / sizeof(wrong[0])];
	struct run_options options;
	char copy[256];

	(void)state;
	dup2(null, STDERR_FILENO); /* what it says is told by tests/run */
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(copy, sizeof(copy), "%s", wrong[i]);
		results[i] = parse(&options, copy);
	}
	dup2(errors, STDERR_FILENO);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (results[i] != RUN_OPTIONS_WRONG)
			fail_msg("%s was taken", wrong[i]);
	}
	close(errors);
	close(null);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_sizes),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_no_cpus),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_no_limits),
		cmocka_unit_test(test_wrong_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
