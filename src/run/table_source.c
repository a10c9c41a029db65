/* SPDX-License-Identifier: MIT */
/* Tables of mounts, from the kernel's own. */
#include "table_source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "lock.h"
#include "peer.h"
#include "shortage.h"
#include "table_share.h"
#include "view.h"

struct table_source {
	struct view *view;
	table_merge *merge; /* NULL: it is mountinfo */
	struct text roots;
	bool outside; /* view_is_outside() */
	pthread_mutex_t lock; /* of the positions of these two */
	int file;
	int mountinfo; /* beside it, or -1 */
};

int table_source_open(struct view *view, table_merge *merge, const struct peer *of, int file,
		      struct text *roots, struct table_source **source)
{
	struct table_source *made;
	int mountinfo = merge && file >= 0 ? peer_proc_open(of, "mountinfo", O_RDONLY) : -1;

	if (file < 0)
		return file;
	if (merge && mountinfo < 0) {
		close(file);
		return mountinfo;
	}
	made = malloc(sizeof(*made));
	if (!made) {
		close(file);
		if (mountinfo >= 0)
			close(mountinfo);
		return shortage_note(-ENOMEM);
	}
	*made = (struct table_source){.view = view, .merge = merge, .roots = *roots, .file = file,
				      .outside = view_is_outside(view, of), .mountinfo = mountinfo};
	lock_init(&made->lock);
	*roots = (struct text){0};
	*source = made;
	return 0;
}

void table_source_free(struct table_source *source)
{
	if (!source)
		return;
	close(source->file);
	if (source->mountinfo >= 0)
		close(source->mountinfo);
	pthread_mutex_destroy(&source->lock);
	text_free(&source->roots);
	free(source);
}

int table_source_file(const struct table_source *source)
{
	return source->file;
}

#define COPIES 4 /* of what is read, at most, until the table is made: texts grow by doubling */

/* Replaces *out by all of the file. */
static int read_all(int fd, struct table_share *share, struct text *out)
{
	char part[16384];
	ssize_t len;

	text_clear(out);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((len = read(fd, part, sizeof(part))) > 0) {
		if (out->len + (size_t)len > TABLE_TEXT_MAX ||
		    table_share_grow(share, COPIES * (size_t)len))
			return -ENOMEM;
		text_add_bytes(out, part, (size_t)len);
	}
	return len < 0 ? -errno : out->error;
}

#define MOMENTS 10 /* tries to read two tables between two mounts */

static int make(struct table_source *source, struct table_share *share, struct text *mountinfo,
		struct text *table, struct text *out)
{
	int error = read_all(source->file, share, table);

	if (error)
		return error;
	if (!source->merge)
		return view_mountinfo(source->view, &source->roots, table, source->outside, out);
	error = read_all(source->mountinfo, share, mountinfo);
	return error ? error : source->merge(source->view, mountinfo, table, source->outside, out);
}

int table_source_make(struct table_source *source, struct table_share *share, struct text *out)
{
	struct text mountinfo = {0}, table = {0};
	int error = -EAGAIN;

	pthread_mutex_lock(&source->lock);
	for (unsigned i = 0; i < MOMENTS && error == -EAGAIN; i++) {
		table_share_shrink(share, 0); /* what the try before has read */
		error = make(source, share, &mountinfo, &table, out);
	}
	pthread_mutex_unlock(&source->lock);
	text_free(&mountinfo);
	text_free(&table);
	return error;
}
