/* SPDX-License-Identifier: MIT */
/* Paths and mount tables as the launcher shows them (fixtures/run). */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "view.h"

/* --- paths, as a cgroup namespace shows them --- */

static void assert_path(const char *prefix, const char *path, const char *expected)
{
	struct text out = {0};

	view_add_path(&out, prefix, path, strlen(path));
	text_add_bytes(&out, "", 1);
	assert_string_equal(out.data, expected);
	text_free(&out);
}

static void test_paths_from_the_root(void **state)
{
	(void)state;
	assert_path("", "/", "/");
	assert_path("", "", "/");
	assert_path("", "/a", "/a");
	assert_path("", "/a/b", "/a/b");
}

static void test_paths_below_the_prefix(void **state)
{
	(void)state;
	assert_path("/run-1", "/run-1", "/");
	assert_path("/run-1", "/run-1/a", "/a");
	assert_path("/run-1", "/run-1/a/b", "/a/b");
}

static void test_paths_beside_the_prefix(void **state)
{
	(void)state;
	assert_path("/run-1", "/", "/..");
	assert_path("/run-1", "/a", "/../a");
	assert_path("/run-1", "/run-12", "/../run-12");
	assert_path("/run-12", "/run-1", "/../run-1");
	assert_path("/a/b", "/a", "/..");
	assert_path("/a/b", "/a/c", "/../c");
	assert_path("/a/b", "/", "/../..");
	assert_path("/a/b", "/c/d", "/../../c/d");
}

/* The length counts, not a NUL. */
static void test_path_within_a_line(void **state)
{
	struct text out = {0};

	(void)state;
	view_add_path(&out, "/run-1", "/run-1/ab", strlen("/run-1/a"));
	assert_int_equal(out.len, 2);
	assert_memory_equal(out.data, "/a", 2);
	text_free(&out);
}

/* --- mount tables --- */

static const char *const names[] = {"systemd", "pids", "perf_event", "net_prio", "net_cls", "memory",
				    "hugetlb", "freezer", "devices", "cpuset", "cpuacct", "cpu",
				    "blkio"};

static void make_view(struct view *view, const char *prefix)
{
	*view = (struct view){.lock = PTHREAD_RWLOCK_INITIALIZER, .top = -1, .device = makedev(0, 41),
			      .at = "/sys/fs/cgroup", .outside = -1};
	snprintf(view->prefix, sizeof(view->prefix), "%s", prefix);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct view_hierarchy *hierarchy = &view->hierarchies[view->count++];

		snprintf(hierarchy->name, VIEW_NAME_MAX, "%s", names[i]);
		snprintf(hierarchy->option, VIEW_NAME_MAX, "%s%s", i ? "" : "name=", names[i]);
	}
}

static struct text make_text(const char *content)
{
	struct text text = {0};

	text_add(&text, content);
	return text;
}

static struct text read_fixture(const char *name)
{
	char path[128];
	struct text text;
	char *content;

	snprintf(path, sizeof(path), FIXTURES "/run/%s", name);
	content = fixture_read(path, NULL);
	text = make_text(content);
	free(content);
	return text;
}

static void assert_text(const struct text *text, const char *expected)
{
	char *content = strndup(text->data ? text->data : "", text->len);

	assert_string_equal(content, expected);
	free(content);
}

static void assert_fixture(const struct text *text, const char *name)
{
	struct text expected = read_fixture(name);

	text_add_bytes(&expected, "", 1);
	assert_text(text, expected.data);
	text_free(&expected);
}

static void test_recorded_mountinfo(void **state)
{
	struct text mountinfo = read_fixture("mountinfo.kernel"), out = {0};
	struct view view;

	(void)state;
	make_view(&view, "");
	assert_int_equal(view_mountinfo(&view, NULL, &mountinfo, false, &out), 0);
	assert_fixture(&out, "mountinfo.shown");
	text_free(&mountinfo);
	text_free(&out);
}

typedef int (*merge_function)(struct view *view, const struct text *mountinfo,
			      const struct text *table, bool outside, struct text *out);

static void check_recorded(merge_function merge, const char *kernel, const char *shown)
{
	struct text mountinfo = read_fixture("mountinfo.kernel"), table = read_fixture(kernel);
	struct text out = {0};
	struct view view;

	make_view(&view, "");
	assert_int_equal(merge(&view, &mountinfo, &table, false, &out), 0);
	assert_fixture(&out, shown);
	text_free(&mountinfo);
	text_free(&table);
	text_free(&out);
}

static void test_recorded_mounts(void **state)
{
	(void)state;
	check_recorded(view_mounts, "mounts.kernel", "mounts.shown");
}

static void test_recorded_mountstats(void **state)
{
	(void)state;
	check_recorded(view_mountstats, "mountstats.kernel", "mountstats.shown");
}

static void assert_mountinfo(const char *prefix, const char *kernel, const char *expected)
{
	struct text mountinfo = make_text(kernel), out = {0};
	struct view view;

	make_view(&view, prefix);
	assert_int_equal(view_mountinfo(&view, NULL, &mountinfo, false, &out), 0);
	assert_text(&out, expected);
	text_free(&mountinfo);
	text_free(&out);
}

static void test_roots_seen_from_the_prefix(void **state)
{
	(void)state;
	assert_mountinfo("/run-1",
		"1 2 0:41 /cpu/run-1 /a rw - fuse.cgroupfs cgroup rw,user_id=0\n"
		"2 2 0:41 /cpu/run-1/b /b rw - fuse.cgroupfs cgroup rw,user_id=0\n"
		"3 2 0:41 /cpu /c rw - fuse.cgroupfs cgroup rw,user_id=0\n",
		"1 2 0:41 / /a rw - cgroup cgroup rw,cpu\n"
		"2 2 0:41 /b /b rw - cgroup cgroup rw,cpu\n"
		"3 2 0:41 /.. /c rw - cgroup cgroup rw,cpu\n");
}

/* From a cgroup namespace below: each hierarchy has a root of its own, and no prefix counts. */
static void test_roots_of_a_namespace(void **state)
{
	static const char kernel[] =
		"1 2 0:41 /cpu/run-1/a /a rw - fuse.cgroupfs cgroup rw\n"
		"2 2 0:41 /cpu/run-1/a/b /b rw - fuse.cgroupfs cgroup rw\n"
		"3 2 0:41 /memory/run-1 /c rw - fuse.cgroupfs cgroup rw\n"
		"4 2 0:41 /pids/x /d rw - fuse.cgroupfs cgroup rw\n"
		"5 2 0:41 /systemd/s /e rw - fuse.cgroupfs cgroup rw\n";
	struct text mountinfo = make_text(kernel), out = {0};
	struct text roots = make_text("13:name=systemd:/s/t\n12:pids:/\n8:memory:/run-1\n"
				      "2:cpuacct:/wrong\n1:cpu:/run-1/a\n");
	struct view view;

	(void)state;
	make_view(&view, "/run-1");
	assert_int_equal(view_mountinfo(&view, &roots, &mountinfo, false, &out), 0);
	assert_text(&out, "1 2 0:41 / /a rw - cgroup cgroup rw,cpu\n"
			  "2 2 0:41 /b /b rw - cgroup cgroup rw,cpu\n"
			  "3 2 0:41 / /c rw - cgroup cgroup rw,memory\n"
			  "4 2 0:41 /x /d rw - cgroup cgroup rw,pids\n"
			  "5 2 0:41 /.. /e rw - cgroup cgroup rw,name=systemd\n");
	text_free(&roots);
	text_free(&mountinfo);
	text_free(&out);
}

/* As of fusermount and of gVisor, with source "none"; other devices and other types stay. */
static void test_kinds(void **state)
{
	(void)state;
	assert_mountinfo("",
		"1 2 0:41 /cpu /a rw - fuse none rw\n"
		"2 2 0:42 /cpu /b rw - fuse.cgroupfs cgroup rw\n"
		"3 2 0:41 /cpu /c rw - tmpfs tmpfs rw\n"
		"4 2 0:41 /cpux /d rw - fuse.cgroupfs cgroup rw\n"
		"5 2 0:41 /cpuacct /e ro shared:3 master:4 propagate_from:5 - fuse.cgroupfs cgroup ro,x\n"
		"6 2 0:9 / /f rw - cgroup cgroup rw,cpu\n",
		"1 2 0:41 / /a rw - cgroup cgroup rw,cpu\n"
		"2 2 0:42 /cpu /b rw - fuse.cgroupfs cgroup rw\n"
		"3 2 0:41 /cpu /c rw - tmpfs tmpfs rw\n"
		"4 2 0:41 /cpux /d rw - fuse.cgroupfs cgroup rw\n"
		"5 2 0:41 / /e ro shared:3 master:4 propagate_from:5 - cgroup cgroup ro,cpuacct\n");
}

static void test_odd_lines_stay(void **state)
{
	(void)state;
	assert_mountinfo("", "", "");
	assert_mountinfo("", "\n", "\n");
	assert_mountinfo("", "1 2 0:41\nno line\n", "1 2 0:41\nno line\n");
	assert_mountinfo("", "1 2 0:9 / /a rw - ext4 /dev/vda rw", "1 2 0:9 / /a rw - ext4 /dev/vda rw");
}

/* Statistics of more than one line go with their mount. */
static void test_long_mountstats(void **state)
{
	struct text mountinfo = make_text(
		"1 2 0:9 / / rw - nfs host:/ rw\n"
		"2 1 0:41 /cpu /c rw - fuse.cgroupfs cgroup rw\n"
		"3 1 0:8 / /r rw - rootfs rootfs rw\n");
	struct text stats = make_text(
		"device host:/ mounted on / with fstype nfs statvers=1.1\n"
		"\topts:\trw\n"
		"\tage:\t12\n"
		"device cgroup mounted on /c with fstype fuse.cgroupfs\n"
		"no device mounted on /r with fstype rootfs\n");
	struct text out = {0};
	struct view view;

	(void)state;
	make_view(&view, "");
	assert_int_equal(view_mountstats(&view, &mountinfo, &stats, false, &out), 0);
	assert_text(&out,
		"device host:/ mounted on / with fstype nfs statvers=1.1\n"
		"\topts:\trw\n"
		"\tage:\t12\n"
		"device cgroup mounted on /c with fstype cgroup\n"
		"no device mounted on /r with fstype rootfs\n");
	text_free(&mountinfo);
	text_free(&stats);
	text_free(&out);
}

static void assert_other_moment(const char *kernel, const char *table)
{
	struct text mountinfo = make_text(kernel), mounts = make_text(table), out = {0};
	struct view view;

	make_view(&view, "");
	assert_int_equal(view_mounts(&view, &mountinfo, &mounts, false, &out), -EAGAIN);
	text_free(&mountinfo);
	text_free(&mounts);
	text_free(&out);
}

/* A mount more or less, or another in its place: to be read again. */
static void test_tables_of_two_moments(void **state)
{
	(void)state;
	assert_other_moment("1 2 0:9 / / rw - ext4 x rw\n", "");
	assert_other_moment("", "x / ext4 rw 0 0\n");
	assert_other_moment("1 2 0:9 / / rw - ext4 x rw\n", "x /a ext4 rw 0 0\n");
	assert_other_moment("1 2 0:9 / / rw - ext4 x rw\n", "x / ext4 rw 0 0\nx /a ext4 rw 0 0\n");
}

/* A whole mount at "/" (a chroot into it): no "//cpu". */
static void test_whole_mount_as_root(void **state)
{
	struct text mountinfo = make_text("1 2 0:41 / / ro - fuse.cgroupfs cgroup rw,user_id=0\n");
	struct text mounts = make_text("cgroup / fuse.cgroupfs ro,user_id=0 0 0\n");
	static const char first[] = "tmpfs / tmpfs ro,mode=755 0 0\n"
				    "cgroup /systemd cgroup ro,name=systemd 0 0\n";
	struct text out = {0};
	struct view view;

	(void)state;
	make_view(&view, "");
	assert_int_equal(view_mounts(&view, &mountinfo, &mounts, false, &out), 0);
	assert_true(out.len > strlen(first));
	assert_memory_equal(out.data, first, strlen(first));
	assert_int_equal(view_mountinfo(&view, NULL, &mountinfo, false, &out), 0);
	text_add_bytes(&out, "", 1);
	assert_non_null(strstr(out.data, " / /systemd ro - cgroup cgroup rw,name=systemd\n"));
	assert_non_null(strstr(out.data, "1 2 0:41 / / ro - tmpfs tmpfs rw,mode=755\n"));
	text_free(&mountinfo);
	text_free(&mounts);
	text_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_from_the_root),
		cmocka_unit_test(test_paths_below_the_prefix),
		cmocka_unit_test(test_paths_beside_the_prefix),
		cmocka_unit_test(test_path_within_a_line),
		cmocka_unit_test(test_recorded_mountinfo),
		cmocka_unit_test(test_recorded_mounts),
		cmocka_unit_test(test_recorded_mountstats),
		cmocka_unit_test(test_roots_seen_from_the_prefix),
		cmocka_unit_test(test_roots_of_a_namespace),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_odd_lines_stay),
		cmocka_unit_test(test_long_mountstats),
		cmocka_unit_test(test_tables_of_two_moments),
		cmocka_unit_test(test_whole_mount_as_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
