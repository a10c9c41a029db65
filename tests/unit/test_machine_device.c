/* SPDX-License-Identifier: MIT */
/*
 * Disks, network interfaces and huge pages: a recorded machine, odd texts, and the live machine as
 * libc and stat(2) know it.
 */
#include "machines.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine_device.h"
#include "temporary.h"

/* --- disks --- */

static void disks_recorded(void **state)
{
	char *text = fixture_read(FIXTURES "/linux/proc/diskstats", NULL), *save = NULL;
	struct machine_disks disks;
	size_t i = 0;

	(void)state;
	assert_int_equal(machine_disks(linux_machine, &disks), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const struct machine_disk *d = &disks.disk[i++];
		unsigned int major, minor;
		unsigned long v[17];
		char name[64];
		int at;

		assert_true(i <= disks.nr);
		assert_int_equal(sscanf(line, "%u %u %63s%n", &major, &minor, name, &at), 3);
		for (int k = 0; k < 17; k++)
			v[k] = strtoul(line + at, &line, 10), at = 0;
		assert_int_equal(d->major, major);
		assert_int_equal(d->minor, minor);
		assert_string_equal(d->name, name);
		assert_int_equal(d->reads, v[0]);
		assert_int_equal(d->reads_merged, v[1]);
		assert_int_equal(d->sectors_read, v[2]);
		assert_int_equal(d->read_ms, v[3]);
		assert_int_equal(d->writes, v[4]);
		assert_int_equal(d->writes_merged, v[5]);
		assert_int_equal(d->sectors_written, v[6]);
		assert_int_equal(d->write_ms, v[7]);
		assert_int_equal(d->in_flight, v[8]);
		assert_int_equal(d->io_ms, v[9]);
		assert_int_equal(d->weighted_io_ms, v[10]);
		assert_int_equal(d->discards, v[11]);
		assert_int_equal(d->discards_merged, v[12]);
		assert_int_equal(d->sectors_discarded, v[13]);
		assert_int_equal(d->discard_ms, v[14]);
		assert_int_equal(d->flushes, v[15]);
		assert_int_equal(d->flush_ms, v[16]);
	}
	assert_int_equal(disks.nr, i);
	machine_disks_free(&disks);
	machine_disks_free(&disks);
	free(text);
	assert_int_equal(machine_disks(gvisor_machine, &disks), -ENOENT);
}

static void disks_odd(void **state)
{
	static const char text[] =
		"   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n"	/* before 4.18 */
		"   8       1 sda1 1 2 3 4\n"			/* before 2.6.25 */
		"   8       x sdb 1 2 3 4 5 6 7 8 9 10 11\n"
		"   8       2\n\n"
		"4294967296 1 sdc 1 2 3 4 5 6 7 8 9 10 11\n"
		" 259       3 nvme0n1p3_with_a_name_longer_than_any_that_was_seen_so_far "
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18";
	struct machine_disks disks;

	(void)state;
	assert_int_equal(machine_parse_disks(text, strlen(text), &disks), 0);
	assert_int_equal(disks.nr, 2);
	assert_string_equal(disks.disk[0].name, "sda");
	assert_int_equal(disks.disk[0].weighted_io_ms, 11);
	assert_int_equal(disks.disk[0].discards, 0);
	assert_string_equal(disks.disk[1].name,
			    "nvme0n1p3_with_a_name_longer_than_any_that_was_seen_so_far");
	assert_int_equal(disks.disk[1].flush_ms, 17);
	machine_disks_free(&disks);
	assert_int_equal(machine_parse_disks("", 0, &disks), 0);
	assert_int_equal(disks.nr, 0);
	machine_disks_free(&disks);
}

static void block_exists(void **state)
{
	(void)state;
	/* The recorded machine has no /sys/dev/block: by diskstats. */
	assert_true(machine_block_exists(linux_machine, 254, 0));
	assert_false(machine_block_exists(linux_machine, 254, 1));
	assert_false(machine_block_is_partition(linux_machine, 254, 0));
	assert_false(machine_block_exists(gvisor_machine, 254, 0));
}

static void disks_live(void **state)
{
	struct machine_disks disks;
	struct stat st;
	char path[128];

	(void)state;
	if (machine_disks(live_machine, &disks)) {
		print_message("no /proc/diskstats here\n");
		skip();
	}
	for (size_t i = 0; i < disks.nr; i++) {
		const struct machine_disk *d = &disks.disk[i];

		assert_true(machine_block_exists(live_machine, d->major, d->minor));
		snprintf(path, sizeof(path), "/sys/block/%s", d->name);
		assert_int_equal(machine_block_is_partition(live_machine, d->major, d->minor),
				 stat(path, &st) != 0);
		snprintf(path, sizeof(path), "/dev/%s", d->name);
		if (!stat(path, &st) && S_ISBLK(st.st_mode))
			assert_int_equal(st.st_rdev, makedev(d->major, d->minor));
	}
	assert_false(machine_block_exists(live_machine, 4095, 1048575));
	machine_disks_free(&disks);
}

/* --- network interfaces --- */

static void netdevs_recorded(void **state)
{
	static const char *const names[] = { "lo", "ifb0", "ifb1", "eth0" };
	struct machine_netdevs devs;

	(void)state;
	assert_int_equal(machine_netdevs(linux_machine, &devs), 0);
	assert_int_equal(devs.nr, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(devs.dev[i].ifindex, i + 1);
		assert_string_equal(devs.dev[i].name, names[i]);
	}
	machine_netdevs_free(&devs);
	machine_netdevs_free(&devs);
	assert_int_equal(machine_netdevs(gvisor_machine, &devs), 0);
	assert_int_equal(devs.nr, 1);
	assert_int_equal(devs.dev[0].ifindex, 0);
	assert_string_equal(devs.dev[0].name, "lo");
	machine_netdevs_free(&devs);
}

/* An order of files unlike that of numbers, and one without a number. */
static void netdevs_order(void **state)
{
	char root[TEMPORARY_MAX], command[640];
	struct machine_netdevs devs;
	struct machine *machine;

	(void)state;
	assert_non_null(mkdtemp(temporary(root, "/tmp/fcg-unit")));
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p proc/net sys/class/net/b sys/class/net/a sys/class/net/lo && "
		 "printf 'x\\n face |\\n  b: 1\\nodd0:1\\n lo:1 2\\na: 3\\n' > proc/net/dev && "
		 "echo 7 > sys/class/net/b/ifindex && echo 12 > sys/class/net/a/ifindex && "
		 "echo 1 > sys/class/net/lo/ifindex", root);
	assert_int_equal(system(command), 0);
	machine = machine_open(root);
	assert_int_equal(machine_netdevs(machine, &devs), 0);
	assert_int_equal(devs.nr, 4);
	assert_string_equal(devs.dev[0].name, "lo");
	assert_string_equal(devs.dev[1].name, "b");
	assert_string_equal(devs.dev[2].name, "a");
	assert_string_equal(devs.dev[3].name, "odd0");
	assert_int_equal(devs.dev[3].ifindex, 0);
	machine_netdevs_free(&devs);
	machine_close(machine);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void netdevs_live(void **state)
{
	struct if_nameindex *all = if_nameindex();
	struct machine_netdevs devs;
	size_t nr = 0;

	(void)state;
	assert_int_equal(machine_netdevs(live_machine, &devs), 0);
	while (all && all[nr].if_index)
		nr++;
	assert_int_equal(devs.nr, nr);
	/* gVisor has no /sys/class/net: the names are right, the numbers unknown. */
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(if_nametoindex(devs.dev[i].name),
				 access("/sys/class/net", F_OK) ? all[i].if_index :
				 devs.dev[i].ifindex);
	if_freenameindex(all);
	machine_netdevs_free(&devs);
}

/* --- huge pages --- */

static void hugepages_recorded(void **state)
{
	struct machine_hugepages pages;

	(void)state;
	assert_int_equal(machine_hugepages(linux_machine, &pages), 0);
	assert_int_equal(pages.nr, 2);
	assert_int_equal(pages.size[0].size, 2 << 20);
	assert_string_equal(pages.size[0].name, "2MB");
	assert_int_equal(pages.size[1].size, 1 << 30);
	assert_string_equal(pages.size[1].name, "1GB");
	machine_hugepages_free(&pages);
	machine_hugepages_free(&pages);
	assert_int_equal(machine_node_hugepages(linux_machine, 0, &pages), 0);
	assert_int_equal(pages.nr, 2);
	machine_hugepages_free(&pages);
	assert_int_equal(machine_node_hugepages(linux_machine, 1, &pages), -ENOENT);
	assert_int_equal(machine_hugepages(gvisor_machine, &pages), -ENOENT);
}

static void hugepages_counts(void **state)
{
	char root[TEMPORARY_MAX], command[768];
	struct machine_hugepages pages;
	struct machine *machine;

	(void)state;
	assert_non_null(mkdtemp(temporary(root, "/tmp/fcg-unit")));
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p proc sys/kernel/mm/hugepages/hugepages-64kB "
		 "sys/kernel/mm/hugepages/hugepages-32768kB sys/kernel/mm/hugepages/other && "
		 "cd sys/kernel/mm/hugepages/hugepages-64kB && echo 9 > nr_hugepages && "
		 "echo 8 > free_hugepages && echo 7 > resv_hugepages && echo 6 > surplus_hugepages && "
		 "echo 5 > nr_overcommit_hugepages", root);
	assert_int_equal(system(command), 0);
	machine = machine_open(root);
	assert_int_equal(machine_hugepages(machine, &pages), 0);
	assert_int_equal(pages.nr, 2);
	assert_string_equal(pages.size[0].name, "64KB");
	assert_int_equal(pages.size[0].nr, 9);
	assert_int_equal(pages.size[0].free, 8);
	assert_int_equal(pages.size[0].resv, 7);
	assert_int_equal(pages.size[0].surplus, 6);
	assert_int_equal(pages.size[0].overcommit, 5);
	assert_string_equal(pages.size[1].name, "32MB");
	assert_int_equal(pages.size[1].nr, 0);
	machine_hugepages_free(&pages);
	machine_close(machine);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void hugepage_names(void **state)
{
	static const struct {
		uint64_t size;
		const char *name;
	} names[] = {
		{ 64 << 10, "64KB" }, { 1 << 20, "1MB" }, { 2 << 20, "2MB" }, { 512 << 20, "512MB" },
		{ 1 << 30, "1GB" }, { 16ull << 30, "16GB" }, { UINT64_MAX, "17179869183GB" },
	};
	static const struct {
		const char *name;
		uint64_t size;
	} dirs[] = {
		{ "hugepages-2048kB", 2 << 20 }, { "hugepages-1048576kB", 1 << 30 },
		{ "hugepages-64kB", 65536 }, { "hugepages-2048", 0 }, { "hugepages-kB", 0 },
		{ "hugepages-2048kBx", 0 }, { "hugepages-2048KB", 0 }, { "hugepages--1kB", 0 },
		{ "hugepages-18446744073709551615kB", 0 }, { "hugepages", 0 }, { "", 0 },
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		machine_hugepage_name(names[i].size, text);
		assert_string_equal(text, names[i].name);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(machine_parse_hugepage_dir(dirs[i].name, strlen(dirs[i].name)),
				 dirs[i].size);
}

/* --- all parsers --- */

static void cut_anywhere(void **state)
{
	static const char *const paths[] = {
		FIXTURES "/linux/proc/diskstats", FIXTURES "/linux/proc/net/dev",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t len;
		char *text = fixture_read(paths[i], &len);

		for (size_t cut = 0; cut <= len; cut++) {
			char *copy = memcpy(malloc(cut ? cut : 1), text, cut);
			struct machine_disks disks;
			struct machine_netdevs devs;

			assert_int_equal(machine_parse_disks(copy, cut, &disks), 0);
			machine_disks_free(&disks);
			assert_int_equal(machine_parse_netdevs(copy, cut, &devs), 0);
			machine_netdevs_free(&devs);
			free(copy);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_recorded),
		cmocka_unit_test(disks_odd),
		cmocka_unit_test(block_exists),
		cmocka_unit_test(disks_live),
		cmocka_unit_test(netdevs_recorded),
		cmocka_unit_test(netdevs_order),
		cmocka_unit_test(netdevs_live),
		cmocka_unit_test(hugepages_recorded),
		cmocka_unit_test(hugepages_counts),
		cmocka_unit_test(hugepage_names),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, open_machines, close_machines);
}
