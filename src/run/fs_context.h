/* SPDX-License-Identifier: MIT */
#ifndef RUN_FS_CONTEXT_H
#define RUN_FS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "mount_options.h"

struct peer;
struct view;

/*
 * What fsopen(2) and fspick(2) give for our tree: a memory file, open for writing only, with what was
 * said so far. So it is gone when its last descriptor is, needs no table here, and goes with its
 * descriptor to whoever that is sent to. The task can write into it too, but no more than what it
 * may say by fsconfig(2); what is read is looked at as if a stranger had written it.
 */

enum fs_context_phase { /* of enum fs_context_phase of linux/fs_context.h those that last */
	CONTEXT_CREATE, /* parameters of a mount are taken */
	CONTEXT_MOUNT, /* it can be mounted */
	CONTEXT_CHANGE, /* parameters of a remount are taken */
	CONTEXT_FAILED,
};

struct fs_context {
	uint64_t mount; /* the number of the mount that is changed; 0: there is none */
	uint32_t phase; /* enum fs_context_phase */
	int32_t hierarchy; /* its number; -1: none so far */
	struct mount_options options;
};

/* A descriptor for the task, or a negative errno. */
int fs_context_new(const struct fs_context *context);

/*
 * Reads what the task's descriptor is of, and opens the file for fs_context_write(): its descriptor, to
 * be closed; -ENOENT: it is no such file, the kernel is to say what it is.
 */
int fs_context_read(const struct view *view, const struct peer *peer, int fd,
		    struct fs_context *context);

/* 0 or a negative errno. */
int fs_context_write(int file, const struct fs_context *context);

#endif
