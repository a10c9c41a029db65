/* SPDX-License-Identifier: MIT */
/* clone3(2) into a cgroup. */
#include <errno.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "cgroup2_calls.h"
#include "peer.h"
#include "view.h"

/*
 * The kernel starts nobody in a cgroup of ours. Who hears so starts it elsewhere and moves it, as before
 * Linux 5.7.
 */
void answer_clone3(const struct calls_context *context, const struct call *call, char *path,
		   struct answer *answer)
{
	struct clone_args arguments;
	struct statx about;
	int file;

	if (call->arguments[1] < sizeof(arguments) ||
	    peer_read(call->peer, call->arguments[0], &arguments, sizeof(arguments)) ||
	    !(arguments.flags & CLONE_INTO_CGROUP))
		return;
	snprintf(path, PATH_MAX, "CLONE_INTO_CGROUP, %d", (int)arguments.cgroup);
	file = peer_file(call->peer, (int)arguments.cgroup);
	if (file < 0)
		return;
	if (view_has(context->view, file, &about))
		answer_value(answer, S_ISDIR(about.stx_mode) ? -EOPNOTSUPP : -EBADF);
	close(file);
}
