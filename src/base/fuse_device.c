/* SPDX-License-Identifier: MIT */
/* /dev/fuse: whether it is that, and may be used. */
#include "fuse_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

/* As udev does. Who may not make devices has to be given it. */
static bool make_device(void)
{
	/* the mode again, whatever the umask is */
	return !mknod(FUSE_DEVICE, S_IFCHR | 0666, makedev(MISC_MAJOR, FUSE_MINOR)) &&
	       !chmod(FUSE_DEVICE, 0666);
}

/* 0, or why not; with a file of another kind, 0 and its kind in *st. */
static int find_device(struct stat *st, bool *made)
{
	int error;

	if (!stat(FUSE_DEVICE, st))
		return 0;
	error = errno;
	*made = error == ENOENT && make_device();
	return *made && !stat(FUSE_DEVICE, st) ? 0 : error;
}

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(MISC_MAJOR, FUSE_MINOR);
}

bool fuse_device_check(char *problem, size_t size)
{
	bool made = false;
	struct stat st;
	int error = find_device(&st, &made), fd;

	if (!error && !is_device(&st)) {
		snprintf(problem, size,
			 FUSE_DEVICE ": is not the FUSE device: put that in its place "
				     "(rm -r " FUSE_DEVICE "; mknod -m 666 " FUSE_DEVICE " c %d %d)",
			 MISC_MAJOR, FUSE_MINOR);
		return false;
	}
	if (!error) {
		fd = open(FUSE_DEVICE, O_RDWR | O_CLOEXEC);
		error = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	if (error && made)
		unlink(FUSE_DEVICE); /* of no use */
	if (error)
		snprintf(problem, size, FUSE_DEVICE ": %s: %s", strerror(error), advice(error));
	return !error;
}
