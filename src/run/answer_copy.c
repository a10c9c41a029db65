/* SPDX-License-Identifier: MIT */
/* Copies within the kernel: whether they are from one of our files. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "answers.h"
#include "peer.h"
#include "table_files.h"
#include "view.h"

/* 0: a file of ours, -ENOENT: something else, or why it cannot be told. */
static int look(struct view *view, const struct peer *peer, int fd)
{
	int file = peer_file(peer, fd);
	struct statx about = {0};
	bool ours;

	if (file < 0)
		return file;
	ours = view_has(view, file, &about)
		       ? !view->copies
		       : table_files_are_on(makedev(about.stx_dev_major, about.stx_dev_minor));
	ours = ours && S_ISREG(about.stx_mode);
	close(file);
	return ours ? 0 : -ENOENT;
}

int answers_copy(struct view *view, const struct peer *peer, int in, int out, bool within, int error)
{
	int target;

	if (look(view, peer, in))
		return 0;
	target = look(view, peer, out);
	if (!target)
		return within ? 0 : error;
	return target == -ENOENT ? error : 0;
}
