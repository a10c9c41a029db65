/* SPDX-License-Identifier: MIT */
/* The files of /proc/PID. */
#include "fuzz.h"

#include <errno.h>

#include "machine_task.h"

typedef unsigned long long ull;

/* What was read, printed as the kernel does and read again, is the same. */
static void check_stat(const char *text, size_t size)
{
	struct machine_task_stat s, again;
	char printed[2048];

	memset(&s, 0, sizeof(s));
	if (machine_parse_task_stat(text, size, &s)) {
		CHECK(!s.pid && !s.state);
		return;
	}
	CHECK(memchr(s.comm, '\0', sizeof(s.comm)));
	CHECK(s.pid >= 0);
	snprintf(printed, sizeof(printed),
		 "%d (%s) %c %d %d %d 0 0 %u %llu %llu %llu %llu %llu %llu %lld %lld 0 0 %lld 0 %llu "
		 "%llu %llu 18446744073709551615 0 0 %llu 0 0 0 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0 "
		 "0 0 0 0 0 %d\n",
		 s.pid, s.comm, s.state, s.ppid, s.pgrp, s.session, s.flags, (ull)s.minflt,
		 (ull)s.cminflt, (ull)s.majflt, (ull)s.cmajflt, (ull)s.utime, (ull)s.stime,
		 (long long)s.cutime, (long long)s.cstime, (long long)s.num_threads,
		 (ull)s.starttime, (ull)s.vsize, (ull)s.rss, (ull)s.startstack, s.processor,
		 s.exit_code);
	CHECK(!machine_parse_task_stat(printed, strlen(printed), &again));
	CHECK(!strcmp(again.comm, s.comm));
	/* comm's bytes past its end are none of ours. */
	memcpy(again.comm, s.comm, sizeof(s.comm));
	CHECK(!memcmp(&again, &s, sizeof(s)));
}

static void check_status(const char *text, size_t size)
{
	struct machine_task_status s;

	memset(&s, 0, sizeof(s));
	if (machine_parse_task_status(text, size, &s)) {
		CHECK(!s.pid && !s.state);
		return;
	}
	CHECK(s.state && s.pid >= 0 && s.tgid >= 0 && s.ppid >= 0);
	CHECK(s.nr_nspid <= MACHINE_NSPID_MAX && s.nr_nstgid <= MACHINE_NSPID_MAX);
	for (unsigned int i = 0; i < s.nr_nspid; i++)
		CHECK(s.nspid[i] >= 0);
	CHECK(s.has_mm || !s.vm_size);
	CHECK(s.has_rss_split || !s.rss_anon);
}

/* A sum: twice the text is twice the sum. */
static void check_smaps(const char *text, size_t size)
{
	char *doubled = malloc(size * 2 + 2);
	struct machine_task_smaps one, two;

	machine_parse_task_smaps(text, size, &one);
	memcpy(doubled, text, size);
	doubled[size] = '\n';
	memcpy(doubled + size + 1, text, size);
	machine_parse_task_smaps(doubled, size * 2 + 1, &two);
	CHECK(two.rss == 2 * one.rss && two.pss == 2 * one.pss && two.locked == 2 * one.locked);
	CHECK(two.anonymous == 2 * one.anonymous && two.swap_pss == 2 * one.swap_pss);
	CHECK(two.has_pss_split == one.has_pss_split);
	CHECK(one.rss % 1024 == 0 || memmem(text, size, "Rss:", 4));
	free(doubled);
}

static void check_io(const char *text, size_t size)
{
	struct machine_task_io io, again;
	char printed[512];

	if (machine_parse_task_io(text, size, &io))
		return;
	snprintf(printed, sizeof(printed), "read_bytes: %llu\nwrite_bytes: %llu\n", (ull)io.read_bytes,
		 (ull)io.write_bytes);
	CHECK(!machine_parse_task_io(printed, strlen(printed), &again));
	CHECK(!memcmp(&io, &again, sizeof(io)));
}

static void check_numbers(const char *text, size_t size)
{
	struct machine_task_schedstat sched;
	struct machine_task_statm statm, again;
	struct machine_ids ids = { 0 };
	char printed[256];

	if (!machine_parse_task_statm(text, size, &statm)) {
		snprintf(printed, sizeof(printed), "%llu %llu %llu %llu 0 %llu 0\n", (ull)statm.size,
			 (ull)statm.resident, (ull)statm.shared, (ull)statm.text, (ull)statm.data);
		CHECK(!machine_parse_task_statm(printed, strlen(printed), &again));
		CHECK(!memcmp(&statm, &again, sizeof(statm)));
		/* The same three numbers start both. */
		CHECK(!machine_parse_task_schedstat(text, size, &sched));
		CHECK(sched.run_ns == statm.size && sched.timeslices == statm.shared);
	}
	CHECK(!machine_parse_children(text, size, &ids));
	for (size_t i = 0; i < ids.nr; i++)
		CHECK(ids.id[i] > 0 && (!i || ids.id[i - 1] < ids.id[i]));
	machine_ids_free(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	/* A block of exactly this size, so that a read past the end shows. */
	memcpy(text, data, size);
	check_stat(text, size);
	check_status(text, size);
	check_smaps(text, size);
	check_io(text, size);
	check_numbers(text, size);
	free(text);
	return 0;
}
