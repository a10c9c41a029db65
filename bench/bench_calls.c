/* SPDX-License-Identifier: MIT */
/*
 * Measures system calls as a program sees them: for each of ROUNDS, a line of nanoseconds for one call
 * of each kind, in the order of `kinds`. Run natively and under the launcher in turns.
 *
 *     bench_calls ROUNDS
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define ROUND_NS 2000000 /* each kind's share of a round */

static void open_and_close(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static void untrapped(void)
{
	syscall(__NR_getppid);
}

static void open_file(void)
{
	open_and_close("/etc/passwd");
}

static void open_table(void)
{
	open_and_close("/proc/self/mountinfo");
}

static void open_cgroup(void)
{
	open_and_close("/proc/self/cgroup");
}

static void statfs_top(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs))
		exit(1);
}

static void statfs_other(void)
{
	struct statfs fs;

	if (statfs("/proc", &fs))
		exit(1);
}

static void fstatfs_of_file(void)
{
	struct statfs fs;

	if (fstatfs(0, &fs))
		exit(1);
}

static void (*const kinds[])(void) = {untrapped, open_file, statfs_top, statfs_other, fstatfs_of_file,
				      open_table, open_cgroup};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double measure(void (*call)(void))
{
	uint64_t start = now(), end;
	unsigned count = 0;

	do {
		for (unsigned i = 0; i < 16; i++)
			call();
		count += 16;
		end = now();
	} while (end - start < ROUND_NS);
	return (double)(end - start) / count;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < rounds; i++) {
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			printf("%.1f ", measure(kinds[k]));
		putchar('\n');
	}
	return 0;
}
