/* SPDX-License-Identifier: MIT */
/* The ways of catching calls, and which one is taken. */
#include "catchers.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

static const struct catcher *const catchers[] = {&catcher_notify, &catcher_trace};

/* gVisor, which says EINVAL; or Linux before 5.0. */
static bool knows_no_notification(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(__NR_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) && errno == EINVAL;
}

const struct catcher *catcher_choose(void)
{
	return knows_no_notification() ? &catcher_trace : &catcher_notify;
}

unsigned catchers_kernel_traps(void)
{
	return knows_no_notification() ? TRAP_INTERRUPTED : 0;
}

const struct catcher *catcher_find(const char *name)
{
	for (size_t i = 0; i < sizeof(catchers) / sizeof(catchers[0]); i++) {
		if (!strcmp(catchers[i]->name, name))
			return catchers[i];
	}
	return NULL;
}
