/* SPDX-License-Identifier: MIT */
/*
 * What only some kernels are built with, on a v2 tree: dmem, io.latency, io.prio.class, irq.pressure. Forms
 * and errors are those of block/blk-iolatency.c, block/blk-ioprio.c, kernel/cgroup/dmem.c and
 * kernel/sched/psi.c, as no kernel at hand has them.
 */
#include "fixture.h"

#include "small_machine.h"

static int set_up(void **state)
{
	static const char all[] = "+io +dmem";

	(void)state;
	copy_machine();
	shell("cd %s/sys && mkdir -p dev/block/8:0/queue");
	shell("mkdir -p %s/proc/pressure");
	shell("cd %s/proc/pressure && for file in cpu memory io irq; do echo \"$file's\" >$file; done");
	small = (struct small_tree){.machine = machine_open(machine)};
	small.accounting = accounting_new(small.machine);
	small.tree = tree_new_unified(dfl_controllers, small.machine, small.accounting);
	assert_non_null(small.tree);
	assert_int_equal(small_mkdir(&small, "/a"), 0);
	assert_int_equal(small_write(&small, "/cgroup.subtree_control", all), 0);
	return 0;
}

#define assert_file(path, text) assert_string_equal(small_read(&small, path), text)

static void assert_absent(const char *path)
{
	assert_null(small_read(&small, path));
	assert_int_equal(errno, ENOENT);
}

static void test_files_are_there_when_wanted(void **state)
{
	(void)state;
	assert_absent("/a/io.latency");
	assert_absent("/a/io.prio.class");
	assert_false(tree_want_file(small.tree, "io.max"));
	assert_false(tree_want_file(small.tree, "io.nosuch"));
	assert_true(tree_want_file(small.tree, "io.latency"));
	assert_true(tree_want_file(small.tree, "io.prio.class"));
	assert_file("/a/io.latency", "");
	assert_absent("/io.latency"); /* CFTYPE_NOT_ON_ROOT */
	assert_file("/a/io.prio.class", "no-change\n");
	assert_file("/io.prio.class", "no-change\n");
}

static void test_latency(void **state)
{
	static const struct {
		const char *input;
		int error;
		const char *after;
	} steps[] = {
		{"8:0 target=100", 0, "8:0 target=100\n"},
		{"8:0 target=7x\n", 0, "8:0 target=7\n"},
		{"8:0 target=1 target=9", 0, "8:0 target=9\n"},
		{"8:0 target=5 ", -EINVAL, "8:0 target=9\n"},
		{"8:0 target=1  target=2", -EINVAL, "8:0 target=9\n"},
		{"8:0 target=", -EINVAL, "8:0 target=9\n"},
		{"8:0 target=-1", -EINVAL, "8:0 target=9\n"},
		{"8:0 Target=1", -EINVAL, "8:0 target=9\n"},
		{"8:0 window=1", -EINVAL, "8:0 target=9\n"},
		{"8:0 100", -EINVAL, "8:0 target=9\n"},
		{"8:0 ", -EINVAL, "8:0 target=9\n"},
		{"8:0", -EINVAL, "8:0 target=9\n"},
		{"99:0 target=1", -ENODEV, "8:0 target=9\n"},
		{"8:0 target=max\n", 0, ""},
		{"8:0 target=3", 0, "8:0 target=3\n"},
		{"8:0 target=0", 0, ""},
	};

	(void)state;
	assert_true(tree_want_file(small.tree, "io.latency"));
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(small_write(&small, "/a/io.latency", steps[i].input), steps[i].error);
		assert_file("/a/io.latency", steps[i].after);
	}
}

static void test_class(void **state)
{
	static const char *const classes[] = {"promote-to-rt", "restrict-to-be", "idle", "none-to-rt",
					      "no-change"};
	static const char *const others[] = {"", " idle", "idle ", "idle\n\n", "rt", "Idle"};

	(void)state;
	assert_true(tree_want_file(small.tree, "io.prio.class"));
	for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		char line[32];

		snprintf(line, sizeof(line), "%s\n", classes[i]);
		assert_int_equal(small_write(&small, "/a/io.prio.class", i % 2 ? line : classes[i]), 0);
		assert_file("/a/io.prio.class", line);
	}
	for (unsigned i = 1; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(small_write(&small, "/a/io.prio.class", others[i]), -EINVAL);
	assert_file("/a/io.prio.class", "no-change\n");
}

static void test_dmem(void **state)
{
	static const char *const limits[] = {"/a/dmem.min", "/a/dmem.low", "/a/dmem.max"};

	(void)state;
	assert_file("/cgroup.subtree_control", "io dmem\n");
	assert_file("/dmem.capacity", "");
	assert_file("/dmem.current", "");
	assert_absent("/dmem.max");
	assert_absent("/a/dmem.capacity");
	assert_file("/a/dmem.current", "");
	for (unsigned i = 0; i < 3; i++) {
		assert_file(limits[i], "");
		assert_int_equal(small_write(&small, limits[i], "\n \n"), 0);
		assert_int_equal(small_write(&small, limits[i], "drm/0000:03:00.0/vram0 1G"), -EINVAL);
		assert_int_equal(small_write(&small, limits[i], "\nmax\n"), -EINVAL);
	}
}

/* Interrupts hold up whatever a CPU runs: there is only "full" of them (psi_show, psi_trigger_create). */
static void test_irq_pressure(void **state)
{
	static const struct {
		const char *input;
		int irq, cpu;
	} triggers[] = {
		{"full 150000 1000000", 0, 0},
		{"some 150000 1000000", -EINVAL, 0},
		{"full 2000000 1000000", -EINVAL, -EINVAL},
		{"full 1", -EINVAL, -EINVAL},
		{"irq 150000 1000000", -EINVAL, -EINVAL},
	};

	(void)state;
	assert_file("/irq.pressure", "irq's\n");
	assert_file("/a/irq.pressure", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	assert_file("/a/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
				       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	for (unsigned i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		assert_int_equal(small_write(&small, "/a/irq.pressure", triggers[i].input), triggers[i].irq);
		assert_int_equal(small_write(&small, "/a/cpu.pressure", triggers[i].input), triggers[i].cpu);
	}
	assert_int_equal(small_write(&small, "/a/cgroup.pressure", "0"), 0);
	assert_absent("/a/irq.pressure");
	assert_int_equal(small_write(&small, "/a/cgroup.pressure", "1"), 0);
	assert_file("/a/irq.pressure", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_are_there_when_wanted),
		TEST(test_latency),
		TEST(test_class),
		TEST(test_dmem),
		TEST(test_irq_pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
