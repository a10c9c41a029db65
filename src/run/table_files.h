/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_FILES_H
#define RUN_TABLE_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "text.h"

struct table_share;
struct table_source;

/*
 * Files as /proc has them: regular, read-only, with a size of 0 and yet a content, that poll(2) and epoll(7)
 * take, and tell by POLLERR and POLLPRI that mounts have changed. Only a filesystem can have such files: this
 * is a FUSE filesystem of the supervisor's own, mounted nowhere, so that nobody opens a file of it but by a
 * descriptor. Sources: mounts_poll of fs/proc_namespace.c, fs/fuse/{dev,dir,file}.c, linux/fuse.h.
 */

/*
 * A descriptor open for reading of a file of this name with this content, which is copied, and the mode and
 * owner of `about`. `source`, which the file takes over, is what the content was made of: its changes are
 * told, and who reads from the start after a change is given a new content, if the user's share
 * (table_share.h) has room for that; NULL: it stays as it is. `share`, what the file costs, is the file's
 * too. A negative errno; -ENOSYS: there is no FUSE for us here, and nothing was taken over. Thread-safe.
 */
int table_files_open(const char *name, const struct text *text, const struct stat *about,
		     struct table_source *source, struct table_share *share);

/* Whether such files are on this device. */
bool table_files_are_on(dev_t filesystem);

#endif
