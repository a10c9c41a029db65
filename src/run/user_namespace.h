/* SPDX-License-Identifier: MIT */
#ifndef RUN_USER_NAMESPACE_H
#define RUN_USER_NAMESPACE_H

#include <stdbool.h>

/*
 * Puts the calling process into a user namespace and a mount namespace, in which it is who it was, with all
 * capabilities. All users and groups that it knew are there by the same numbers if it may map them
 * (CAP_SETUID, CAP_SETGID, and CAP_SETFCAP for root's), else itself alone. Single-threaded callers only.
 * False, and said why on standard error: it cannot be had. Source: user_namespaces(7).
 */
bool user_namespace_enter(void);

#endif
