/* SPDX-License-Identifier: MIT */
/*
 * One read or one write of a file, by what its row has (kernel/cgroup/cgroup.c: cgroup_seqfile_show,
 * cgroup_file_write).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "core.h"
#include "number.h"

#define WRITE_LIMIT 4096 /* PAGE_SIZE: kernfs' atomic_write_len unless the row says otherwise */

/*
 * Holds the css whose file is read or written, which may end meanwhile. -ENODEV: the cgroup is gone, or
 * the css is, or is another one than when the file was opened. Under the tree lock; let go by css_put().
 */
static int hold_css(const struct request *request, struct css **css)
{
	struct css *held = cgroup_file_css(request->cgroup, request->file);

	*css = NULL;
	if (request->cgroup->dead || !cgroup_has_file(request->cgroup, request->file))
		return -ENODEV;
	if (held && (!held->visible || (request->serial && request->serial != held->serial)))
		return -ENODEV;
	*css = css_get(held);
	return 0;
}

static int show_stored(const struct request *request, struct text *out)
{
	const struct cgroup_file *file = request->file;
	const struct cftype *type = file->type;
	struct cgroup *cgroup = request->cgroup;

	if (type->show)
		return type->show(request, out);
	if (type->read_u64)
		text_add_u64(out, type->read_u64(cgroup, file));
	else if (type->read_s64)
		text_add_s64(out, type->read_s64(cgroup, file));
	else
		return -EINVAL;
	text_add(out, "\n");
	return 0;
}

int cgroup_file_read(const struct request *request, struct text *out)
{
	const struct cftype *type = request->file->type;
	struct tree *tree = cgroup_tree(request->cgroup);
	struct css *css;
	int error;

	text_clear(out);
	tree_read_lock(tree);
	error = hold_css(request, &css);
	if (!error && !type->measure)
		error = show_stored(request, out);
	tree_unlock(tree);
	if (!error && type->measure)
		error = type->measure(request, out);
	css_put(css);
	return error ? error : out->error;
}

int cgroup_file_check(const struct request *request)
{
	const struct cftype *type = request->file->type;
	struct tree *tree = cgroup_tree(request->cgroup);
	struct text unseen = {0};
	struct css *css;
	int error;

	tree_read_lock(tree);
	error = hold_css(request, &css);
	if (!error && !type->measure)
		error = show_stored(request, &unseen);
	else if (!error && type->check)
		error = type->check(request);
	tree_unlock(tree);
	css_put(css);
	text_free(&unseen);
	return error;
}

static int store_number(const struct request *request, char *text)
{
	const struct cftype *type = request->file->type;
	uint64_t unsigned_value;
	int64_t value;
	int error;

	if (type->write_u64) {
		error = number_parse_u64(text, 0, &unsigned_value);
		return error ? error
			     : type->write_u64(request->cgroup, request->file, unsigned_value);
	}
	error = number_parse_s64(text, 0, &value);
	return error ? error : type->write_s64(request->cgroup, request->file, value);
}

static int store_locked(const struct request *request, char *text)
{
	const struct cftype *type = request->file->type;
	struct tree *tree = cgroup_tree(request->cgroup);
	struct css *css;
	int error;

	tree_write_lock(tree);
	error = hold_css(request, &css);
	if (!error)
		error = type->store ? type->store(request, text) : store_number(request, text);
	tree_unlock(tree);
	css_put(css);
	return error;
}

static int act(const struct request *request, char *text)
{
	const struct cftype *type = request->file->type;
	struct tree *tree = cgroup_tree(request->cgroup);
	struct css *css;
	int error;

	tree_read_lock(tree);
	error = hold_css(request, &css);
	tree_unlock(tree);
	if (!error)
		error = type->act ? type->act(request, text) : -EINVAL;
	css_put(css);
	return error;
}

static int store_text(const struct request *request, char *text)
{
	const struct cftype *type = request->file->type;

	if (type->store || type->write_u64 || type->write_s64)
		return store_locked(request, text);
	return act(request, text);
}

/* From within a cgroup namespace its root's limits are another's to set (cgroup_file_write, nsdelegate). */
static bool is_delegated(const struct request *request)
{
	const struct tree *tree = cgroup_tree(request->cgroup);

	if (request->file->type->flags & CFTYPE_NS_DELEGATABLE)
		return true;
	if (tree->container_view && cgroup_is_root(request->cgroup))
		return false;
	return !(tree->root_flags & CGROUP_NSDELEGATE) || request->caller.namespace != request->cgroup;
}

int cgroup_file_write(const struct request *request, const char *bytes, size_t len)
{
	const struct cftype *type = request->file->type;
	char small[WRITE_LIMIT + 1], *text = small;
	int error;

	if (!len)
		return 0;
	if (len > (type->max_write_len ? type->max_write_len : WRITE_LIMIT))
		return -E2BIG;
	if (!is_delegated(request))
		return -EPERM;
	if (len >= sizeof(small) && !(text = malloc(len + 1)))
		return -ENOMEM;
	memcpy(text, bytes, len);
	text[len] = '\0';
	error = store_text(request, text);
	if (text != small)
		free(text);
	return error;
}
