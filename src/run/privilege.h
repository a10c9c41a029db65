/* SPDX-License-Identifier: MIT */
#ifndef RUN_PRIVILEGE_H
#define RUN_PRIVILEGE_H

#include <stdbool.h>

/*
 * What our own processes let go of once they need it no more, so that a fault in them gives away less: see
 * SECURITY.md. Capabilities of the bounding set and those not listed there are gone for good (no_new_privs),
 * and a seccomp filter refuses, with EPERM, what such a process never does: starting programs, loading code
 * into the kernel, tracing, sockets. The filter names what is forbidden, not what is permitted: what a C
 * library, a sanitizer or a later kernel has the process do besides is not known, and a supervisor that fails
 * by an unforeseen call leaves its command without answers; and what it does for tasks (redirect.h) are most
 * calls that take a path. What could lead to other rights is few and known.
 */

/*
 * The supervisor, before it has threads of its own: it keeps what it needs to look into tasks, to mount for
 * them and to take their identity; ptrace(2) too when it `traces`. False, and said why on standard error.
 */
bool privilege_keep_supervisors(bool traces);

/* The launcher that waits for its command: it keeps what passing signals on needs. */
bool privilege_keep_launchers(void);

#endif
