/* SPDX-License-Identifier: MIT */
#ifndef RUN_VISIT_H
#define RUN_VISIT_H

/*
 * Work in another mount namespace than the process' own. Sources: setns(2), mount_namespaces(7).
 */

/*
 * Runs work(argument) in a thread that has entered the mount namespace of the descriptor (-1: none), with
 * a root and a working directory of its own. What the work returns, or a negative errno.
 */
int visit(int namespace, int (*work)(void *argument), void *argument);

/*
 * A mount namespace that has the mount at `path` as its root and nothing else, out of everybody's
 * reach: a descriptor of it, and in *root (to be closed too) O_PATH of the mount in there. Or a
 * negative errno. Where the root cannot be changed, as in an initramfs, the other mounts stay in it as well.
 */
int visit_shut_in(const char *path, int *root);

#endif
