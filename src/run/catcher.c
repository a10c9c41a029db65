/* SPDX-License-Identifier: MIT */
/* What all ways of catching calls have in common. */
#include "catcher.h"

#include <errno.h>
#include <poll.h>

#include "calls.h"
#include "share.h"

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
