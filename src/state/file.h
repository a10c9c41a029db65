/* SPDX-License-Identifier: MIT */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdint.h>

#include "text.h"

/* Bytes of `state`. It is read as a whole; 32 users have what owners.h permits each. */
#define STATE_FILE_MAX (INT64_C(1) << 30)

/*
 * The files of a state directory, which is locked itself: `lock`, with who has it, `state`, and `state.new`
 * while it is written.
 */
struct state_file {
	char *path; /* of the directory */
	int directory, lock, state; /* descriptors, or -1 */
	uint64_t size; /* bytes of `state` */
};

/*
 * Opens and locks the directory; makes it when it is missing. It must be ours, and nobody else may
 * write to it, nor may the path be somebody else's symbolic link. NULL, or one line of why not: allocated.
 * state_file_close() in any case.
 */
char *state_file_open(struct state_file *file, const char *path);
void state_file_close(struct state_file *file);

/*
 * All of `state` into *content. -ENOENT: there is none; -EINVAL: it is no regular file; -EFBIG: it is
 * larger than STATE_FILE_MAX; -EPERM: it is another's, or others may write to it, as *problem says in one
 * line, allocated; else *problem is NULL.
 */
int state_file_read(const struct state_file *file, struct text *content, char **problem);
/* Moves `state` away, and writes its new path to `name`. 0 or a negative errno. */
int state_file_set_aside(const struct state_file *file, char *name, size_t size);

/*
 * `content` takes the place of `state`, whatever happens meanwhile: on the disk when this returns. Or a
 * negative errno, and `state` is what it was; -EFBIG: it would be larger than may be read again.
 */
int state_file_replace(struct state_file *file, const struct text *content);
/* Adds to `state`; all of it, or nothing and a negative errno, as state_file_replace(). */
int state_file_append(struct state_file *file, const struct text *record);

#endif
