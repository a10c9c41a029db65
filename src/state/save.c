/* SPDX-License-Identifier: MIT */
/* One cgroup as bytes. */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "inode.h"
#include "tree_bytes.h"

void tree_put_place(struct tree *tree, struct cgroup *cgroup, struct text *out)
{
	struct timespec created = cgroup ? cgroup->created : tree->created;
	const char *agent = NULL;

	bytes_put_u64(out, cgroup && cgroup->parent ? cgroup->parent->id : 0);
	bytes_put_string(out, !cgroup ? "" : cgroup->parent ? cgroup->name
							     : cgroup->hierarchy->name);
	bytes_put_u64(out, (uint64_t)created.tv_sec);
	bytes_put_u64(out, (uint64_t)created.tv_nsec);
	bytes_put_u64(out, cgroup ? cgroup->uid : 0);
	bytes_put_u64(out, cgroup ? cgroup->gid : 0);
	bytes_put_u64(out, cgroup && cgroup->clone_children);
	bytes_put_u64(out, cgroup && cgroup->notify_on_release);
	if (cgroup && !cgroup->parent)
		agent = cgroup->hierarchy->release_agent;
	bytes_put_string(out, agent ? agent : "");
	inode_save(tree, cgroup, out);
}

static bool is_stored(const struct cgroup_file *file)
{
	const struct cftype *type = file->type;

	return (type->show || type->read_u64 || type->read_s64) &&
	       (type->store || type->act || type->write_u64 || type->write_s64);
}

static void put_file(struct cgroup *cgroup, const struct cgroup_file *file, struct text *out)
{
	const struct request request = {.cgroup = cgroup, .file = file};
	struct text content = {0};
	int error = 0;

	if (file->type->show)
		error = file->type->show(&request, &content);
	else if (file->type->read_u64)
		text_add_u64(&content, file->type->read_u64(cgroup, file));
	else
		text_add_s64(&content, file->type->read_s64(cgroup, file));
	if (error == -ENOMEM)
		out->error = error;
	if (!error) {
		bytes_put_string(out, file->name);
		bytes_put_text(out, &content);
	}
	text_free(&content);
}

/* What each file shows that can be read and written: to be written again. */
static void put_files(struct cgroup *cgroup, const struct controller *controller, struct text *out)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;

	for (unsigned i = 0; i < hierarchy->file_count; i++) {
		const struct cgroup_file *file = &hierarchy->files[i];

		if (file->controller == controller && cgroup_has_file(cgroup, file) &&
		    is_stored(file))
			put_file(cgroup, file, out);
	}
}

void tree_put_values(struct cgroup *cgroup, struct text *out)
{
	const struct controller *const *controller = cgroup->hierarchy->controllers;
	struct text kind = {0};

	cgroup_save_kind(cgroup, &kind);
	bytes_put_string(out, "");
	bytes_put_text(out, &kind);
	text_free(&kind);
	for (; *controller; controller++) {
		struct text values = {0};

		if (!cgroup_has_css(cgroup, *controller))
			continue;
		if ((*controller)->save)
			(*controller)->save(cgroup, &values);
		else
			put_files(cgroup, *controller, &values);
		bytes_put_string(out, (*controller)->name);
		bytes_put_text(out, &values);
		text_free(&values);
	}
}
