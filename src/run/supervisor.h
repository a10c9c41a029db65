/* SPDX-License-Identifier: MIT */
#ifndef RUN_SUPERVISOR_H
#define RUN_SUPERVISOR_H

struct run_options;

/*
 * The process that serves the command and its descendants: it has the daemon,
 * the mounts and the answers, and lasts until the last of them has ended.
 */

/*
 * Is the supervisor, in the calling process, to its end. `channel` leads to who runs the command
 * (channel.h). Returns the exit status; what was wrong is said on standard error.
 */
int supervisor_run(const struct run_options *options, int channel);

#endif
