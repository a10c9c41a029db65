/* SPDX-License-Identifier: MIT */
/* What the answers to caught system calls have in common. */
#include "call.h"

#include <limits.h>

#include "peer.h"

bool call_path(const struct call *call, unsigned argument, char *path)
{
	return !peer_read_string(call->peer, call->arguments[argument], path, PATH_MAX);
}

void answer_value(struct answer *answer, int64_t value)
{
	answer->kind = ANSWER_VALUE;
	answer->value = value;
}
