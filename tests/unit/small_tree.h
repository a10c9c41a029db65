/* SPDX-License-Identifier: MIT */
/* A tree without a mount, driven by paths: what the controllers' tests and fuzz targets share. */
#ifndef SMALL_TREE_H
#define SMALL_TREE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "cgroup.h"
#include "controller.h"
#include "machine.h"

struct small_tree {
	struct machine *machine;
	struct accounting *accounting;
	struct tree *tree;
	struct text out; /* what was read last, NUL-terminated */
};

/* `root` has proc/ in it; `list` names the controllers. Ends the program on failure. */
static inline void small_tree_open(struct small_tree *small, const char *root,
				   const struct controller *const *list)
{
	*small = (struct small_tree){.machine = machine_open(root)};
	if (small->machine)
		small->accounting = accounting_new(small->machine);
	if (small->accounting)
		small->tree = tree_new(list, small->machine, small->accounting);
	if (!small->tree) {
		perror(root);
		exit(1);
	}
}

static inline void small_tree_close(struct small_tree *small)
{
	tree_free(small->tree);
	accounting_free(small->accounting);
	machine_close(small->machine);
	text_free(&small->out);
}

static inline int small_mkdir(struct small_tree *small, const char *path)
{
	return cgroup_mkdir(small->tree, path, 0755, &(struct caller){0});
}

static inline int small_rmdir(struct small_tree *small, const char *path)
{
	uint64_t number;

	return cgroup_rmdir(small->tree, path, &number);
}

/* A request for the file at `path`; its cgroup is held. 0 or a negative errno. */
static inline int small_find(struct small_tree *small, const char *path, uid_t uid,
			     struct request *request)
{
	struct node node;
	int error;

	tree_read_lock(small->tree);
	error = tree_lookup(small->tree, path, &node);
	if (!error && !node.file)
		error = -EISDIR;
	if (!error)
		*request = (struct request){.cgroup = cgroup_get(node.cgroup), .file = node.file,
					    .caller = {getpid(), uid, uid, uid},
					    .serial = node.serial};
	tree_unlock(small->tree);
	return error;
}

static inline int small_write_as(struct small_tree *small, uid_t uid, const char *path,
				 const char *bytes, size_t len)
{
	struct request request;
	int error = small_find(small, path, uid, &request);

	if (error)
		return error;
	error = cgroup_file_write(&request, bytes, len);
	cgroup_put(request.cgroup);
	return error;
}

static inline int small_write(struct small_tree *small, const char *path, const char *text)
{
	return small_write_as(small, 0, path, text, strlen(text));
}

/* The content, valid until the next read; NULL with errno set. */
static inline const char *small_read(struct small_tree *small, const char *path)
{
	struct request request;
	int error = small_find(small, path, 0, &request);

	if (!error) {
		error = cgroup_file_read(&request, &small->out);
		cgroup_put(request.cgroup);
	}
	text_add_bytes(&small->out, "", 1);
	errno = -error;
	return error ? NULL : small->out.data;
}

#endif
