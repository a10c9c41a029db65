/* SPDX-License-Identifier: MIT */
#ifndef RUN_FILTER_H
#define RUN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct sock_fprog;

/*
 * The seccomp filter that catches the table of traps (calls.h), but for opens
 * as GNU cpp makes them, and lets everything else through at full speed.
 */

/*
 * The filter as a program for filter_install(), which does `action` (SCMP_ACT_...) with calls to be caught:
 * with what redirect.h needs when `redirect`, and of the traps that not everybody needs those that are
 * `needed` (TRAP_CONDITIONS). NULL with errno set. filter_free() takes NULL.
 */
struct sock_fprog *filter_new(uint32_t action, bool redirect, unsigned needed);
void filter_free(struct sock_fprog *program);

/*
 * Puts the calling process under the filter, for good, and what it execs and forks. Returns the listener's
 * descriptor, 0 without one, or -1 with errno set (EBUSY: there is a listener already; EINVAL: a kernel
 * without seccomp notification). Without CAP_SYS_ADMIN it sets no_new_privs first, as the kernel demands.
 * Async-signal-safe. From the listener on, caught calls wait for catcher.serve().
 */
int filter_install(const struct sock_fprog *program, bool with_listener);

#endif
