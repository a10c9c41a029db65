/* SPDX-License-Identifier: MIT */
#ifndef RUN_COMMAND_H
#define RUN_COMMAND_H

#include <sys/types.h>

struct run_options;
struct sock_fprog;

#define EXIT_OURS 125 /* as docker run, env and timeout have it */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

/*
 * Runs the command under the filter, served by the supervisor at the other end of `channel`: passes
 * signals on to it until it ends. Returns its exit status; when a signal ended it, ends the calling
 * process by the same signal. `supervisor` is the supervisor's process, a child of the caller's.
 * Call it with the signals of command_block_signals() blocked.
 */
int command_run(const struct run_options *options, const struct sock_fprog *filter, int channel,
		pid_t supervisor);

/* Blocks the signals that are passed on, before anything is started, and has children waited for. */
void command_block_signals(void);
/* As they were before: for a child. Async-signal-safe. */
void command_restore_signals(void);

#endif
