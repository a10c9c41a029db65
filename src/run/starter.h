/* SPDX-License-Identifier: MIT */
#ifndef RUN_STARTER_H
#define RUN_STARTER_H

#include <stdbool.h>

struct cgroupfs;

/*
 * The process that starts the daemon, the first one and those that follow it. It has the rights of the
 * beginning, which the daemon needs and the supervisor lets go of (privilege.h), and hears of nothing but its
 * supervisor's wish. It ends with the supervisor, and the daemon with it.
 */

/* Starts it: its end of a channel, or -1 with errno. */
int starter_open(const struct cgroupfs *cgroupfs);

/* Has it start a daemon: a pidfd, or -1. */
int starter_start_daemon(int starter);

/* Ends it. */
void starter_close(int starter);

#endif
