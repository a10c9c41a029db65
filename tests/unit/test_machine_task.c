/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID: one process recorded from Linux 6.18 and from gVisor, whose name is made to confuse,
 * and odd texts. Live ones are in test_machine_live.c.
 */
#include "machines.h"

#include <errno.h>
#include <string.h>

#include "machine_task.h"

#define NAME "a) R 1 (b\nc"	/* as fixtures/record_machine.py gave it */

/* The value after name in a file, in bytes where it is in kB; all such lines added up. */
static uint64_t sum_of(const char *path, const char *name)
{
	char *text = fixture_read(path, NULL), *save = NULL;
	uint64_t sum = 0;
	size_t len = strlen(name);

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, name, len) && line[len] == ':')
			sum += strtoull(line + len + 1, NULL, 10) * (strstr(line, " kB") ? 1024 : 1);
	free(text);
	return sum;
}

/* --- stat --- */

static void check_stat(const struct machine *machine, const char *path)
{
	char *text = fixture_read(path, NULL), state;
	struct machine_task_stat stat;
	unsigned long v[13];
	int pid, ppid, pgrp, session;

	/* ") S" is where this name ends: the last parenthesis. */
	assert_int_equal(sscanf(strstr(text, "\nc) ") + 4, "%c %d %d %d %*d %*d %lu %lu %lu %lu %lu "
				"%lu %lu %lu %lu %*d %*d %lu %*d %lu %lu %lu", &state, &ppid, &pgrp,
				&session, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8,
				v + 9, v + 10, v + 11, v + 12), 17);
	sscanf(text, "%d", &pid);
	free(text);
	assert_int_equal(machine_task_stat(machine, 42, 0, &stat), 0);
	assert_string_equal(stat.comm, NAME);
	assert_int_equal(stat.pid, pid);
	assert_int_equal(stat.state, state);
	assert_int_equal(stat.ppid, ppid);
	assert_int_equal(stat.pgrp, pgrp);
	assert_int_equal(stat.session, session);
	assert_int_equal(stat.flags, v[0]);
	assert_int_equal(stat.minflt, v[1]);
	assert_int_equal(stat.cminflt, v[2]);
	assert_int_equal(stat.majflt, v[3]);
	assert_int_equal(stat.cmajflt, v[4]);
	assert_int_equal(stat.utime, v[5]);
	assert_int_equal(stat.stime, v[6]);
	assert_int_equal(stat.cutime, v[7]);
	assert_int_equal(stat.cstime, v[8]);
	assert_int_equal(stat.num_threads, v[9]);
	assert_int_equal(stat.starttime, v[10]);
	assert_int_equal(stat.vsize, v[11]);
	assert_int_equal(stat.rss, v[12]);
	assert_int_equal(stat.num_threads, 2);
	assert_false(stat.flags & MACHINE_TASK_KTHREAD);
}

static void stat_recorded(void **state)
{
	struct machine_task_stat stat;

	(void)state;
	check_stat(linux_machine, FIXTURES "/linux/proc/42/stat");
	check_stat(gvisor_machine, FIXTURES "/gvisor/proc/42/stat");
	assert_int_equal(machine_task_stat(linux_machine, 42, 43, &stat), 0);
	assert_int_equal(machine_task_stat(linux_machine, 42, 44, &stat), -ESRCH);
	assert_int_equal(machine_task_stat(linux_machine, 43, 0, &stat), -ESRCH);
	assert_int_equal(machine_task_stat(linux_machine, 0, 0, &stat), -ESRCH);
	assert_int_equal(machine_task_stat(linux_machine, -1, 0, &stat), -ESRCH);
	assert_int_equal(machine_task_stat(linux_machine, 42, -1, &stat), -ESRCH);
}

static int parse_stat(const char *text, struct machine_task_stat *stat)
{
	return machine_parse_task_stat(text, strlen(text), stat);
}

#define NUMBERS " 3 4 5 6 7 8 9 10 11 12 13 14 15 -16 -17 18 19 20 21 22 23 24"

static void stat_damaged(void **state)
{
	struct machine_task_stat stat = { .pid = 77 };

	(void)state;
	assert_int_equal(parse_stat("", &stat), -EINVAL);
	assert_int_equal(parse_stat("1", &stat), -EINVAL);
	assert_int_equal(parse_stat("1 (a", &stat), -EINVAL);
	assert_int_equal(parse_stat("1 (a)", &stat), -EINVAL);
	assert_int_equal(parse_stat("1 (a) S", &stat), -EINVAL);
	assert_int_equal(parse_stat("1 a S" NUMBERS, &stat), -EINVAL);
	assert_int_equal(parse_stat("x (a) S" NUMBERS, &stat), -EINVAL);
	assert_int_equal(parse_stat("1 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23",
				    &stat), -EINVAL);
	assert_int_equal(parse_stat("1 (a) S 4 5 6 7 8 9 10 11 12 x 14 15 16 17 18 19 20 21 22 23 24",
				    &stat), -EINVAL);
	assert_int_equal(stat.pid, 77);
	/* An old kernel's shorter line, negative numbers, an empty name and one of a kernel thread. */
	assert_int_equal(parse_stat("1 () S 4 5 6 7 -1 9 10 11 12 13 14 15 -16 -17 18 19 20 21 22 "
				    "23 24\n", &stat), 0);
	assert_string_equal(stat.comm, "");
	assert_int_equal(stat.cutime, -16);
	assert_int_equal(stat.cstime, -17);
	assert_int_equal(stat.rss, 24);
	assert_int_equal(stat.startstack, 0);
	assert_int_equal(stat.exit_code, 0);
	assert_int_equal(parse_stat("1 (a) S" NUMBERS " 26 27 140722281062480 29", &stat), 0);
	assert_int_equal(stat.startstack, 140722281062480);
	assert_int_equal(parse_stat("1 (a 64 bytes long name: 0123456789012345678901234567890123456789"
				    "...) S" NUMBERS, &stat), 0);
	assert_int_equal(strlen(stat.comm), 63);
}

static void stat_last_fields(void **state)
{
	struct machine_task_stat stat;

	(void)state;
	assert_int_equal(parse_stat("1 (a) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 "
				    "18446744073709551615 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 "
				    "41 42 43 44 45 46 47 48 49 50 51 52\n", &stat), 0);
	assert_int_equal(stat.processor, 39);
	assert_int_equal(stat.exit_code, 52);
}

/* --- statm and schedstat --- */

static void statm(void **state)
{
	struct machine_task_statm statm, again;
	struct machine_task_stat stat;

	(void)state;
	assert_int_equal(machine_task_statm(linux_machine, 42, 0, &statm), 0);
	assert_int_equal(machine_task_stat(linux_machine, 42, 0, &stat), 0);
	assert_int_equal(statm.size * 4096, stat.vsize);
	assert_int_equal(statm.resident * 4096, sum_of(FIXTURES "/linux/proc/42/status", "VmRSS"));
	assert_int_equal(machine_task_statm(gvisor_machine, 42, 0, &statm), 0);
	assert_int_equal(statm.resident * 4096, sum_of(FIXTURES "/gvisor/proc/42/status", "VmRSS"));
	assert_int_equal(machine_parse_task_statm("1 2", 3, &statm), -EINVAL);
	assert_int_equal(machine_parse_task_statm("1 2 x", 5, &statm), -EINVAL);
	assert_int_equal(machine_parse_task_statm("1 2 3 4 5 6 7\n", 14, &again), 0);
	assert_int_equal(again.text, 4);
	assert_int_equal(again.data, 6);
}

static void schedstat(void **state)
{
	struct machine_task_schedstat s = { .run_ns = 77 };
	char *text = fixture_read(FIXTURES "/linux/proc/42/schedstat", NULL);
	unsigned long run, wait, slices;

	(void)state;
	assert_int_equal(sscanf(text, "%lu %lu %lu", &run, &wait, &slices), 3);
	free(text);
	assert_int_equal(machine_task_schedstat(gvisor_machine, 42, 0, &s), -ENOENT);
	assert_int_equal(machine_task_schedstat(gvisor_machine, 44, 0, &s), -ESRCH);
	assert_int_equal(machine_parse_task_schedstat("1 2", 3, &s), -EINVAL);
	assert_int_equal(machine_parse_task_schedstat("", 0, &s), -EINVAL);
	assert_int_equal(s.run_ns, 77);
	assert_int_equal(machine_task_schedstat(linux_machine, 42, 0, &s), 0);
	assert_int_equal(s.run_ns, run);
	assert_int_equal(s.wait_ns, wait);
	assert_int_equal(s.timeslices, slices);
}

/* --- status --- */

static void status_recorded(void **state)
{
	static const char path[] = FIXTURES "/linux/proc/42/status";
	struct machine_task_status s;

	(void)state;
	assert_int_equal(machine_task_status(linux_machine, 42, 0, &s), 0);
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.pid, sum_of(path, "Pid"));
	assert_int_equal(s.tgid, sum_of(path, "Tgid"));
	assert_int_equal(s.ppid, sum_of(path, "PPid"));
	assert_int_equal(s.threads, 2);
	assert_true(s.has_mm && s.has_rss_split);
	assert_int_equal(s.vm_peak, sum_of(path, "VmPeak"));
	assert_int_equal(s.vm_size, sum_of(path, "VmSize"));
	assert_int_equal(s.vm_hwm, sum_of(path, "VmHWM"));
	assert_int_equal(s.vm_rss, sum_of(path, "VmRSS"));
	assert_int_equal(s.rss_anon, sum_of(path, "RssAnon"));
	assert_int_equal(s.rss_file, sum_of(path, "RssFile"));
	assert_int_equal(s.rss_shmem, sum_of(path, "RssShmem"));
	assert_int_equal(s.vm_data, sum_of(path, "VmData"));
	assert_int_equal(s.vm_stk, sum_of(path, "VmStk"));
	assert_int_equal(s.vm_exe, sum_of(path, "VmExe"));
	assert_int_equal(s.vm_lib, sum_of(path, "VmLib"));
	assert_int_equal(s.vm_pte, sum_of(path, "VmPTE"));
	assert_int_equal(s.vm_swap, 0);
	assert_int_equal(s.nr_nspid, 1);
	assert_int_equal(s.nspid[0], s.pid);
	assert_int_equal(s.nr_nstgid, 1);

	assert_int_equal(machine_task_status(gvisor_machine, 42, 0, &s), 0);
	assert_int_equal(s.pid, 3);
	assert_int_equal(s.tgid, 3);
	assert_int_equal(s.ppid, 2);
	assert_int_equal(s.nr_nspid, 0);
	assert_true(s.has_mm);
	assert_false(s.has_rss_split);
	assert_int_equal(s.vm_rss, sum_of(FIXTURES "/gvisor/proc/42/status", "VmRSS"));
	assert_int_equal(s.threads, 2);
}

static int parse_status(const char *text, struct machine_task_status *s)
{
	return machine_parse_task_status(text, strlen(text), s);
}

static void status_namespaces(void **state)
{
	struct machine_task_status s;
	char text[1024] = "Name:\tx\nState:\tR (running)\nPid:\t5\nNSpid:", *at = strchr(text, 0);

	(void)state;
	for (int i = 1; i <= 40; i++)
		at += sprintf(at, "\t%d", i);
	strcpy(at, "\nUid:\t0\t1000\t4294967294\t3\nGid:\t1\t2\t3\n");
	assert_int_equal(parse_status(text, &s), 0);
	assert_int_equal(s.nr_nspid, MACHINE_NSPID_MAX);
	assert_int_equal(s.nspid[0], 1);
	assert_int_equal(s.nspid[32], 33);
	assert_int_equal(s.uid[1], 1000);
	assert_int_equal(s.uid[2], 4294967294);
	assert_false(s.has_mm);
}

/* A kernel thread, a name that plays lines where it is not escaped (gVisor), damage. */
static void status_odd(void **state)
{
	struct machine_task_status s = { .pid = 77 };

	(void)state;
	assert_int_equal(parse_status("", &s), -EINVAL);
	assert_int_equal(parse_status("Name:\tx\nPid:\t1\n", &s), -EINVAL);
	assert_int_equal(parse_status("Name:\tx\nState:\tR\nPid:\t-1\n", &s), -EINVAL);
	assert_int_equal(parse_status("Name:\tx\nState:\tR\nPid:\t99999999999\n", &s), -EINVAL);
	assert_int_equal(parse_status("Name:\tx\nState:\t\nPid:\t1\n", &s), -EINVAL);
	assert_int_equal(s.pid, 77);
	assert_int_equal(parse_status("Name:\tx\nNSpid:1\nTgid:9\nState:\tI (idle)\nTgid:\t2\nPid:\t2\n"
				      "Threads:\t1\nVmSwap:\tx kB\nVmPTE:\t1 MB", &s), 0);
	assert_int_equal(s.nr_nspid, 0);
	assert_int_equal(s.tgid, 2);
	assert_false(s.has_mm);
	assert_int_equal(s.vm_pte, 0);
}

/* --- smaps --- */

static void check_smaps(const struct machine_task_smaps *s, const char *path)
{
	assert_int_equal(s->rss, sum_of(path, "Rss"));
	assert_int_equal(s->pss, sum_of(path, "Pss"));
	assert_int_equal(s->pss_dirty, sum_of(path, "Pss_Dirty"));
	assert_int_equal(s->pss_anon, sum_of(path, "Pss_Anon"));
	assert_int_equal(s->pss_file, sum_of(path, "Pss_File"));
	assert_int_equal(s->shared_clean, sum_of(path, "Shared_Clean"));
	assert_int_equal(s->shared_dirty, sum_of(path, "Shared_Dirty"));
	assert_int_equal(s->private_clean, sum_of(path, "Private_Clean"));
	assert_int_equal(s->private_dirty, sum_of(path, "Private_Dirty"));
	assert_int_equal(s->referenced, sum_of(path, "Referenced"));
	assert_int_equal(s->anonymous, sum_of(path, "Anonymous"));
	assert_int_equal(s->swap, sum_of(path, "Swap"));
	assert_int_equal(s->locked, sum_of(path, "Locked"));
	assert_true(s->rss && s->pss && s->anonymous);
}

static void smaps_recorded(void **state)
{
	struct machine_task_smaps rollup, sum;

	(void)state;
	assert_int_equal(machine_task_smaps_rollup(linux_machine, 42, &rollup), 0);
	check_smaps(&rollup, FIXTURES "/linux/proc/42/smaps_rollup");
	assert_true(rollup.has_pss_split);
	assert_int_equal(machine_task_smaps(linux_machine, 42, &sum), 0);
	check_smaps(&sum, FIXTURES "/linux/proc/42/smaps");
	assert_false(sum.has_pss_split);
	/* The kernel's own sum. */
	assert_int_equal(sum.rss, rollup.rss);
	assert_int_equal(sum.anonymous, rollup.anonymous);
	assert_int_equal(machine_task_smaps_rollup(gvisor_machine, 42, &rollup), -ENOENT);
	assert_int_equal(machine_task_smaps_rollup(gvisor_machine, 9, &rollup), -ESRCH);
	assert_int_equal(machine_task_smaps(gvisor_machine, 42, &sum), 0);
	check_smaps(&sum, FIXTURES "/gvisor/proc/42/smaps");
}

static void smaps_odd(void **state)
{
	static const char text[] = "00-01 r-xp 0 00:00 0  /a Rss: 5 kB\nRss: 4 kB\nrss: 4 kB\n"
				   "Rss: x kB\nRss 4 kB\nRssx: 4 kB\nRss: 3 kB\nSwap: 1 kB";
	struct machine_task_smaps s;

	(void)state;
	machine_parse_task_smaps(text, strlen(text), &s);
	assert_int_equal(s.rss, 7168);
	assert_int_equal(s.swap, 1024);
	machine_parse_task_smaps("", 0, &s);
	assert_int_equal(s.rss, 0);
}

/* --- io --- */

static void io_lines(void **state)
{
	static const char text[] = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\n"
				   "write_bytes: 6\ncancelled_write_bytes: 18446744073709551615\n";
	struct machine_task_io io = { .read_bytes = 77 };

	(void)state;
	assert_int_equal(machine_parse_task_io("", 0, &io), -EINVAL);
	assert_int_equal(machine_parse_task_io("read_bytes 1\nx: 2\nwrite_bytes: -2\n", 33, &io), -EINVAL);
	assert_int_equal(io.read_bytes, 77);
	assert_int_equal(machine_parse_task_io(text, strlen(text), &io), 0);
	assert_int_equal(io.read_bytes, 5);
	assert_int_equal(io.write_bytes, 6);
	assert_int_equal(machine_task_io(gvisor_machine, 42, 0, &io), 0);
	assert_int_equal(machine_task_io(linux_machine, 42, 43, &io), 0);
}

/* --- lists of tasks --- */

static void ids_recorded(void **state)
{
	struct machine_ids ids = { 0 };

	(void)state;
	assert_int_equal(machine_pids(linux_machine, &ids), 0);
	assert_int_equal(ids.nr, 1);
	assert_int_equal(ids.id[0], 42);
	assert_int_equal(machine_tids(linux_machine, 42, &ids), 0);
	assert_int_equal(ids.nr, 2);
	assert_int_equal(ids.id[0], 42);
	assert_int_equal(ids.id[1], 43);
	assert_int_equal(machine_tids(linux_machine, 7, &ids), -ESRCH);
	assert_int_equal(ids.nr, 0);
	assert_int_equal(machine_children(linux_machine, 42, 0, &ids), 0);
	assert_int_equal(ids.nr, 2);
	assert_true(ids.id[0] < ids.id[1]);
	assert_int_equal(machine_children(linux_machine, 42, 43, &ids), 0);
	assert_int_equal(ids.nr, 0);
	assert_int_equal(machine_children(linux_machine, 42, 9, &ids), -ESRCH);
	assert_int_equal(machine_children(gvisor_machine, 42, 0, &ids), 0);
	assert_int_equal(ids.nr, 2);
	assert_true(machine_task_exists(linux_machine, 42, 0));
	assert_true(machine_task_exists(linux_machine, 42, 43));
	assert_false(machine_task_exists(linux_machine, 42, 44));
	assert_false(machine_task_exists(linux_machine, 1, 0));
	machine_ids_free(&ids);
	machine_ids_free(&ids);
}

static void children_odd(void **state)
{
	struct machine_ids ids = { 0 };

	(void)state;
	assert_int_equal(machine_parse_children("9 3 x 9 -4 0 99999999999 5x 2147483647 7", 40, &ids),
			 0);
	assert_int_equal(ids.nr, 4);
	assert_int_equal(ids.id[0], 3);
	assert_int_equal(ids.id[1], 7);
	assert_int_equal(ids.id[2], 9);
	assert_int_equal(ids.id[3], 2147483647);
	assert_int_equal(machine_parse_children("", 0, &ids), 0);
	assert_int_equal(ids.nr, 0);
	machine_ids_free(&ids);
}

/* --- all parsers --- */

static void parse_cut(const char *text, size_t len)
{
	char *copy = memcpy(malloc(len ? len : 1), text, len);
	struct machine_ids ids = { 0 };
	struct machine_task_stat stat;
	struct machine_task_statm statm;
	struct machine_task_status status;
	struct machine_task_smaps smaps;
	struct machine_task_io io;
	struct machine_task_schedstat sched;

	machine_parse_task_stat(copy, len, &stat);
	machine_parse_task_statm(copy, len, &statm);
	machine_parse_task_status(copy, len, &status);
	machine_parse_task_smaps(copy, len, &smaps);
	machine_parse_task_io(copy, len, &io);
	machine_parse_task_schedstat(copy, len, &sched);
	machine_parse_children(copy, len, &ids);
	machine_ids_free(&ids);
	free(copy);
}

static void cut_anywhere(void **state)
{
	static const char *const names[] = {
		"stat", "statm", "status", "smaps_rollup", "io", "schedstat", "task/42/children",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128], *text;
		size_t len;

		snprintf(path, sizeof(path), FIXTURES "/linux/proc/42/%s", names[i]);
		text = fixture_read(path, &len);
		for (size_t cut = 0; cut <= len; cut++)
			parse_cut(text, cut);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_recorded),
		cmocka_unit_test(stat_damaged),
		cmocka_unit_test(stat_last_fields),
		cmocka_unit_test(statm),
		cmocka_unit_test(schedstat),
		cmocka_unit_test(status_recorded),
		cmocka_unit_test(status_namespaces),
		cmocka_unit_test(status_odd),
		cmocka_unit_test(smaps_recorded),
		cmocka_unit_test(smaps_odd),
		cmocka_unit_test(io_lines),
		cmocka_unit_test(ids_recorded),
		cmocka_unit_test(children_odd),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, open_machines, close_machines);
}
