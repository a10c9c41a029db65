/* SPDX-License-Identifier: MIT */
/*
 * hugetlb on two recorded processes: our figures against those of the
 * kernel's own hugetlb cgroup, recorded with them (fixtures/record_hugetlb.py).
 */
#include "fixture.h"
#include "small_world.h"

#define HUGETLB FIXTURES "/hugetlb"
#define PAGE (2ull << 20)

static const struct controller *const list[] = {&hugetlb_controller, NULL};

static struct small_tree small;

static int open_tree(void **state)
{
	(void)state;
	small_tree_open(&small, HUGETLB, list);
	assert_int_equal(small_mkdir(&small, "/hugetlb/a"), 0);
	assert_int_equal(small_mkdir(&small, "/hugetlb/a/b"), 0);
	return 0;
}

static int close_tree(void **state)
{
	(void)state;
	small_tree_close(&small);
	return 0;
}

/* What the kernel's file said: its lines follow its name. */
static char *kernel_said(const char *file)
{
	char *all = fixture_read(HUGETLB "/kernel.txt", NULL), *at, *end, *said;

	assert_true(asprintf(&said, "%s\n", file) > 0);
	for (at = strstr(all, said); at && at > all && at[-1] != '\n'; at = strstr(at + 1, said))
		;
	assert_non_null(at);
	at += strlen(said);
	free(said);
	end = strchr(at, '\n') + 1;
	if (!strcmp(file, "numa_stat"))
		end = strchr(end, '\n') + 1;
	said = strndup(at, end - at);
	free(all);
	return said;
}

static void assert_reads(const char *path, const char *expected)
{
	const char *content = small_read(&small, path);

	assert_non_null(content);
	assert_string_equal(content, expected);
}

static void test_members_hold_what_the_kernel_charged(void **state)
{
	static const char *const files[] = {"usage_in_bytes", "rsvd.usage_in_bytes", "numa_stat"};

	(void)state;
	assert_int_equal(small_write(&small, "/hugetlb/a/cgroup.procs", "100"), 0);
	assert_int_equal(small_write(&small, "/hugetlb/a/cgroup.procs", "101"), 0);
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *said = kernel_said(files[i]), *path;

		assert_true(asprintf(&path, "/hugetlb/a/hugetlb.2MB.%s", files[i]) > 0);
		assert_reads(path, said);
		free(path);
		free(said);
	}
}

/* A parent and its fork in two cgroups: the pages they share count once above both. */
static void test_shared_pages_count_once_above(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/hugetlb/a/cgroup.procs", "100"), 0);
	assert_int_equal(small_write(&small, "/hugetlb/a/b/cgroup.procs", "101"), 0);
	assert_reads("/hugetlb/a/hugetlb.2MB.usage_in_bytes", "10485760\n");
	assert_reads("/hugetlb/a/b/hugetlb.2MB.usage_in_bytes", "6291456\n");
	assert_reads("/hugetlb/a/hugetlb.2MB.numa_stat",
		     "total=8388608 N0=8388608\nhierarchical_total=10485760 N0=10485760\n");
	/* All of the machine's are theirs. */
	assert_reads("/hugetlb/hugetlb.2MB.usage_in_bytes", "10485760\n");
	assert_reads("/hugetlb/hugetlb.2MB.rsvd.usage_in_bytes", "12582912\n");
	assert_reads("/hugetlb/hugetlb.2MB.numa_stat",
		     "total=0 N0=0\nhierarchical_total=10485760 N0=10485760\n");
}

static void test_limit_is_not_below_usage(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/hugetlb/a/cgroup.procs", "100"), 0);
	assert_int_equal(small_write(&small, "/hugetlb/a/hugetlb.2MB.limit_in_bytes", "2M"), -EBUSY);
	assert_reads("/hugetlb/a/hugetlb.2MB.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(small_write(&small, "/hugetlb/a/hugetlb.2MB.limit_in_bytes", "11M"), 0);
	assert_reads("/hugetlb/a/hugetlb.2MB.limit_in_bytes", "10485760\n");
	assert_int_equal(small_write(&small, "/hugetlb/a/b/hugetlb.2MB.limit_in_bytes", "3"), 0);
	assert_reads("/hugetlb/a/b/hugetlb.2MB.limit_in_bytes", "0\n");
	assert_int_equal(small_write(&small, "/hugetlb/hugetlb.2MB.limit_in_bytes", "-1"), -EINVAL);
}

static void test_highest_usage_is_kept(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/hugetlb/a/cgroup.procs", "100"), 0);
	assert_reads("/hugetlb/a/hugetlb.2MB.max_usage_in_bytes", "8388608\n");
	assert_int_equal(small_write(&small, "/hugetlb/cgroup.procs", "100"), 0);
	assert_reads("/hugetlb/a/hugetlb.2MB.usage_in_bytes", "0\n");
	assert_reads("/hugetlb/a/hugetlb.2MB.max_usage_in_bytes", "8388608\n");
	assert_int_equal(small_write(&small, "/hugetlb/a/hugetlb.2MB.max_usage_in_bytes", "x"), 0);
	assert_reads("/hugetlb/a/hugetlb.2MB.max_usage_in_bytes", "0\n");
}

#define SIZE "sys/kernel/mm/hugepages/hugepages-2048kB/"

/* A file that several have mapped: shared pages in KiB, and who has written privately. */
static void put_map(struct small_world *world, pid_t pid, const char *flags, unsigned shared, unsigned own)
{
	char path[64], text[512];

	snprintf(text, sizeof(text),
		 "7f0000000000-7f0000800000 rw-%c 00000000 00:0f 77 /anon_hugepage (deleted)\n"
		 "Size: 8192 kB\nKernelPageSize: 2048 kB\nMMUPageSize: 2048 kB\nRss: 0 kB\nPss: 0 kB\n"
		 "Shared_Hugetlb: %u kB\nPrivate_Hugetlb: %u kB\nVmFlags: rd wr %s mr mw me ms de ht\n",
		 *flags == 's' ? 's' : 'p', shared, own, *flags == 's' ? "sh" : "nr");
	snprintf(path, sizeof(path), "proc/%d/smaps", pid);
	fake_put(&world->fake, path, text);
}

/* Two processes with the same MAP_SHARED file hold its pages once, and its reservation once. */
static void test_shared_file_counts_once(void **state)
{
	struct small_world *world = world_new(ONE_CPU);

	(void)state;
	fake_put(&world->fake, SIZE "nr_hugepages", "8\n");
	fake_put(&world->fake, SIZE "free_hugepages", "4\n");
	fake_put(&world->fake, SIZE "resv_hugepages", "0\n");
	fake_put(&world->fake, SIZE "surplus_hugepages", "0\n");
	small_tree_open(&world->small, world->fake.root, list);
	assert_int_equal(small_mkdir(&world->small, "/hugetlb/a"), 0);
	for (pid_t pid = 10; pid < 12; pid++) {
		world_put(world, pid, 1, 0);
		put_map(world, pid, "shared", 6144, 0);
		world_join(world, "/hugetlb/a", pid);
	}
	world_reads(world, "/hugetlb/a/hugetlb.2MB.usage_in_bytes", "6291456\n");
	world_reads(world, "/hugetlb/a/hugetlb.2MB.rsvd.usage_in_bytes", "8388608\n");
	/* one page of it is its own by now, and nothing is reserved */
	put_map(world, 11, "private", 4096, 2048);
	world_reads(world, "/hugetlb/a/hugetlb.2MB.usage_in_bytes", "8388608\n");
	world_close(world);
}

static void test_no_huge_pages_no_files(void **state)
{
	struct small_tree bare;

	(void)state;
	small_tree_open(&bare, FIXTURES "/gvisor", list);
	assert_null(small_read(&bare, "/hugetlb/hugetlb.2MB.usage_in_bytes"));
	assert_int_equal(errno, ENOENT);
	assert_non_null(small_read(&bare, "/hugetlb/notify_on_release"));
	assert_int_equal(small_mkdir(&bare, "/hugetlb/a"), 0);
	small_tree_close(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members_hold_what_the_kernel_charged, open_tree,
						close_tree),
		cmocka_unit_test_setup_teardown(test_shared_pages_count_once_above, open_tree, close_tree),
		cmocka_unit_test_setup_teardown(test_limit_is_not_below_usage, open_tree, close_tree),
		cmocka_unit_test_setup_teardown(test_highest_usage_is_kept, open_tree, close_tree),
		cmocka_unit_test(test_shared_file_counts_once),
		cmocka_unit_test(test_no_huge_pages_no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
