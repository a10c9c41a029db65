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

/* One by one, where the kernel cannot do it at once. */
static void close_listed(int kept, int also_kept)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name); /* "." and ".." are 0 */

		if (fd >= FIRST && fd != kept && fd != also_kept && fd != dirfd(directory))
			close(fd);
	}
	if (directory)
		closedir(directory);
}

static bool close_range_of(unsigned first, unsigned last)
{
	return first > last || !syscall(__NR_close_range, first, last, 0);
}

void descriptors_close(int kept, int also_kept)
{
	const int lower = kept < also_kept ? kept : also_kept, higher = kept < also_kept ? also_kept : kept;
	unsigned first = FIRST;

	for (unsigned i = 0; i < 2; i++) {
		int fd = i ? higher : lower;

		if (fd < FIRST)
			continue;
		if (!close_range_of(first, (unsigned)fd - 1))
			close_listed(kept, also_kept);
		first = (unsigned)fd + 1;
	}
	if (!close_range_of(first, UINT_MAX))
		close_listed(kept, also_kept);
}

void descriptors_allow(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max = wanted;
	setrlimit(RLIMIT_NOFILE, &limit); /* not everybody may */
}

int descriptors_move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST);

	close(fd);
	return moved;
}
