/* SPDX-License-Identifier: MIT */
/* Letting go of descriptors. */
#include "descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST 3 /* that is no standard stream */

void descriptors_fill(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < FIRST);
	if (fd >= 0)
		close(fd);
}

void descriptors_to_null(int first, int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = first; fd <= last; fd++)
		dup2(null, fd);
	if (null < first || null > last)
		close(null);
}

/* The least of the kept that is `first` or above; INT_MAX: none. */
static int next_kept(const int *kept, unsigned count, int first)
{
	int next = INT_MAX;

	for (unsigned i = 0; i < count; i++) {
		if (kept[i] >= first && kept[i] < next)
			next = kept[i];
	}
	return next;
}

/* One by one, where the kernel cannot do it at once. */
static void close_listed(const int *kept, unsigned count)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name); /* "." and ".." are 0 */

		if (fd >= FIRST && next_kept(kept, count, fd) != fd && fd != dirfd(directory))
			close(fd);
	}
	if (directory)
		closedir(directory);
}

static bool close_range_of(int first, int last)
{
	return first > last || !syscall(__NR_close_range, first, last, 0);
}

void descriptors_close(const int *kept, unsigned count)
{
	for (int first = FIRST, next; first < INT_MAX; first = next + 1) {
		next = next_kept(kept, count, first);
		if (!close_range_of(first, next - 1)) {
			close_listed(kept, count);
			return;
		}
		if (next == INT_MAX)
			return;
	}
}

unsigned descriptors_allow(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < wanted) {
		struct rlimit more = {.rlim_cur = wanted, .rlim_max = wanted};

		if (!setrlimit(RLIMIT_NOFILE, &more)) /* not everybody may */
			return wanted;
	}
	return limit.rlim_cur < UINT_MAX ? (unsigned)limit.rlim_cur : UINT_MAX;
}

int descriptors_move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST);

	close(fd);
	return moved;
}
