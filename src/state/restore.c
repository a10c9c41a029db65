/* SPDX-License-Identifier: MIT */
/* A tree from what was kept. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "inode.h"
#include "log.h"
#include "tree_bytes.h"

/* A number of a state file, and the cgroup it is now. */
struct known {
	uint64_t number;
	struct cgroup *cgroup;
	UT_hash_handle hh;
};

struct restore {
	struct tree *tree;
	const struct kept *kept;
	struct known *known;
	uint64_t highest;
	char *problem;
	bool keep; /* the file is all right: the command line is not, or something is short now */
};

__attribute__((format(printf, 2, 3)))
static void fail(struct restore *restore, const char *format, ...)
{
	va_list args;

	if (restore->problem)
		return;
	va_start(args, format);
	if (vasprintf(&restore->problem, format, args) < 0)
		restore->problem = NULL;
	va_end(args);
}

/* Fails for what is no fault of the file, and may not be there the next time. */
static void fail_for_now(struct restore *restore, int error)
{
	if (restore->problem || (error != -ENOMEM && error != -EMFILE && error != -ENFILE &&
				 error != -EINTR && error != -EIO))
		return;
	fail(restore, "%s", strerror(-error));
	restore->keep = true;
}

static struct cgroup *find_known(const struct restore *restore, uint64_t number)
{
	struct known *known;

	HASH_FIND(hh, restore->known, &number, sizeof(number), known);
	return known ? known->cgroup : NULL;
}

static void add_known(struct restore *restore, uint64_t number, struct cgroup *cgroup)
{
	struct known *known = calloc(1, sizeof(*known));

	if (known) {
		known->number = number;
		known->cgroup = cgroup;
		HASH_ADD(hh, restore->known, number, sizeof(known->number), known);
	}
	if (!known || !HASH_HAS(hh, known)) {
		free(known);
		fail_for_now(restore, -ENOMEM);
		return;
	}
	cgroup->id = number;
	if (number > restore->highest)
		restore->highest = number;
}

/* --- making the cgroups --- */

static struct cgroup *find_root(struct restore *restore, const char *name)
{
	for (unsigned i = 0; i < restore->tree->hierarchy_count; i++) {
		if (!strcmp(restore->tree->hierarchies[i].name, name))
			return restore->tree->hierarchies[i].root;
	}
	if (!*name || restore->tree->unified)
		fail(restore, "it was made with cgroup %s: serve that, or use another directory",
		     *name ? "v1" : "v2");
	fail(restore, "it was made with %s, which -o controllers leaves out now: serve it too, or "
		      "use another directory", name);
	restore->keep = true;
	return NULL;
}

static void put_path(struct text *path, const struct cgroup *cgroup)
{
	if (cgroup->parent)
		put_path(path, cgroup->parent);
	text_add(path, "/");
	text_add(path, cgroup->parent ? cgroup->name : cgroup->hierarchy->name);
}

static struct cgroup *make_child(struct restore *restore, struct cgroup *parent, const char *name)
{
	struct text path = {0};
	struct node node = {0};
	int error;

	put_path(&path, parent);
	text_add(&path, "/");
	text_add(&path, name);
	text_add_bytes(&path, "", 1);
	error = path.error;
	if (!error)
		error = cgroup_mkdir(restore->tree, path.data, 0755, &(struct caller){0});
	tree_read_lock(restore->tree);
	if (!error)
		error = tree_lookup(restore->tree, path.data, &node);
	tree_unlock(restore->tree);
	fail_for_now(restore, error);
	if (error)
		fail(restore, "its cgroup %s cannot be made: %s",
		     path.data ? path.data : name, strerror(-error));
	text_free(&path);
	return error || node.file ? NULL : node.cgroup;
}

static void set_attributes(struct restore *restore, struct cgroup *cgroup, struct bytes *in)
{
	struct timespec created = {.tv_sec = (time_t)bytes_get_u64(in)};
	char agent[PATH_MAX];
	uint64_t uid, gid;
	int error;

	created.tv_nsec = (long)bytes_get_u64(in);
	uid = bytes_get_u64(in);
	gid = bytes_get_u64(in);
	if (cgroup) {
		cgroup->created = created;
		if (cgroup->parent) { /* a root is of who serves it now */
			owners_release(restore->tree, cgroup->uid, OWNERS_CGROUP);
			cgroup->uid = (uid_t)uid;
			if (owners_charge(restore->tree, cgroup->uid, OWNERS_CGROUP))
				fail_for_now(restore, -ENOMEM);
			cgroup->gid = (gid_t)gid;
		}
		cgroup->clone_children = bytes_get_u64(in);
		cgroup->notify_on_release = bytes_get_u64(in);
	} else {
		restore->tree->created = created;
		bytes_get_u64(in);
		bytes_get_u64(in);
	}
	bytes_get_string(in, agent, sizeof(agent));
	if (cgroup && !cgroup->parent && *agent) {
		free(cgroup->hierarchy->release_agent);
		cgroup->hierarchy->release_agent = strdup(agent);
	}
	error = inode_restore(restore->tree, cgroup, in);
	fail_for_now(restore, error);
	if (error || in->wrong)
		fail(restore, "it is damaged");
}

static struct cgroup *make_cgroup(struct restore *restore, const struct kept_cgroup *kept,
				  unsigned depth);

static struct cgroup *make_parent(struct restore *restore, uint64_t number, unsigned depth)
{
	struct cgroup *parent = find_known(restore, number);
	const struct kept_cgroup *kept;

	if (parent || depth > HASH_COUNT(restore->kept->cgroups))
		return parent; /* its own ancestor: damage */
	HASH_FIND(hh, restore->kept->cgroups, &number, sizeof(number), kept);
	return kept ? make_cgroup(restore, kept, depth + 1) : NULL;
}

/* Parents first; a root is there already. */
static struct cgroup *make_cgroup(struct restore *restore, const struct kept_cgroup *kept,
				  unsigned depth)
{
	struct bytes in = kept->place;
	uint64_t parent_number = bytes_get_u64(&in);
	struct cgroup *cgroup = find_known(restore, kept->number), *parent = NULL;
	struct bytes name = bytes_get(&in);
	char *text;

	if (cgroup || restore->problem)
		return cgroup;
	text = name.wrong ? NULL : strndup(name.data, name.len);
	if (parent_number)
		parent = make_parent(restore, parent_number, depth);
	if (!text || (parent_number && !parent))
		fail(restore, "it is damaged");
	else
		cgroup = parent ? make_child(restore, parent, text) : find_root(restore, text);
	free(text);
	if (!cgroup)
		return NULL;
	add_known(restore, kept->number, cgroup);
	set_attributes(restore, cgroup, &in);
	return cgroup;
}

static void make_all(struct restore *restore)
{
	const struct kept_cgroup *kept;

	for (kept = restore->kept->cgroups; kept && !restore->problem; kept = kept->hh.next) {
		struct bytes in = kept->place;

		if (kept->number) {
			make_cgroup(restore, kept, 0);
			continue;
		}
		bytes_get_u64(&in);
		bytes_get(&in);
		set_attributes(restore, NULL, &in);
	}
}

/* Numbers are names for good: roots that were not kept get new ones. */
static void number_roots(struct restore *restore)
{
	struct tree *tree = restore->tree;

	tree->last_id = tree->last_id > restore->highest ? tree->last_id : restore->highest;
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		struct cgroup *root = tree->hierarchies[i].root;

		if (find_known(restore, root->id) != root)
			root->id = ++tree->last_id;
	}
}

/* --- their values --- */

static bool reads_as(const struct request *request, const struct bytes *wanted)
{
	struct text now = {0};
	bool same;

	cgroup_file_read(request, &now);
	if (now.len && now.data[now.len - 1] == '\n' &&
	    !(wanted->len && wanted->data[wanted->len - 1] == '\n'))
		now.len--;
	same = now.len == wanted->len && (!now.len || !memcmp(now.data, wanted->data, now.len));
	text_free(&now);
	return same;
}

static void write_files(struct cgroup *cgroup, struct bytes in)
{
	while (in.len && !in.wrong) {
		char name[NAME_MAX + 1];
		struct request request = {.cgroup = cgroup};
		struct cgroup_file *file = NULL;
		struct bytes wanted;

		bytes_get_string(&in, name, sizeof(name));
		wanted = bytes_get(&in);
		if (in.wrong)
			break;
		HASH_FIND(hh, cgroup->hierarchy->file_table, name, strlen(name), file);
		if (!file || !cgroup_has_file(cgroup, file))
			continue;
		request.file = file;
		if (reads_as(&request, &wanted))
			continue;
		if (cgroup_file_write(&request, wanted.data, wanted.len))
			log_warning("state: %s of %s does not take what it had", name, cgroup->name);
	}
}

static int restore_controller(struct restore *restore, struct cgroup *cgroup, const char *name,
			      struct bytes *values)
{
	const struct controller *const *list = cgroup->hierarchy->controllers;
	int error = 0;

	while (*list && strcmp((*list)->name, name))
		list++;
	if (!*list || !cgroup_has_css(cgroup, *list))
		return 0;
	if (!(*list)->restore) {
		write_files(cgroup, *values);
		return 0;
	}
	tree_write_lock(restore->tree);
	error = (*list)->restore(cgroup, values);
	tree_unlock(restore->tree);
	return error;
}

static int restore_kind(struct restore *restore, struct cgroup *cgroup, struct bytes *values)
{
	int error;

	tree_write_lock(restore->tree);
	error = cgroup_restore_kind(cgroup, values);
	tree_unlock(restore->tree);
	return error;
}

/* What belongs to no controller comes first, under no name. */
static void restore_values(struct restore *restore, struct cgroup *cgroup, struct bytes in)
{
	while (in.len && !restore->problem) {
		char name[NAME_MAX + 1];
		struct bytes values;
		int error;

		bytes_get_string(&in, name, sizeof(name));
		values = bytes_get(&in);
		if (in.wrong) {
			fail(restore, "it is damaged");
			return;
		}
		error = *name ? restore_controller(restore, cgroup, name, &values)
			      : restore_kind(restore, cgroup, &values);
		fail_for_now(restore, error);
		if (error)
			fail(restore, "its values of a cgroup of %s are damaged", name);
	}
}

static struct group *find_group(void *context, uint64_t number)
{
	struct cgroup *cgroup = find_known(context, number);

	return cgroup ? &cgroup->group : NULL;
}

static void restore_content(struct restore *restore, struct cgroup *cgroup)
{
	const struct kept_cgroup *kept;
	struct bytes usage;
	int error;

	HASH_FIND(hh, restore->kept->cgroups, &cgroup->id, sizeof(cgroup->id), kept);
	if (!kept || restore->problem)
		return;
	restore_values(restore, cgroup, kept->values);
	usage = kept->usage;
	if (!usage.len || restore->problem)
		return;
	error = accounting_import_group(&cgroup->group, &usage);
	fail_for_now(restore, error);
	if (error)
		fail(restore, "its usage of a cgroup is damaged");
}

/* Parents first. */
static void restore_contents(struct restore *restore, bool same_boot)
{
	const struct kept_process *process;
	struct cgroup *cgroup;

	for (unsigned i = 0; i < restore->tree->hierarchy_count; i++) {
		cgroup_for_each_descendant(cgroup, restore->tree->hierarchies[i].root)
			restore_content(restore, cgroup);
	}
	process = same_boot ? restore->kept->processes : NULL;
	for (; process && !restore->problem; process = process->hh.next) {
		struct bytes bytes = process->bytes;

		if (accounting_import_process(restore->tree->accounting, &bytes, find_group, restore))
			fail(restore, "its processes are damaged");
	}
}

char *tree_restore(struct tree *tree, const struct kept *kept, bool same_boot, bool *keep)
{
	struct restore restore = {.tree = tree, .kept = kept};
	struct known *known, *next;

	tree->owners.takes_all = true;
	make_all(&restore);
	number_roots(&restore);
	if (!restore.problem)
		restore_contents(&restore, same_boot);
	HASH_ITER(hh, restore.known, known, next) {
		HASH_DEL(restore.known, known);
		free(known);
	}
	tree->owners.takes_all = false;
	*keep = restore.keep;
	return restore.problem;
}
