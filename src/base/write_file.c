/* SPDX-License-Identifier: MIT */
/* Writing to files of the kernel's, and to ours that are like these. */
#include "write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int write_file(int directory, const char *path, const char *text)
{
	int fd = openat(directory, path, O_WRONLY | O_CLOEXEC), error = 0;
	const size_t len = strlen(text);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, len);
	if (written != (ssize_t)len)
		error = written < 0 ? -errno : -EIO;
	close(fd);
	return error;
}
