/* SPDX-License-Identifier: MIT */
/* Preloaded: whoever opens /proc/meminfo never comes back. */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_or_hang(int directory, const char *path, int flags, mode_t mode)
{
	while (!strcmp(path, "meminfo"))
		pause();
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return open_or_hang(directory, path, flags, mode);
}

/* What it is called with _FORTIFY_SOURCE. */
int __openat_2(int directory, const char *path, int flags);
int __openat_2(int directory, const char *path, int flags)
{
	return open_or_hang(directory, path, flags, 0);
}
