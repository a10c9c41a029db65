/* SPDX-License-Identifier: MIT */
/*
 * devices: single rules, and random sequences of everything that can be done
 * to four cgroups, which the live kernel does too: each answer and each list
 * must be the same. Without the kernel's devices hierarchy the sequences run
 * for their invariants alone.
 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "devices_probe.h"
#include "small_tree.h"

#define KERNEL "/sys/fs/cgroup/devices"
#define STEPS 4000

static const struct controller *const list[] = {&devices_controller, NULL};
static struct small_tree small;

static int set_up(void **state)
{
	(void)state;
	small_tree_open(&small, "/", list);
	assert_int_equal(small_mkdir(&small, "/devices/x"), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	small_tree_close(&small);
	return 0;
}

#define assert_list(path, text) assert_string_equal(small_read(&small, path "/devices.list"), text)
#define allow(path, rule) small_write(&small, path "/devices.allow", rule)
#define deny(path, rule) small_write(&small, path "/devices.deny", rule)

static void test_only_root_may_change(void **state)
{
	(void)state;
	assert_int_equal(small_write_as(&small, 1, "/devices/x/devices.deny", "a", 1), -EPERM);
	assert_list("/devices/x", "a *:* rwm\n");
}

static void test_order_and_merge(void **state)
{
	(void)state;
	assert_int_equal(deny("/devices/x", "a"), 0);
	assert_list("/devices/x", "");
	assert_int_equal(allow("/devices/x", "c 1:3 r"), 0);
	assert_int_equal(allow("/devices/x", "b 8:* m"), 0);
	assert_int_equal(allow("/devices/x", "c 1:3 mw"), 0);
	assert_list("/devices/x", "c 1:3 rwm\nb 8:* m\n");
	assert_int_equal(deny("/devices/x", "c 1:3 w"), 0);
	assert_int_equal(deny("/devices/x", "b 8:0 m"), 0); /* matches no rule exactly */
	assert_list("/devices/x", "c 1:3 rm\nb 8:* m\n");
	assert_int_equal(deny("/devices/x", "b 8:* rwm"), 0);
	assert_list("/devices/x", "c 1:3 rm\n");
}

static void test_rule_without_access(void **state)
{
	(void)state;
	assert_int_equal(deny("/devices/x", "a"), 0);
	assert_int_equal(allow("/devices/x", "c 1:3 \nr"), 0);
	assert_list("/devices/x", "c 1:3 \n");
	assert_int_equal(deny("/devices/x", "c 1:3 \nr"), 0);
	assert_list("/devices/x", "");
}

static void test_largest_number_is_any(void **state)
{
	(void)state;
	assert_int_equal(deny("/devices/x", "a"), 0);
	assert_int_equal(allow("/devices/x", "c 4294967295:00000000007 r"), 0);
	assert_list("/devices/x", "c *:7 r\n");
	assert_int_equal(allow("/devices/x", "c 000000000001:7 r"), -EINVAL);
}

static void test_denial_reaches_descendants(void **state)
{
	(void)state;
	assert_int_equal(deny("/devices/x", "a"), 0);
	assert_int_equal(allow("/devices/x", "c 1:* rw"), 0);
	assert_int_equal(small_mkdir(&small, "/devices/x/a"), 0);
	assert_int_equal(allow("/devices/x/a", "c 1:3 r"), 0);
	assert_int_equal(allow("/devices/x/a", "c 1:5 rw"), 0);
	assert_int_equal(allow("/devices/x/a", "c 2:5 r"), -EPERM);
	assert_int_equal(deny("/devices/x", "c 1:* w"), 0);
	/* "c 1:* w" itself is taken away below, the others as far as they are too wide now */
	assert_list("/devices/x/a", "c 1:* r\nc 1:3 r\n");
	assert_int_equal(deny("/devices/x", "a"), -EINVAL); /* has a child */
}

static void test_child_cannot_lift_a_denial(void **state)
{
	(void)state;
	assert_int_equal(deny("/devices/x", "c 1:3 w"), 0);
	assert_int_equal(small_mkdir(&small, "/devices/x/a"), 0);
	assert_int_equal(allow("/devices/x/a", "c *:* w"), -EPERM);
	assert_int_equal(allow("/devices/x/a", "c 1:3 r"), 0);
	assert_int_equal(deny("/devices/x/a", "a"), 0);
	assert_int_equal(allow("/devices/x/a", "c 1:* rw"), -EPERM);
	assert_int_equal(allow("/devices/x/a", "c 1:* r"), 0);
	assert_int_equal(small_mkdir(&small, "/devices/x/a/b"), 0);
	assert_int_equal(allow("/devices/x/a/b", "a"), -EPERM);
}

/* --- random sequences --- */

static const char *const cgroups[] = {"", "/a", "/a/b", "/c"};
#define CGROUPS (sizeof(cgroups) / sizeof(*cgroups))

static unsigned seed;

static unsigned dice(unsigned sides)
{
	return (unsigned)rand_r(&seed) % sides;
}

static const char *random_rule(char rule[64])
{
	static const char *const numbers[] = {"1", "2", "*"};
	static const char *const access[] = {"r", "w", "m", "rw", "rm", "wm", "rwm", "\nr"};

	if (!dice(8))
		return strcpy(rule, "a");
	snprintf(rule, 64, "%c %s:%s %s", "bc"[dice(2)], numbers[dice(3)], numbers[dice(3)],
		 access[dice(dice(10) ? 7 : 8)]);
	return rule;
}

/* Nothing that the child may do is forbidden to its parent. */
static void assert_within(const char *parent, const char *child)
{
	char above[64], below[64], rule[32];

	snprintf(above, sizeof(above), "/devices/x%s", parent);
	snprintf(below, sizeof(below), "/devices/x%s", child);
	if (devices_exceeds(&small, above, below, rule))
		fail_msg("%s: %s may, %s may not", rule, below, above);
}

static bool exists(const char *cgroup)
{
	char path[128];

	snprintf(path, sizeof(path), "/devices/x%s/devices.list", cgroup);
	return small_read(&small, path) != NULL;
}

static void assert_invariants(void)
{
	if (exists("/a"))
		assert_within("", "/a");
	if (exists("/a/b"))
		assert_within("/a", "/a/b");
	if (exists("/c"))
		assert_within("", "/c");
}

/* The kernel's answer to the same write, 0 or a negative errno. */
static int kernel_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (file < 0)
		return -errno;
	if (write(file, text, strlen(text)) < 0)
		error = -errno;
	close(file);
	return error;
}

/* A cgroup that was removed counts as a child until the kernel is done with it. */
static int kernel_write_patiently(const char *path, const char *text, int wanted)
{
	int error = kernel_write(path, text);

	for (int i = 0; i < 2000 && error == -EINVAL && wanted != -EINVAL; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		error = kernel_write(path, text);
	}
	return error;
}

static char kernel_root[64]; /* "" without the kernel's hierarchy */

static void assert_same_list(const char *cgroup)
{
	char path[256], text[8192];
	const char *ours;
	ssize_t len;
	int file;

	snprintf(path, sizeof(path), "%s%s/devices.list", kernel_root, cgroup);
	file = open(path, O_RDONLY | O_CLOEXEC);
	len = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (file >= 0)
		close(file);
	snprintf(path, sizeof(path), "/devices/x%s/devices.list", cgroup);
	ours = small_read(&small, path);
	assert_int_equal(ours != NULL, len >= 0);
	if (!ours)
		return;
	text[len] = '\0';
	assert_string_equal(ours, text);
}

/* One step here, the same in the kernel. */
static void random_step(void)
{
	const char *cgroup = cgroups[dice(CGROUPS)], *verb = dice(2) ? "allow" : "deny";
	char ours[128], kernels[256], rule[64];
	int error, kernel_error = 0;

	snprintf(ours, sizeof(ours), "/devices/x%s", cgroup);
	snprintf(kernels, sizeof(kernels), "%s%s", kernel_root, cgroup);
	if (*cgroup && !dice(6)) {
		bool make = dice(2);

		error = make ? small_mkdir(&small, ours) : small_rmdir(&small, ours);
		if (*kernel_root)
			kernel_error = (make ? mkdir(kernels, 0755) : rmdir(kernels)) ? -errno : 0;
	} else {
		snprintf(ours + strlen(ours), 32, "/devices.%s", verb);
		snprintf(kernels + strlen(kernels), 32, "/devices.%s", verb);
		error = small_write(&small, ours, random_rule(rule));
		if (*kernel_root)
			kernel_error = kernel_write_patiently(kernels, rule, error);
	}
	if (*kernel_root && error != kernel_error)
		fail_msg("%s %s: %s, the kernel says %s", ours, rule, strerror(-error),
			 strerror(-kernel_error));
}

static void test_random_sequence(void **state)
{
	(void)state;
	seed = 1;
	if (*kernel_root && mkdir(kernel_root, 0755))
		fail_msg("%s: %s", kernel_root, strerror(errno));
	for (unsigned i = 0; i < STEPS; i++) {
		random_step();
		for (unsigned j = 0; j < CGROUPS && *kernel_root; j++)
			assert_same_list(cgroups[j]);
		if (i % 8 == 0)
			assert_invariants();
	}
}

/* Also after a failure: nothing stays in the machine's own hierarchy. */
static int kernel_tear_down(void **state)
{
	char path[256];

	for (unsigned i = CGROUPS; *kernel_root && i-- > 0;) {
		snprintf(path, sizeof(path), "%s%s", kernel_root, cgroups[i]);
		rmdir(path);
	}
	return tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_root_may_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_and_merge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rule_without_access, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_largest_number_is_any, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_denial_reaches_descendants, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_child_cannot_lift_a_denial, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random_sequence, set_up, kernel_tear_down),
	};

	if (access(KERNEL "/devices.list", F_OK) == 0 && access(KERNEL, W_OK) == 0 && !geteuid())
		snprintf(kernel_root, sizeof(kernel_root), KERNEL "/fcg-test-%d", getpid());
	else
		printf("no kernel to compare with: " KERNEL " is missing or not ours to write\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
