/* SPDX-License-Identifier: MIT */
#ifndef RUN_TABLE_SOURCE_H
#define RUN_TABLE_SOURCE_H

#include <stdbool.h>

#include "text.h"

struct peer;
struct table_share;
struct view;

/*
 * What a table of mounts is made from: the kernel's own of one mount namespace, as somebody saw it who opened
 * it. It can be made again later, as the kernel's is at each reading from its start.
 */
struct table_source;

/* view_mounts() or view_mountstats(), which need the mountinfo beside the table. */
typedef int table_merge(struct view *view, const struct text *mountinfo, const struct text *table,
			bool outside, struct text *out);

/*
 * Of the task `of`, whose own table `file` is, open for reading, or a negative errno; `merge` NULL: it is
 * mountinfo. `file` is used up, and *roots, which the reader has (view.h), are taken over, unless this fails.
 * 0, and *source is to be freed; or a negative errno.
 */
int table_source_open(struct view *view, table_merge *merge, const struct peer *of, int file,
		      struct text *roots, struct table_source **source);
/* NULL is fine. */
void table_source_free(struct table_source *source);

/* The kernel's own file: it tells of news. */
int table_source_file(const struct table_source *source);

/*
 * Makes the table as it is now; `share` grows by what is read for it. 0; -EAGAIN: mounts come faster than
 * they can be read; or another negative errno. Waits for the daemon. Thread-safe.
 */
int table_source_make(struct table_source *source, struct table_share *share, struct text *out);

#endif
