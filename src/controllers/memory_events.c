/* SPDX-License-Identifier: MIT */
/*
 * cgroup.event_control: "<event_fd> <control_fd> <args>" (mm/memcontrol-v1.c
 * memcg_write_event_control, mm/vmpressure.c vmpressure_register_event).
 */
#include "mem_cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inode.h"
#include "machine_fd.h"
#include "number.h"

static const struct {
	const char *name;
	enum memory_event_kind kind;
} control_files[] = {
	{"memory.usage_in_bytes", MEMORY_EVENT_USAGE},
	{"memory.memsw.usage_in_bytes", MEMORY_EVENT_MEMSW_USAGE},
	{"memory.oom_control", MEMORY_EVENT_OOM},
	{"memory.pressure_level", MEMORY_EVENT_PRESSURE},
};

/* --- the text --- */

struct event_request {
	unsigned int event_fd, control_fd;
	char *args; /* in the text */
};

static int parse_request(char *text, struct event_request *parsed)
{
	const char *at = text_strip(text), *end;

	parsed->event_fd = number_simple_u64(at, 10, &end);
	if (*end != ' ')
		return -EINVAL;
	at = end + 1;
	parsed->control_fd = number_simple_u64(at, 10, &end);
	if (*end && *end != ' ')
		return -EINVAL;
	parsed->args = (char *)end + (*end == ' ');
	return 0;
}

static int match_string(const char *const *words, unsigned count, const char *word)
{
	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	return -EINVAL;
}

/* "LEVEL[,MODE]", cut at 19 bytes. Modes say how events travel upwards: ours are the root's, the top. */
static int parse_pressure(const char *args, struct memory_event *event)
{
	static const char *const levels[] = {"low", "medium", "critical"};
	static const char *const modes[] = {"default", "hierarchy", "local"};
	char copy[sizeof("critical") + sizeof("hierarchy") + 1]; /* MAX_VMPRESSURE_ARGS_LEN */
	char *rest = copy, *word;
	int level;

	snprintf(copy, sizeof(copy), "%s", args);
	level = match_string(levels, 3, strsep(&rest, ","));
	if (level < 0)
		return level;
	word = strsep(&rest, ",");
	if (word && match_string(modes, 3, word) < 0)
		return -EINVAL;
	event->level = level;
	return 0;
}

static int parse_threshold(const char *args, struct memory_event *event)
{
	uint64_t pages;
	struct memory_held held;
	int error = number_parse_pages(args, "-1", &pages);

	if (!error)
		error = memory_held(event->cgroup, &held);
	if (error)
		return error;
	event->threshold = number_pages_to_bytes(pages);
	event->reached = held.counter[event->kind == MEMORY_EVENT_USAGE ? MEMORY_MEM
									: MEMORY_MEMSWAP] >=
			 event->threshold;
	return 0;
}

static int parse_args(const char *args, struct memory_event *event)
{
	switch (event->kind) {
	case MEMORY_EVENT_USAGE:
	case MEMORY_EVENT_MEMSW_USAGE:
		return parse_threshold(args, event);
	case MEMORY_EVENT_PRESSURE:
		return parse_pressure(args, event);
	case MEMORY_EVENT_OOM:
		return 0; /* looks at nothing */
	}
	return -EINVAL;
}

/* --- the control file --- */

/* "/memory/a/b": where the cgroup is in our filesystem. Heap; NULL: no memory. Under the tree lock. */
static char *cgroup_path(const struct cgroup *cgroup)
{
	char *parent, *path;
	int len;

	if (cgroup_is_root(cgroup))
		return asprintf(&path, "/%s", cgroup->hierarchy->name) < 0 ? NULL : path;
	parent = cgroup_path(cgroup->parent);
	if (!parent)
		return NULL;
	len = asprintf(&path, "%s/%s", parent, cgroup->name);
	free(parent);
	return len < 0 ? NULL : path;
}

struct file_place {
	const char *path; /* in our filesystem */
	const struct machine_fd *fd;
};

static bool ends_with(const char *text, size_t len, const char *end, size_t end_len)
{
	return len >= end_len && !memcmp(text + len - end_len, end, end_len);
}

/*
 * Is this the mount through which the descriptor shows our file? Its link
 * then ends in the mount point and what of our path is below the mount's
 * root. (It may begin otherwise: mount points are told from the task's root,
 * links from ours.)
 */
static int match_mount(const struct machine_mount *mount, void *arg)
{
	const struct file_place *place = arg;
	size_t root = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	size_t point = strcmp(mount->point, "/") ? strlen(mount->point) : 0;
	size_t link = strlen(place->fd->path);
	const char *rest;

	if (place->fd->mount >= 0 && place->fd->mount != mount->id)
		return 0;
	if (strncmp(mount->type, "fuse", strlen("fuse")))
		return 0;
	if (strncmp(place->path, mount->root, root) || place->path[root] != '/')
		return 0;
	rest = place->path + root;
	if (!ends_with(place->fd->path, link, rest, strlen(rest)))
		return 0;
	return ends_with(place->fd->path, link - strlen(rest), mount->point, point);
}

/*
 * Where the task's mounts cannot be asked for: does the link end as our file's path does? At the top of a
 * hierarchy only in the file's name, as the mount point may have any. What is registered is the request's
 * own cgroup's event in any case: the descriptor tells only which.
 */
static bool ends_as(const char *link, const char *path)
{
	const char *end = strrchr(path, '/'), *at;

	for (at = end; at > path && at[-1] != '/'; at--)
		;
	if (at > path + 1)
		end = at - 1; /* not "/HIERARCHY/FILE" */
	return ends_with(link, strlen(link), end, strlen(end));
}

/* file_permission(file, MAY_READ), by owner, group and others as the row's inode has them. */
static int may_read(const struct request *request, const char *name)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	const struct caller *caller = &request->caller;
	struct node node = {.cgroup = request->cgroup};
	struct cgroup_file *file;
	struct stat st;
	mode_t bit;

	if (!caller->uid)
		return 0;
	tree_read_lock(tree);
	HASH_FIND_STR(request->cgroup->hierarchy->file_table, name, file);
	node.file = file;
	inode_stat(tree, &node, &st);
	tree_unlock(tree);
	bit = caller->uid == st.st_uid ? S_IRUSR : caller->gid == st.st_gid ? S_IRGRP : S_IROTH;
	return st.st_mode & bit ? 0 : -EACCES;
}

/* Is the descriptor the file `name` of the request's cgroup? 0 or a negative errno. */
static int check_place(const struct request *request, const struct machine_fd *fd, const char *name)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct file_place place = {.fd = fd};
	char *directory, *path;
	int result;

	tree_read_lock(tree);
	directory = cgroup_path(request->cgroup);
	tree_unlock(tree);
	if (!directory)
		return -ENOMEM;
	result = asprintf(&path, "%s/%s", directory, name);
	free(directory);
	if (result < 0)
		return -ENOMEM;
	place.path = path;
	result = machine_task_mounts(tree->machine, request->caller.tid, match_mount, &place);
	if (result == -EBUSY)
		result = ends_as(fd->path, path);
	free(path);
	return result > 0 ? 0 : result < 0 ? result : -EINVAL;
}

static int find_control_file(const struct request *request, const struct machine_fd *fd,
			     enum memory_event_kind *kind)
{
	const char *name = strrchr(fd->path, '/');
	int error;

	for (unsigned i = 0; name && i < sizeof(control_files) / sizeof(control_files[0]); i++) {
		if (strcmp(name + 1, control_files[i].name))
			continue;
		*kind = control_files[i].kind;
		error = check_place(request, fd, name + 1);
		return error ? error : may_read(request, name + 1);
	}
	return -EINVAL;
}

/* --- registration --- */

/* The writer's eventfd, as one of our own. */
static int take_eventfd(const struct request *request, unsigned int fd, struct memory_event *event)
{
	if (!request->caller.tid)
		return -EOPNOTSUPP; /* a process that this daemon cannot see */
	return memory_eventfd_take(cgroup_tree(request->cgroup)->machine, request->caller.tid, fd,
				   &event->eventfd);
}

static int check_control_fd(const struct request *request, unsigned int fd,
			    enum memory_event_kind *kind)
{
	struct machine_fd info;
	int error = machine_task_fd(cgroup_tree(request->cgroup)->machine, request->caller.tid, fd,
				    &info);

	if (!error && info.path_only)
		error = -EBADF;
	return error ? error : find_control_file(request, &info, kind);
}

int memory_event_control_act(const struct request *request, char *text)
{
	struct memory_watch *watch = mem_cgroup_of(request->cgroup->hierarchy->root)->watch;
	struct event_request parsed;
	struct memory_event *event;
	int error = parse_request(text, &parsed);

	if (error)
		return error;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	event->cgroup = request->cgroup;
	event->uid = request->caller.uid;
	error = take_eventfd(request, parsed.event_fd, event);
	if (!error)
		error = check_control_fd(request, parsed.control_fd, &event->kind);
	if (!error)
		error = parse_args(parsed.args, event);
	if (!error)
		error = memory_watch_add(watch, event);
	if (!error)
		return 0;
	memory_eventfd_put(event->eventfd, NULL);
	free(event);
	return error;
}
