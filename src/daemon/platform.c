/* SPDX-License-Identifier: MIT */
/* Which FUSE serves us, and what follows. */
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemon.h"
#include "libfuse.h"

#define DAY 86400.0

/* All changes come through the mount, so the kernel may keep what it has seen. */
static const struct platform linux_fuse = {
	.name = "Linux",
	.cache_seconds = DAY,
};

/*
 * Splicing (sendfile, splice) goes by the page cache and ends at st_size, so a
 * size above any content is shown. It shrinks to the content's length then,
 * so it must be asked for at each open.
 */
static const struct platform linux_fuse_sendfile = {
	.name = "Linux, for sendfile",
	.file_size = 1 << 20,
	.cache_seconds = DAY,
	.asks_attributes = true,
};

/*
 * gVisor (pkg/sentry/fsimpl/fuse) asks an open file for its size before it
 * reads, takes any error of a read for the end of the file, keeps stale names,
 * interrupts callers after the work is done, tells nobody of an unmount or of a
 * name that it has forgotten, and knows users and groups only as its first user namespace does.
 * What is asked of a task's open files and mounts waits for other requests
 * (machine_patient.h), for a second if no thread is left to answer those.
 */
static const struct platform gvisor_fuse = {
	.name = "gVisor",
	.open_size = 1 << 30,
	.cache_seconds = 0,
	.retries_after_interrupt = true,
	.unmounts_silently = true,
	.never_forgets = true,
	.tells_first_ids = true,
};

/* gVisor's uname: the version is a constant of its source, older ones have no name in the release. */
bool platform_is_gvisor(void)
{
	static const char version[] = "#1 SMP Sun Jan 10 15:06:54 PST 2016";
	static const char suffix[] = "-gvisor";
	struct utsname name;
	size_t len;

	if (uname(&name))
		return false;
	len = strlen(name.release);
	return !strcmp(name.version, version) ||
	       (len >= strlen(suffix) && !strcmp(name.release + len - strlen(suffix), suffix));
}

const struct platform *platform_detect(bool sendfile)
{
	if (platform_is_gvisor())
		return &gvisor_fuse;
	return sendfile ? &linux_fuse_sendfile : &linux_fuse;
}

bool platform_offers_io_uring(void)
{
	int fd = open("/sys/module/fuse/parameters/enable_uring", O_RDONLY | O_CLOEXEC);
	char enabled = 'N';
	bool offers;

	if (fd < 0)
		return false;
	offers = read(fd, &enabled, 1) == 1 && enabled == 'Y';
	close(fd);
	return offers && fuse_version() >= LIBFUSE_WITH_IO_URING;
}
