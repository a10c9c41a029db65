/* SPDX-License-Identifier: MIT */
#ifndef RUN_IDENTITY_H
#define RUN_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct peer;

/*
 * Doing something for a task with no more rights than it has: the calling
 * thread takes its filesystem user and group, its supplementary groups and its
 * effective capabilities. The other ids stay the supervisor's: with the real or
 * saved user came the task's right to send it signals. Where there is no
 * setfsuid(2), in gVisor, the thread takes the effective ids in place of the
 * filesystem's, which follow them everywhere. Sources: credentials(7), capabilities(7), setfsuid(2),
 * gVisor's pkg/sentry/kernel/task_identity.go.
 */

struct identity {
	unsigned uid[4], gid[4]; /* real, effective, saved, filesystem */
	unsigned umask;
	uint64_t permitted, effective; /* 1 << CAP_...; none, in a user namespace below the supervisor's */
	gid_t *groups;
	size_t group_count;
};

/*
 * What identity_read() says of a task whose umask the kernel does not tell (gVisor, Linux before 4.7): the
 * command's, at its start. 077 until it is called, before there are threads.
 */
void identity_expect_umask(mode_t umask);

/* Fills *identity, which is to be freed. 0, or a negative errno (and nothing is to be freed). */
int identity_read(const struct peer *peer, struct identity *identity);
void identity_free(struct identity *identity);

/*
 * Takes the rights of one that was read, for the calling thread; of the real user instead of the filesystem's
 * when `real` (as access(2) asks). 0, or a negative errno: it has its own, and nothing must be done then.
 */
int identity_take(const struct identity *identity, bool real);

/*
 * The same of a task, to walk a path or open what there is: a task that has all capabilities that the
 * supervisor has may do all that it may, and nothing is taken then.
 */
int identity_take_of(const struct peer *peer);

/* Back to the thread's own; nothing happens if none was taken. */
void identity_return(void);

#endif
