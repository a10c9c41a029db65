/* Which FUSE serves us, and what follows. */
#include <string.h>

#include <stdio.h>
#include <sys/utsname.h>

#include "daemon.h"

#define DAY 86400.0

/* All changes come through the mount, so the kernel may keep what it has seen. */
static const struct platform linux_fuse = {
	.name = "Linux",
	.cache_seconds = DAY,
};

/*
 * gVisor takes st_size for the end of the content, keeps stale names, and
 * interrupts callers after the work is done.
 */
static const struct platform gvisor_fuse = {
	.name = "gVisor",
	.file_size = 4096,
	.list_size = 1 << 20,
	.cache_seconds = 0,
	.retries_after_interrupt = true,
};

/* gVisor's own kernel version never changes: pkg/sentry/syscalls/linux/sys_utsname.go. */
static bool is_gvisor(void)
{
	struct utsname name;

	return !uname(&name) && !strcmp(name.release, "4.4.0") &&
	       strstr(name.version, "#1 SMP Sun Jan 10 15:06:54 PST 2016");
}

const struct platform *platform_detect(void)
{
	return is_gvisor() ? &gvisor_fuse : &linux_fuse;
}
