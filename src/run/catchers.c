/* SPDX-License-Identifier: MIT */
/* The ways of catching calls, and which one is taken. */
#include "catchers.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct catcher *const catchers[] = {&catcher_notify, &catcher_trace};

const struct catcher *catcher_choose(void)
{
	struct seccomp_notif_sizes sizes;

	/* gVisor knows no notification, and says EINVAL */
	return syscall(__NR_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) && errno == EINVAL ?
	       &catcher_trace : &catcher_notify;
}

const struct catcher *catcher_find(const char *name)
{
	for (size_t i = 0; i < sizeof(catchers) / sizeof(catchers[0]); i++) {
		if (!strcmp(catchers[i]->name, name))
			return catchers[i];
	}
	return NULL;
}
