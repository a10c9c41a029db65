/* SPDX-License-Identifier: MIT */
/* What the launcher makes of the flags and paths of the calls that mount, and of a line of a mount table. */
#include <linux/limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "calls.h"
#include "mount_calls.h"
#include "mount_line.h"
#include "view.h"

/* path_mount() of fs/namespace.c */
static void attributes_of_flags(void **state)
{
	static const struct {
		unsigned long flags;
		uint64_t attributes;
	} rows[] = {
		{0, 0}, /* relatime */
		{MS_RELATIME, 0},
		{MS_RDONLY, MOUNT_ATTR_RDONLY},
		{MS_NOSUID, MOUNT_ATTR_NOSUID},
		{MS_NODEV, MOUNT_ATTR_NODEV},
		{MS_NOEXEC, MOUNT_ATTR_NOEXEC},
		{MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
		{256 /* MS_NOSYMFOLLOW */, 0x00200000 /* MOUNT_ATTR_NOSYMFOLLOW */},
		{MS_NOATIME, MOUNT_ATTR_NOATIME},
		{MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
		{MS_STRICTATIME | MS_NOATIME, MOUNT_ATTR_STRICTATIME},
		{MS_SYNCHRONOUS | MS_MANDLOCK | MS_SILENT, 0},
		{MS_RDONLY | MS_NOATIME, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mount_attributes(rows[i].flags), rows[i].attributes);
}

/* From a mount's top, the launcher's own cgroup of a hierarchy is what is shown mounted. */
static void hierarchy_of_a_path(void **state)
{
	static const char *const names[] = {"systemd", "memory", "cpuset", "cpu", "cpuacct"};
	static const struct {
		bool unified;
		const char *prefix, *within;
		int hierarchy;
	} rows[] = {
		{false, "", "", -1},
		{false, "", "/memory", 1},
		{false, "", "/cpu", 3},
		{false, "", "/cpuacct", 4},
		{false, "", "/cpuset", 2},
		{false, "", "/mem", -1},
		{false, "", "/memory/a", -1},
		{false, "", "/memoryx", -1},
		{false, "", "/pids", -1},
		{false, "/run-1", "/memory/run-1", 1},
		{false, "/run-1", "/cpu/run-1", 3},
		{false, "/run-1", "/memory", -1},
		{false, "/run-1", "/memory/run-12", -1},
		{false, "/run-1", "/memory/run-1/a", -1},
		{false, "/run-1", "/nothing/run-1", -1},
		{true, "", "", 0},
		{true, "", "/a", -1},
		{true, "/run-1", "/run-1", 0},
		{true, "/run-1", "", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view view = {.unified = rows[i].unified, .count = rows[i].unified ? 1 : 5};
		const struct calls_context context = {.view = &view};

		snprintf(view.prefix, sizeof(view.prefix), "%s", rows[i].prefix);
		for (unsigned k = 0; !view.unified && k < view.count; k++)
			snprintf(view.hierarchies[k].name, VIEW_NAME_MAX, "%s", names[k]);
		assert_int_equal(mount_led_hierarchy(&context, rows[i].within), rows[i].hierarchy);
	}
}

static void types_of_cgroups(void **state)
{
	(void)state;
	assert_true(mount_is_cgroup_type("cgroup"));
	assert_true(mount_is_cgroup_type("cgroup2"));
	assert_true(mount_is_cgroup_type("cpuset"));
	assert_false(mount_is_cgroup_type("tmpfs"));
	assert_false(mount_is_cgroup_type("cgroup3"));
	assert_false(mount_is_cgroup_type(""));
}

static void paths_below(void **state)
{
	static const struct {
		const char *path, *directory;
		bool is_below;
	} rows[] = {
		{"/a", "/a", true},
		{"/a/b", "/a", true},
		{"/ab", "/a", false},
		{"/a", "/a/b", false},
		{"/b/a", "/a", false},
		{"/", "/a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(slice_is_below(slice_of(rows[i].path), slice_of(rows[i].directory)),
				 rows[i].is_below);
}

static void assert_slice(struct slice slice, const char *text)
{
	assert_true(slice_equal(slice, slice_of(text)));
}

/* proc_pid_mountinfo(5) */
static void words_of_a_line(void **state)
{
	static const char *const others[] = {
		"", "\n", "36 35 98:0 /r /p rw\n", "36 35 98:0 /r /p rw shared:1 ext3 /dev/root rw\n",
	};
	struct slice line, text = slice_of(
		"36 35 98:0 /r /a\\040b rw,noatime shared:1 master:2 - ext3 /dev/root rw,x=y\n"
		"37 35 98:1 / /c ro - tmpfs none rw");
	struct mount mount;

	(void)state;
	assert_true(mount_take_line(&text, &line));
	assert_true(mount_parse(line, &mount));
	assert_slice(mount.id, "36");
	assert_slice(mount.parent, "35");
	assert_slice(mount.device, "98:0");
	assert_slice(mount.root, "/r");
	assert_slice(mount.point, "/a\\040b");
	assert_slice(mount.options, "rw,noatime");
	assert_slice(mount.optional, " shared:1 master:2");
	assert_slice(mount.type, "ext3");
	assert_slice(mount.source, "/dev/root");
	assert_slice(mount.super_options, "rw,x=y");
	assert_true(mount_take_line(&text, &line));
	assert_true(mount_parse(line, &mount));
	assert_slice(mount.id, "37");
	assert_slice(mount.optional, "");
	assert_slice(mount.super_options, "rw");
	assert_false(mount_take_line(&text, &line));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(mount_parse(slice_of(others[i]), &mount));
}

/* seq_path(): only these four are written in octal. */
static void paths_of_tables(void **state)
{
	struct text out = {0};

	(void)state;
	mount_add_path(&out, "/a b\tc\nd\\e\"f#g");
	text_add_bytes(&out, "", 1);
	assert_string_equal(out.data, "/a\\040b\\011c\\012d\\134e\"f#g");
	text_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_of_flags),
		cmocka_unit_test(hierarchy_of_a_path),
		cmocka_unit_test(types_of_cgroups),
		cmocka_unit_test(paths_below),
		cmocka_unit_test(words_of_a_line),
		cmocka_unit_test(paths_of_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
