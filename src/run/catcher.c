/* SPDX-License-Identifier: MIT */
/* What all ways of catching calls have in common. */
#include "catcher.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "share.h"

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

bool catcher_is_over(int end, int milliseconds)
{
	struct pollfd poller = {.fd = end};

	return poll(&poller, 1, milliseconds) > 0 && poller.revents & POLLHUP;
}

void catcher_answer(const struct calls_context *context, const struct call *call, struct answer *answer)
{
	struct share share;

	if (share_take(call->peer, &share)) {
		calls_answer(context, call, answer);
		share_return(&share);
	} else {
		*answer = (struct answer){.kind = ANSWER_VALUE, .value = -ENOMEM};
	}
}
