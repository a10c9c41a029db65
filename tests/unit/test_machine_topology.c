/* SPDX-License-Identifier: MIT */
/* The CPU and node lists: recorded, made up, and the live machine's beside what libc says of it. */
#include "machines.h"
#include "temporary.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static void expect_list(struct bitmap *map, unsigned int nr, const char *expected)
{
	char text[64];

	assert_int_equal(map->nr, nr);
	bitmap_print_list(map, text, sizeof(text));
	assert_string_equal(text, expected);
	bitmap_free(map);
}

static void recorded(void **state)
{
	struct bitmap *map;

	(void)state;
	for (int which = MACHINE_CPUS_ONLINE; which <= MACHINE_CPUS_PRESENT; which++) {
		assert_int_equal(machine_cpus(linux_machine, which, &map), 0);
		expect_list(map, 2, "0-1");
		assert_int_equal(machine_cpus(gvisor_machine, which, &map), 0);
		expect_list(map, 2, "0-1");
	}
	for (int which = MACHINE_NODES_ONLINE; which <= MACHINE_NODES_MEMORY; which++) {
		assert_int_equal(machine_nodes(linux_machine, which, &map), 0);
		expect_list(map, 1024, "0");
		assert_int_equal(machine_nodes(gvisor_machine, which, &map), 0);
		expect_list(map, 4, "0");
	}
}

/* A root made for one test: files are given as pairs of path and content. */
static struct machine *make_machine(char *root, const char *const *files)
{
	char command[PATH_MAX];

	assert_non_null(mkdtemp(temporary(root, "/tmp/fcg-unit")));
	snprintf(command, sizeof(command), "mkdir -p %s/proc", root);
	assert_int_equal(system(command), 0);
	for (; *files; files += 2) {
		FILE *file;

		snprintf(command, sizeof(command), "mkdir -p $(dirname %s/%s)", root, files[0]);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof(command), "%s/%s", root, files[0]);
		file = fopen(command, "we");
		fputs(files[1], file);
		fclose(file);
	}
	return machine_open(root);
}

static void remove_machine(struct machine *machine, const char *root)
{
	char command[PATH_MAX];

	machine_close(machine);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void with_holes(void **state)
{
	static const char *const files[] = {
		"sys/devices/system/cpu/possible", "0-127\n",
		"sys/devices/system/cpu/online", "0-2,64\n",
		"sys/devices/system/cpu/present", "0-63,64\n",
		"sys/devices/system/node/online", "0,2\n",
		"sys/devices/system/node/has_memory", "2\n",
		"sys/devices/system/node/node2/cpulist", "64\n",
		"sys/devices/system/node/node0/cpulist", "\n",
		"proc/self/status", "Name:\tx\nMems_allowed:\tff,00000001\nMems_allowed_list:\t0\n",
		NULL,
	};
	char root[TEMPORARY_MAX];
	struct machine *machine = make_machine(root, files);
	struct bitmap *map;

	(void)state;
	machine_cpus(machine, MACHINE_CPUS_ONLINE, &map);
	expect_list(map, 128, "0-2,64");
	machine_cpus(machine, MACHINE_CPUS_PRESENT, &map);
	expect_list(map, 128, "0-64");
	machine_nodes(machine, MACHINE_NODES_MEMORY, &map);
	expect_list(map, 40, "2");
	/* No file "possible": the online ones. */
	machine_nodes(machine, MACHINE_NODES_POSSIBLE, &map);
	expect_list(map, 40, "0,2");
	remove_machine(machine, root);
}

static void without_sys(void **state)
{
	static const char *const some[] = {
		"proc/stat", "cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu5 1 2 3 4\n", NULL,
	};
	static const char *const damaged[] = {
		"sys/devices/system/cpu/possible", "x\n", "sys/devices/system/cpu/online", "",
		"proc/stat", "junk", NULL,
	};
	char root[TEMPORARY_MAX];
	struct machine *machine = make_machine(root, some);
	struct bitmap *map;

	(void)state;
	for (int which = MACHINE_CPUS_ONLINE; which <= MACHINE_CPUS_PRESENT; which++) {
		machine_cpus(machine, which, &map);
		expect_list(map, 6, "0,5");
	}
	machine_nodes(machine, MACHINE_NODES_MEMORY, &map);
	expect_list(map, 64, "0");
	remove_machine(machine, root);

	machine = make_machine(root, damaged);
	machine_cpus(machine, MACHINE_CPUS_ONLINE, &map);
	expect_list(map, 1, "0");
	remove_machine(machine, root);
}

static void live(void **state)
{
	struct bitmap *map;

	(void)state;
	machine_cpus(live_machine, MACHINE_CPUS_ONLINE, &map);
	assert_int_equal(bitmap_weight(map), sysconf(_SC_NPROCESSORS_ONLN));
	bitmap_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded),
		cmocka_unit_test(with_holes),
		cmocka_unit_test(without_sys),
		cmocka_unit_test(live),
	};

	return cmocka_run_group_tests(tests, open_machines, close_machines);
}
