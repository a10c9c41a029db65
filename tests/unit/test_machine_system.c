/* SPDX-License-Identifier: MIT */
/*
 * /proc/stat, meminfo, vmstat and uptime: files recorded from Linux 6.18 and from gVisor are read a
 * second time here with sscanf(), odd ones are made up, and the live machine is compared with what
 * libc says of it.
 */
#include "machines.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void open_errors(void **state)
{
	(void)state;
	errno = 0;
	assert_null(machine_open(FIXTURES "/nowhere"));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(machine_open(FIXTURES "/number"));
	assert_int_equal(errno, ENOENT);
}

/* --- stat --- */

static void check_stat(const struct machine *machine, const char *path)
{
	char *text = fixture_read(path, NULL), *save = NULL;
	struct machine_stat stat;
	unsigned int cpus = 0;

	assert_int_equal(machine_stat(machine, &stat), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long v[10];
		const struct machine_cpu_time *t = &stat.total;
		unsigned int id;

		if (sscanf(line, "btime %lu", v) == 1)
			assert_int_equal(stat.btime, v[0]);
		if (sscanf(line, "ctxt %lu", v) == 1)
			assert_int_equal(stat.ctxt, v[0]);
		if (sscanf(line, "processes %lu", v) == 1)
			assert_int_equal(stat.processes, v[0]);
		if (sscanf(line, "procs_running %lu", v) == 1)
			assert_int_equal(stat.procs_running, v[0]);
		if (strncmp(line, "cpu", 3))
			continue;
		if (line[3] != ' ' && sscanf(line, "cpu%u", &id) == 1) {
			t = machine_stat_cpu(&stat, id);
			assert_non_null(t);
			cpus++;
		}
		line += strcspn(line, " ");
		assert_int_equal(sscanf(line, "%lu %lu %lu %lu %lu %lu %lu %lu %lu %lu", v, v + 1,
					v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9), 10);
		assert_int_equal(t->user, v[0]);
		assert_int_equal(t->nice, v[1]);
		assert_int_equal(t->system, v[2]);
		assert_int_equal(t->idle, v[3]);
		assert_int_equal(t->iowait, v[4]);
		assert_int_equal(t->irq, v[5]);
		assert_int_equal(t->softirq, v[6]);
		assert_int_equal(t->steal, v[7]);
		assert_int_equal(t->guest, v[8]);
		assert_int_equal(t->guest_nice, v[9]);
	}
	assert_int_equal(stat.nr_cpu, cpus);
	assert_true(cpus);
	machine_stat_free(&stat);
	free(text);
}

static void stat_recorded(void **state)
{
	(void)state;
	check_stat(linux_machine, FIXTURES "/linux/proc/stat");
	check_stat(gvisor_machine, FIXTURES "/gvisor/proc/stat");
}

/* 4096 CPUs of which every third is offline. */
static void stat_many_cpus(void **state)
{
	char *text = malloc(4096 * 80), *at = text;
	struct machine_stat stat;

	(void)state;
	at += sprintf(at, "cpu  1 2 3 4 5 6 7 8 9 10\n");
	for (int i = 0; i < 4096; i++)
		if (i % 3)
			at += sprintf(at, "cpu%d %d 2 3 4 5 6 7 8 9 10\n", i, i);
	assert_int_equal(machine_parse_stat(text, at - text, &stat), 0);
	free(text);
	assert_int_equal(stat.nr_cpu, 2730);
	assert_null(machine_stat_cpu(&stat, 0));
	assert_null(machine_stat_cpu(&stat, 3));
	assert_null(machine_stat_cpu(&stat, 4096));
	assert_int_equal(machine_stat_cpu(&stat, 4094)->user, 4094);
	assert_int_equal(machine_stat_cpu(&stat, 1)->guest_nice, 10);
	machine_stat_free(&stat);
}

static int parse_stat(const char *text, struct machine_stat *stat)
{
	return machine_parse_stat(text, strlen(text), stat);
}

static void stat_damaged(void **state)
{
	struct machine_stat stat = { .btime = 77 };

	(void)state;
	assert_int_equal(parse_stat("", &stat), -EINVAL);
	assert_int_equal(parse_stat("cpu0 1 2 3 4\nbtime 5\n", &stat), -EINVAL);
	assert_int_equal(parse_stat("cpu  1 2 3\n", &stat), -EINVAL);
	assert_int_equal(stat.btime, 77);
	/* An old kernel has fewer columns; the damaged lines count for nothing. */
	assert_int_equal(parse_stat("cpu  1 2 3 4\ncpu1 1 2 x 4\ncpu2 5 6 7 8\ncpu2 9 9 9 9\n"
				    "cpu1 9 9 9 9\ncpu99999 1 2 3 4\ncpux 1 2 3 4\nbtime -5\n"
				    "cpu7 1 2 3 99999999999999999999\ncpufreq 1 2 3 4", &stat), 0);
	assert_int_equal(stat.total.idle, 4);
	assert_int_equal(stat.total.iowait, 0);
	assert_int_equal(stat.nr_cpu, 1);
	assert_int_equal(machine_stat_cpu(&stat, 2)->user, 5);
	assert_int_equal(stat.btime, 0);
	machine_stat_free(&stat);
	machine_stat_free(&stat);
}

static void stat_live(void **state)
{
	struct machine_stat stat;

	(void)state;
	assert_int_equal(machine_stat(live_machine, &stat), 0);
	assert_int_equal(stat.nr_cpu, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(stat.total.idle > 0);
	assert_int_equal(sysconf(_SC_CLK_TCK), MACHINE_USER_HZ);
	machine_stat_free(&stat);
}

static void uptime(void **state)
{
	struct timespec now;
	uint64_t ns = 77;

	(void)state;
	assert_int_equal(machine_parse_uptime("", 0, &ns), -EINVAL);
	assert_int_equal(machine_parse_uptime("x", 1, &ns), -EINVAL);
	assert_int_equal(machine_parse_uptime("99999999999999999999.00", 23, &ns), -EINVAL);
	assert_int_equal(ns, 77);
	assert_int_equal(machine_parse_uptime("12.34 5.67\n", 11, &ns), 0);
	assert_int_equal(ns, 12340000000);
	assert_int_equal(machine_parse_uptime("12.34", 2, &ns), 0);
	assert_int_equal(ns, 12000000000);
	assert_int_equal(machine_parse_uptime("0.1234567891234", 15, &ns), 0);
	assert_int_equal(ns, 123456789);
	assert_int_equal(machine_uptime(live_machine, &ns), 0);
	clock_gettime(CLOCK_BOOTTIME, &now);
	/* gVisor's uptime and clock start apart by some ms. */
	assert_true(llabs((int64_t)ns - now.tv_sec * 1000000000 - now.tv_nsec) < 2000000000);
}

/* --- meminfo --- */

static bool has_value(const struct machine_meminfo *info, uint64_t value)
{
	for (int i = 0; i < MACHINE_MEM_NR; i++)
		if (info->present >> i & 1 && info->value[i] == value)
			return true;
	return false;
}

/* Every line's value is somewhere in info, and info has as many as there are lines we know. */
static void check_meminfo(const struct machine_meminfo *info, const char *path, int unknown)
{
	char *text = fixture_read(path, NULL), *save = NULL;
	int lines = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, ':') + 1, *end;
		uint64_t v = strtoull(value, &end, 10);

		if (!strcmp(end, " kB"))
			v *= 1024;
		if (!strstr(line, "VmallocChunk") && !strstr(line, "DirectMap") &&
		    !strstr(line, "SwapCache:"))
			assert_true(has_value(info, v));
		lines++;
	}
	assert_int_equal(__builtin_popcountll(info->present), lines - unknown);
	free(text);
}

static uint64_t line_value(const char *path, const char *name)
{
	char *text = fixture_read(path, NULL), *at = strstr(text, name);
	uint64_t v;

	assert_non_null(at);
	v = strtoull(at + strlen(name), NULL, 10);
	free(text);
	return v;
}

static void meminfo_recorded(void **state)
{
	static const struct {
		const char *name;
		enum machine_mem field;
	} fields[] = {
		{ "MemTotal:", MACHINE_MEM_TOTAL }, { "\nBuffers:", MACHINE_MEM_BUFFERS },
		{ "\nCached:", MACHINE_MEM_CACHED }, { "\nSwapTotal:", MACHINE_MEM_SWAPTOTAL },
		{ "\nActive:", MACHINE_MEM_ACTIVE }, { "\nInactive:", MACHINE_MEM_INACTIVE },
		{ "Active(anon):", MACHINE_MEM_ACTIVE_ANON },
		{ "Inactive(file):", MACHINE_MEM_INACTIVE_FILE },
		{ "AnonPages:", MACHINE_MEM_ANONPAGES }, { "Mapped:", MACHINE_MEM_MAPPED },
		{ "Shmem:", MACHINE_MEM_SHMEM }, { "Dirty:", MACHINE_MEM_DIRTY },
		{ "\nSlab:", MACHINE_MEM_SLAB }, { "SReclaimable:", MACHINE_MEM_SRECLAIMABLE },
		{ "KernelStack:", MACHINE_MEM_KERNELSTACK },
		{ "\nPageTables:", MACHINE_MEM_PAGETABLES }, { "Percpu:", MACHINE_MEM_PERCPU },
		{ "VmallocUsed:", MACHINE_MEM_VMALLOCUSED },
		{ "Hugepagesize:", MACHINE_MEM_HUGEPAGESIZE },
	};
	struct machine_meminfo info;

	(void)state;
	assert_int_equal(machine_meminfo(linux_machine, &info), 0);
	/* VmallocChunk and three DirectMaps. */
	check_meminfo(&info, FIXTURES "/linux/proc/meminfo", 4);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_int_equal(info.value[fields[i].field],
				 line_value(FIXTURES "/linux/proc/meminfo", fields[i].name) * 1024);
	assert_false(machine_mem_has(&info, MACHINE_MEM_USED));
	assert_int_equal(machine_node_meminfo(linux_machine, 0, &info), 0);
	check_meminfo(&info, FIXTURES "/linux/sys/devices/system/node/node0/meminfo", 0);
	assert_true(machine_mem_has(&info, MACHINE_MEM_FILEPAGES));
	assert_int_equal(info.value[MACHINE_MEM_FILEPAGES],
			 line_value(FIXTURES "/linux/sys/devices/system/node/node0/meminfo",
				    "FilePages:") * 1024);
	assert_int_equal(machine_node_meminfo(linux_machine, 1, &info), -ENOENT);

	assert_int_equal(machine_meminfo(gvisor_machine, &info), 0);
	/* SwapCache, which is SwapCached elsewhere. */
	check_meminfo(&info, FIXTURES "/gvisor/proc/meminfo", 1);
	assert_false(machine_mem_has(&info, MACHINE_MEM_SLAB));
	assert_int_equal(machine_node_meminfo(gvisor_machine, 0, &info), -ENOENT);
}

static void meminfo_damaged(void **state)
{
	static const char text[] =
		"MemTotal:  12 kB\nMemFree: 13\nHugePages_Total:  5\nCached 4 kB\nBuffers: -1 kB\n"
		"Active: 5 MB\nInactive: x kB\nDirty:\nSlab: 99999999999999999999 kB\n"
		"Shmem: 18446744073709551615 kB\nNode x Mapped: 4 kB\nNode 3 Mlocked: 4 kB\n"
		"Mem: 1 kB\nMemTotalX: 1 kB\n:\n Bounce: 1 kB\nPercpu: 7 kB";
	struct machine_meminfo info;

	(void)state;
	machine_parse_meminfo(text, strlen(text), &info);
	assert_int_equal(info.present,
			 1ull << MACHINE_MEM_TOTAL | 1ull << MACHINE_MEM_FREE |
			 1ull << MACHINE_MEM_HUGEPAGES_TOTAL | 1ull << MACHINE_MEM_MLOCKED |
			 1ull << MACHINE_MEM_PERCPU);
	assert_int_equal(info.value[MACHINE_MEM_TOTAL], 12288);
	assert_int_equal(info.value[MACHINE_MEM_FREE], 13);
	assert_int_equal(info.value[MACHINE_MEM_HUGEPAGES_TOTAL], 5);
	assert_int_equal(info.value[MACHINE_MEM_PERCPU], 7168);
	/* Cut off in the unit: not a number of kB any more. */
	machine_parse_meminfo("Percpu: 7 k", 11, &info);
	assert_int_equal(info.present, 0);
}

static void meminfo_live(void **state)
{
	struct machine_meminfo info;

	(void)state;
	assert_int_equal(machine_meminfo(live_machine, &info), 0);
	assert_int_equal(info.value[MACHINE_MEM_TOTAL] / number_page_size(),
			 sysconf(_SC_PHYS_PAGES));
}

/* --- vmstat --- */

static void check_vmstat(const struct machine_vmstat *vmstat, const char *path)
{
	char *text = fixture_read(path, NULL), *save = NULL;
	size_t lines = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[64];
		unsigned long expected;
		uint64_t value;

		assert_int_equal(sscanf(line, "%63s %lu", name, &expected), 2);
		assert_true(machine_vmstat_get(vmstat, name, &value));
		assert_int_equal(value, expected);
		assert_int_equal(machine_vmstat_value(vmstat, name), expected);
		lines++;
	}
	assert_int_equal(machine_vmstat_count(vmstat), lines);
	free(text);
}

static void vmstat_recorded(void **state)
{
	struct machine_vmstat *vmstat = NULL;
	uint64_t value = 77;

	(void)state;
	assert_int_equal(machine_vmstat(linux_machine, &vmstat), 0);
	check_vmstat(vmstat, FIXTURES "/linux/proc/vmstat");
	assert_false(machine_vmstat_get(vmstat, "pgfaul", &value));
	assert_false(machine_vmstat_get(vmstat, "pgfaultx", &value));
	assert_false(machine_vmstat_get(vmstat, "", &value));
	assert_int_equal(value, 77);
	assert_int_equal(machine_vmstat_value(vmstat, "nr_nothing"), 0);
	machine_vmstat_free(vmstat);
	vmstat = NULL;
	assert_int_equal(machine_vmstat(gvisor_machine, &vmstat), -ENOENT);
	assert_null(vmstat);
	assert_int_equal(machine_vmstat_value(vmstat, "pgfault"), 0);
	assert_int_equal(machine_vmstat_count(vmstat), 0);
	machine_vmstat_free(vmstat);
}

static void vmstat_damaged(void **state)
{
	static const char text[] = "a 1\n\nb\nc x\n d 4\ne 5 junk\na 9\nlong_name_of_a_counter -1\n"
				   "f 18446744073709551615\ng 18446744073709551616\n h\0i 3\nz 12";
	struct machine_vmstat *vmstat;
	uint64_t value;

	(void)state;
	assert_int_equal(machine_parse_vmstat(text, sizeof(text) - 1, &vmstat), 0);
	assert_int_equal(machine_vmstat_count(vmstat), 5);
	assert_int_equal(machine_vmstat_value(vmstat, "a"), 1);
	assert_int_equal(machine_vmstat_value(vmstat, "d"), 4);
	assert_int_equal(machine_vmstat_value(vmstat, "e"), 5);
	assert_true(machine_vmstat_value(vmstat, "f") == UINT64_MAX);
	assert_int_equal(machine_vmstat_value(vmstat, "z"), 12);
	assert_string_equal(machine_vmstat_at(vmstat, 4, &value), "z");
	assert_int_equal(value, 12);
	machine_vmstat_free(vmstat);
	assert_int_equal(machine_parse_vmstat("", 0, &vmstat), 0);
	assert_false(machine_vmstat_get(vmstat, "a", &value));
	machine_vmstat_free(vmstat);
}

/* More counters than any kernel has: the table grows, names of equal ends stay apart. */
static void vmstat_many(void **state)
{
	char *text = malloc(10000 * 48), *at = text, name[48];
	struct machine_vmstat *vmstat;

	(void)state;
	for (int i = 0; i < 10000; i++)
		at += sprintf(at, "workingset_%d_refault_file %d\n", i, i);
	assert_int_equal(machine_parse_vmstat(text, at - text, &vmstat), 0);
	free(text);
	for (int i = 0; i < 10000; i++) {
		sprintf(name, "workingset_%d_refault_file", i);
		assert_int_equal(machine_vmstat_value(vmstat, name), i);
	}
	machine_vmstat_free(vmstat);
}

/* --- all parsers --- */

/* A copy of exactly len bytes, so that the address sanitizer sees what is read past it. */
static void parse_cut(const char *text, size_t len)
{
	char *copy = memcpy(malloc(len ? len : 1), text, len);
	struct machine_stat stat;
	struct machine_meminfo info;
	struct machine_vmstat *vmstat;
	uint64_t ns;

	if (!machine_parse_stat(copy, len, &stat))
		machine_stat_free(&stat);
	machine_parse_meminfo(copy, len, &info);
	assert_int_equal(machine_parse_vmstat(copy, len, &vmstat), 0);
	machine_vmstat_free(vmstat);
	machine_parse_uptime(copy, len, &ns);
	assert_in_range(machine_parse_node_bits(copy, len), 1, BITMAP_MAX_BITS);
	free(copy);
}

static void cut_anywhere(void **state)
{
	static const char *const paths[] = {
		FIXTURES "/linux/proc/stat", FIXTURES "/linux/proc/meminfo",
		FIXTURES "/linux/proc/vmstat", FIXTURES "/linux/proc/uptime",
		FIXTURES "/linux/proc/self/status", FIXTURES "/gvisor/proc/stat",
		FIXTURES "/linux/sys/devices/system/node/node0/meminfo",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t len;
		char *text = fixture_read(paths[i], &len);

		for (size_t cut = 0; cut <= len; cut++)
			parse_cut(text, cut);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_errors),
		cmocka_unit_test(stat_recorded),
		cmocka_unit_test(stat_many_cpus),
		cmocka_unit_test(stat_damaged),
		cmocka_unit_test(stat_live),
		cmocka_unit_test(uptime),
		cmocka_unit_test(meminfo_recorded),
		cmocka_unit_test(meminfo_damaged),
		cmocka_unit_test(meminfo_live),
		cmocka_unit_test(vmstat_recorded),
		cmocka_unit_test(vmstat_damaged),
		cmocka_unit_test(vmstat_many),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, open_machines, close_machines);
}
