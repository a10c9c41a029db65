/* SPDX-License-Identifier: MIT */
#ifndef RUN_MOUNT_LINE_H
#define RUN_MOUNT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "text.h"

/* The kernel's mount tables, line by line. */

/* A part of a table's text. */
struct slice {
	const char *data;
	size_t len;
};

#define SLICE(slice) (int)(slice).len, (slice).data

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static inline struct slice slice_of_text(const struct text *text)
{
	return (struct slice){text->data, text->len};
}

bool slice_is(struct slice slice, const char *text);
bool slice_equal(struct slice a, struct slice b);
/* Whether the path `path` is `directory` or below it. */
bool slice_is_below(struct slice path, struct slice directory);

/* A line of mountinfo (proc_pid_mountinfo(5)). */
struct mount {
	struct slice line; /* with its newline */
	struct slice id, parent, device, root, point, options;
	struct slice optional; /* " shared:1 master:2", or nothing */
	struct slice type, source, super_options;
};

/* Takes the first line, with its newline, off the text. False: there is none. */
bool mount_take_line(struct slice *text, struct slice *line);

/* False: it is no line of a mount. */
bool mount_parse(struct slice line, struct mount *mount);

/*
 * Takes one mount off a table of /proc/PID/mounts or mountstats, and tells where it is mounted. False: there
 * is none.
 */
typedef bool mount_take(struct slice *table, struct slice *record, struct slice *point);
bool mount_take_of_mounts(struct slice *table, struct slice *record, struct slice *point);
bool mount_take_of_mountstats(struct slice *table, struct slice *record, struct slice *point);

/* Appends the path as the tables have it: blanks and backslashes in octal (seq_dentry's " \t\n\\"). */
void mount_add_path(struct text *out, const char *path);

#endif
