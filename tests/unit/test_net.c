/* SPDX-License-Identifier: MIT */
/* net_cls and net_prio: what is inherited, and interfaces that come and go. */
#include "fake_machine.h"
#include "fixture.h"
#include "small_tree.h"

static const struct controller *const net[] = {&net_cls_controller, &net_prio_controller, NULL};

static struct fake_machine fake;
static struct small_tree small;

static void put_interface(const char *names, const char *name, const char *index)
{
	char path[64];

	fake_put(&fake, "proc/net/dev", names);
	snprintf(path, sizeof(path), "sys/class/net/%s/ifindex", name);
	fake_put(&fake, path, index);
}

static int setup(void **state)
{
	(void)state;
	fake_open(&fake);
	put_interface("Inter-|\n face |\n  lo: 0\n", "lo", "1\n");
	put_interface("Inter-|\n face |\n  lo: 0\neth0: 0\n", "eth0", "2\n");
	small_tree_open(&small, fake.root, net);
	assert_int_equal(small_mkdir(&small, "/net_prio/a"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	small_tree_close(&small);
	fake_close(&fake);
	return 0;
}

#define PRIOMAP "/net_prio/a/net_prio.ifpriomap"

static void classid_is_inherited_once(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, "/net_cls/net_cls.classid", "0x1ffffffff"), 0);
	assert_string_equal(small_read(&small, "/net_cls/net_cls.classid"), "4294967295\n");
	assert_int_equal(small_mkdir(&small, "/net_cls/a"), 0);
	assert_int_equal(small_write(&small, "/net_cls/net_cls.classid", "5"), 0);
	assert_string_equal(small_read(&small, "/net_cls/a/net_cls.classid"), "4294967295\n");
}

static void priorities_are_per_interface(void **state)
{
	(void)state;
	assert_string_equal(small_read(&small, PRIOMAP), "lo 0\neth0 0\n");
	assert_int_equal(small_write(&small, PRIOMAP, "eth0 5"), 0);
	assert_int_equal(small_write(&small, PRIOMAP, "\tlo\n\n7zz"), 0);
	assert_string_equal(small_read(&small, PRIOMAP), "lo 7\neth0 5\n");
	assert_int_equal(small_mkdir(&small, "/net_prio/a/b"), 0);
	assert_int_equal(small_write(&small, PRIOMAP, "lo 4294967297"), 0);
	assert_string_equal(small_read(&small, PRIOMAP), "lo 1\neth0 5\n");
	assert_string_equal(small_read(&small, "/net_prio/a/b/net_prio.ifpriomap"), "lo 7\neth0 5\n");
	assert_string_equal(small_read(&small, "/net_prio/net_prio.ifpriomap"), "lo 0\neth0 0\n");
}

static void refusals(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, PRIOMAP, "lo"), -EINVAL);
	assert_int_equal(small_write(&small, PRIOMAP, "lo -1"), -EINVAL);
	assert_int_equal(small_write(&small, PRIOMAP, " "), -EINVAL);
	assert_int_equal(small_write(&small, PRIOMAP, "wlan0 1"), -ENODEV);
	assert_int_equal(small_write(&small, PRIOMAP, "abcdefghijklmnop 5"), -ENODEV);
	assert_int_equal(small_write(&small, PRIOMAP, "abcdefghijklmnop5"), -ENODEV);
	assert_int_equal(small_write(&small, PRIOMAP, "abcdefghijklmnopq 5"), -EINVAL);
	assert_int_equal(small_write(&small, "/net_prio/a/net_prio.prioidx", "1"), -EINVAL);
}

static void another_interface_of_the_same_name_starts_anew(void **state)
{
	(void)state;
	assert_int_equal(small_write(&small, PRIOMAP, "eth0 5"), 0);
	put_interface("Inter-|\n face |\n  lo: 0\neth0: 0\n", "eth0", "9\n");
	assert_string_equal(small_read(&small, PRIOMAP), "lo 0\neth0 0\n");
}

static void indexes_are_the_lowest_free(void **state)
{
	(void)state;
	assert_string_equal(small_read(&small, "/net_prio/net_prio.prioidx"), "1\n");
	assert_string_equal(small_read(&small, "/net_prio/a/net_prio.prioidx"), "2\n");
	assert_int_equal(small_mkdir(&small, "/net_prio/b"), 0);
	assert_int_equal(small_mkdir(&small, "/net_prio/c"), 0);
	assert_string_equal(small_read(&small, "/net_prio/c/net_prio.prioidx"), "4\n");
	assert_int_equal(small_rmdir(&small, "/net_prio/b"), 0);
	assert_int_equal(small_mkdir(&small, "/net_prio/d"), 0);
	assert_string_equal(small_read(&small, "/net_prio/d/net_prio.prioidx"), "3\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(classid_is_inherited_once),
		TEST(priorities_are_per_interface),
		TEST(refusals),
		TEST(another_interface_of_the_same_name_starts_anew),
		TEST(indexes_are_the_lowest_free),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
