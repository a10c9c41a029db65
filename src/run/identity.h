#ifndef RUN_IDENTITY_H
#define RUN_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct peer;

/*
 * Doing something for a task with no more rights than it has: the calling
 * thread takes its filesystem user, group and supplementary groups, and with
 * user 0 goes the right to override permissions. Source: credentials(7), setfsuid(2).
 */

/*
 * Takes them, of the real user instead of the filesystem's when `real` (as access(2) asks). *umask is
 * the task's. A supervisor that is not root has no other rights than its tasks, and takes nothing.
 * False: they cannot be known or taken; nothing must be done then.
 */
bool identity_take(const struct peer *peer, bool real, mode_t *umask);
/* Whether it is root, as who owns its files in /proc tells: also true of one whose memory is a secret. */
bool identity_is_root(const struct peer *peer);
/* Back to the thread's own; it has no supplementary groups then: root needs none. */
void identity_return(void);

#endif
