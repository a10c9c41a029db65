/* SPDX-License-Identifier: MIT */
/* The command's own cgroups, with its limits. */
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit_settings.h"
#include "options.h"
#include "view.h"
#include "write_file.h"

#define VALUE_MAX 4096

static int complain(const char *cgroup, int error)
{
	fprintf(stderr, "fuse_cgroup_run: the cgroup %s cannot be made: %s: choose its parent with "
			"--cgroup-parent\n", *cgroup ? cgroup : "/", strerror(-error));
	return -1;
}

static int read_file(int directory, const char *path, char *value, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC), error = 0;
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, value, size - 1);
	if (len < 0)
		error = -errno;
	close(fd);
	value[len > 0 ? len : 0] = '\0';
	return error;
}

/* What there is to choose from, for who has chosen other processors or nodes. */
static void print_choice(const struct view *view, const char *file, char *text, size_t size)
{
	char path[256], list[128];

	snprintf(path, sizeof(path), "%s%s%s", view->unified ? "" : "cpuset/", file,
		 view->unified ? ".effective" : "");
	*text = '\0';
	if (strncmp(file, "cpuset.", strlen("cpuset.")) || read_file(view->top, path, list, sizeof(list)))
		return;
	list[strcspn(list, "\n")] = '\0';
	snprintf(text, size, ": there are %s", list);
}

/* Writes a file of the new cgroup. */
static int set(const struct view *view, const char *hierarchy, const char *file, const char *value)
{
	char path[256], choice[160];
	int error;

	snprintf(path, sizeof(path), "%s%s/%s", hierarchy, view->prefix, file);
	error = write_file(view->top, path, value);
	if (!error)
		return 0;
	print_choice(view, file, choice, sizeof(choice));
	if (error == -ENOENT)
		fprintf(stderr, "fuse_cgroup_run: the tree has no %s: mount it with the "
				"controller %.*s\n", file, (int)strcspn(file, "."), file);
	else
		fprintf(stderr, "fuse_cgroup_run: %s cannot be %s: %s%s\n", file, value, strerror(-error),
			choice);
	return -1;
}

static int set_limits(const struct view *view, const struct limits *limits)
{
	const struct limit_setting *setting = view->unified ? limit_settings_v2 : limit_settings_v1;
	char value[VALUE_MAX];
	int error = 0;

	if (view->unified && limits->memory_swappiness >= 0)
		fprintf(stderr,
			"fuse_cgroup_run: --memory-swappiness: cgroup v2 has none: left out (--v1 has it)\n");
	for (; setting->hierarchy && !error; setting++) {
		if (setting->print(limits, value, sizeof(value)))
			error = set(view, setting->hierarchy, setting->file, value);
	}
	return error;
}

static int make_cgroup(const struct view *view, const char *hierarchy, const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", hierarchy, cgroup);
	return mkdirat(view->top, path, 0755) ? -errno : 0;
}

/* A cpuset takes nobody before it has CPUs and nodes: the parent's, where it has none of its own. */
static int inherit_cpuset(const struct view *view, const char *cgroup, const char *file)
{
	char path[256], value[VALUE_MAX];
	int error;

	snprintf(path, sizeof(path), "cpuset%s/%s", cgroup, file);
	error = read_file(view->top, path, value, sizeof(value));
	if (error || value[strspn(value, "\n")])
		return error;
	snprintf(path, sizeof(path), "cpuset%.*s/%s", (int)(strrchr(cgroup, '/') - cgroup), cgroup, file);
	error = read_file(view->top, path, value, sizeof(value));
	snprintf(path, sizeof(path), "cpuset%s/%s", cgroup, file);
	return error ? error : write_file(view->top, path, value);
}

/* v2: a cgroup has the files of the controllers that its parent's cgroup.subtree_control names. */
static int enable_controllers(const struct view *view, const char *cgroup)
{
	char list[VALUE_MAX], path[256], word[VIEW_NAME_MAX], *rest = list, *name;
	int error;

	snprintf(path, sizeof(path), ".%s/cgroup.controllers", cgroup);
	error = read_file(view->top, path, list, sizeof(list));
	snprintf(path, sizeof(path), ".%s/cgroup.subtree_control", cgroup);
	while (!error && (name = strsep(&rest, " \n"))) {
		snprintf(word, sizeof(word), "+%s", name);
		if (*name)
			error = write_file(view->top, path, word);
	}
	return error;
}

/*
 * Makes a cgroup ready for members (v1's cpuset), or for children (v2), in all hierarchies; it may
 * be there.
 */
static int make_everywhere(const struct view *view, const char *cgroup, bool is_parent)
{
	int error = 0;

	for (unsigned i = 0; i < view->count && !error; i++) {
		const char *hierarchy = view->hierarchies[i].name;

		error = *cgroup ? make_cgroup(view, hierarchy, cgroup) : 0;
		if (error == -EEXIST)
			error = 0;
		if (!error && *cgroup && !strcmp(hierarchy, "cpuset")) {
			error = inherit_cpuset(view, cgroup, "cpuset.cpus");
			error = error ? error : inherit_cpuset(view, cgroup, "cpuset.mems");
		}
	}
	if (!error && view->unified && is_parent)
		error = enable_controllers(view, cgroup);
	return error ? complain(cgroup, error) : 0;
}

/* The cgroups above the command's, which stay, as docker's do: "" and each beginning of "/pods/web". */
static int make_parents(const struct view *view, const char *parent)
{
	char path[VIEW_NAME_MAX];
	size_t len = 0;
	int error = make_everywhere(view, "", true);

	while (!error && parent[len]) {
		len += 1 + strcspn(parent + len + 1, "/");
		snprintf(path, sizeof(path), "%.*s", (int)len, parent);
		error = make_everywhere(view, path, true);
	}
	return error;
}

/*
 * A name that nobody has: other pid namespaces have our number too, and a killed one leaves its name.
 * Who makes it in the first hierarchy has it in all.
 */
static int take_name(struct view *view, const char *parent)
{
	unsigned more = 0;
	int error;

	do {
		snprintf(view->prefix, sizeof(view->prefix), more ? "%s/run-%d-%u" : "%s/run-%d", parent,
			 getpid(), more);
		error = make_cgroup(view, view->hierarchies[0].name, view->prefix);
		more++;
	} while (error == -EEXIST);
	if (error) {
		complain(view->prefix, error);
		view->prefix[0] = '\0'; /* there is nothing to remove */
	}
	return error;
}

/* The path with one slash before each name and none at its end. */
static void clean_parent(const char *parent, char clean[VIEW_NAME_MAX])
{
	size_t used = 0, len;

	for (const char *name = parent ? parent : ""; name += strspn(name, "/"), *name; name += len) {
		len = strcspn(name, "/");
		used += (size_t)snprintf(clean + used, VIEW_NAME_MAX - used, "/%.*s", (int)len, name);
	}
	clean[used] = '\0';
}

int limits_make(struct view *view, const struct limits *limits)
{
	char parent[VIEW_NAME_MAX];
	int error;

	clean_parent(limits->parent, parent);
	error = make_parents(view, parent);
	if (!error)
		error = take_name(view, parent);
	if (!error)
		error = make_everywhere(view, view->prefix, false);
	if (!error)
		error = set_limits(view, limits);
	if (error)
		limits_remove(view);
	return error;
}

void limits_remove(struct view *view)
{
	char path[256];

	/* Last in the first hierarchy: until then nobody else takes the name. */
	for (unsigned i = view->count; i-- && view->prefix[0];) {
		snprintf(path, sizeof(path), "%s%s", view->hierarchies[i].name, view->prefix);
		unlinkat(view->top, path, AT_REMOVEDIR);
	}
}

int limits_take(const struct view *view, pid_t pid)
{
	char path[256], number[16];
	int error = 0;

	snprintf(number, sizeof(number), "%d", pid);
	for (unsigned i = 0; i < view->count && !error; i++) {
		snprintf(path, sizeof(path), "%s%s/cgroup.procs", view->hierarchies[i].name,
			 view->prefix);
		error = write_file(view->top, path, number);
	}
	return error;
}
