/* SPDX-License-Identifier: MIT */
/* Tells the kernel of files that have gone: it keeps names and attributes for as long as it likes. */
#include <string.h>

#include "operations.h"

/* Adds the paths of the files that this cgroup could have and has not, each with its '\0'. */
static void add_absent(const struct cgroup *cgroup, struct text *paths)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;

	for (unsigned i = 0; i < hierarchy->file_count; i++) {
		const struct cgroup_file *file = &hierarchy->files[i];

		if (cgroup_has_file(cgroup, file))
			continue;
		if (cgroup->parent)
			cgroup_add_path(cgroup, paths);
		text_add(paths, "/");
		text_add(paths, file->name);
		text_add_bytes(paths, "", 1);
	}
}

/*
 * libfuse has no way to the names themselves. Without attributes the kernel asks when somebody walks to the
 * file; an open asks in any case.
 */
void gone_files_tell(const struct front_end *front, struct cgroup *top)
{
	struct text paths = {0};
	struct cgroup *cgroup;

	if (!front->platform->cache_seconds)
		return;
	tree_read_lock(front->tree);
	cgroup_for_each_descendant(cgroup, top)
		add_absent(cgroup, &paths);
	tree_unlock(front->tree);
	for (size_t at = 0; at < paths.len; at += strlen(paths.data + at) + 1)
		fuse_invalidate_path(fuse_get_context()->fuse, paths.data + at); /* -ENOENT: it knows none */
	text_free(&paths);
}
