/* SPDX-License-Identifier: MIT */
/* /dev/fuse: whether it is that, and may be used. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon.h"

#define FUSE_DEVICE "/dev/fuse"
#define MISC_MAJOR 10 /* the kernel's Documentation/admin-guide/devices.txt */
#define FUSE_MINOR 229

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "load the module (modprobe fuse), or give the container the device "
		       "(--device " FUSE_DEVICE ")";
	case EPERM: /* a devices cgroup, or its BPF program, says so to root too */
		return "give the container the device (--device " FUSE_DEVICE ")";
	default:
		return geteuid()
			       ? "run as root, or let this user open it"
			       : "is its filesystem mounted with nodev? Mount that with dev, or another /dev";
	}
}

bool fuse_device_check(char *problem, size_t size)
{
	int fd = -1, error = 0;
	struct stat st;

	if (stat(FUSE_DEVICE, &st))
		error = errno;
	else if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(MISC_MAJOR, FUSE_MINOR)) {
		snprintf(problem, size,
			 FUSE_DEVICE ": is not the FUSE device: put that in its place "
				     "(rm -r " FUSE_DEVICE "; mknod -m 666 " FUSE_DEVICE " c %d %d)",
			 MISC_MAJOR, FUSE_MINOR);
		return false;
	} else if ((fd = open(FUSE_DEVICE, O_RDWR | O_CLOEXEC)) < 0)
		error = errno;
	else
		close(fd);
	if (error)
		snprintf(problem, size, FUSE_DEVICE ": %s: %s", strerror(error), advice(error));
	return !error;
}
