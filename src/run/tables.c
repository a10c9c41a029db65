/* SPDX-License-Identifier: MIT */
/* The mount tables as the view has them. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "membership.h"
#include "mount_line.h"
#include "view.h"

/* What one table is made from. Under the view's lock. */
struct picture {
	const struct view *view;
	const struct text *roots;
	struct text options; /* of the hierarchies, as the daemon tells (view_options()) */
	/* the place, and where paths to it are led or nothing, as tables have paths */
	struct text at, mounted;
	struct text device; /* our filesystem's, as mountinfo has it */
	bool hides; /* the place is ours, and what is mounted there is not shown */
	bool outside;
};

enum kind {
	KIND_OTHER,
	KIND_TOP, /* our whole mount: on v1 a tmpfs with the hierarchies mounted in it */
	KIND_HIERARCHY, /* a bind mount of something in a hierarchy */
	KIND_HIDDEN, /* the kernel's cgroups */
};

/* The hierarchy that the root of a mount is in, and its path there. NULL: in none. */
static const struct view_hierarchy *find_hierarchy(const struct view *view, struct slice root,
						   struct slice *path)
{
	static const char removed[] = "//deleted"; /* seq_dentry(); the kernel's cgroups do not tell that */

	if (root.len >= strlen(removed) &&
	    !memcmp(root.data + root.len - strlen(removed), removed, strlen(removed)))
		root.len -= strlen(removed);
	if (view->unified) {
		*path = root;
		return &view->hierarchies[0];
	}
	for (unsigned i = 0; i < view->count; i++) {
		const struct view_hierarchy *hierarchy = &view->hierarchies[i];
		size_t len = strlen(hierarchy->name);

		if (root.len < len + 1 || root.data[0] != '/' ||
		    memcmp(root.data + 1, hierarchy->name, len) ||
		    (root.len > len + 1 && root.data[len + 1] != '/'))
			continue;
		*path = (struct slice){root.data + len + 1, root.len - len - 1};
		return hierarchy;
	}
	return NULL;
}

/* A hierarchy that was remounted so is a read-only filesystem. */
static struct mount mount_of(const struct mount *mount, const struct view_hierarchy *hierarchy)
{
	struct mount shown = *mount;

	if (hierarchy->read_only)
		shown.super_options = slice_of("ro");
	return shown;
}

static enum kind mount_kind(const struct picture *picture, struct mount *mount)
{
	const struct view_hierarchy *hierarchy;
	struct slice path;

	if (slice_is(mount->type, "cgroup") || slice_is(mount->type, "cgroup2") ||
	    (picture->hides && slice_is_below(mount->point, slice_of_text(&picture->at))))
		return KIND_HIDDEN;
	if (strncmp(mount->type.data, "fuse", 4) ||
	    !slice_equal(mount->device, slice_of_text(&picture->device)))
		return KIND_OTHER;
	if (slice_is(mount->root, "/"))
		return KIND_TOP;
	hierarchy = find_hierarchy(picture->view, mount->root, &path);
	if (hierarchy)
		*mount = mount_of(mount, hierarchy);
	return hierarchy ? KIND_HIERARCHY : KIND_OTHER;
}

/* What cgroup1_show_options and cgroup_show_options show of the hierarchy. */
static struct slice hierarchy_options(const struct picture *picture, const struct view_hierarchy *hierarchy)
{
	struct membership line;

	if (membership_find(&picture->options, hierarchy->option, strlen(hierarchy->option), &line) &&
	    line.path_len)
		return (struct slice){line.path + 1, line.path_len - 1}; /* without the comma before it */
	return slice_of(hierarchy->option);
}

/* "rw" or "ro", the first of the filesystem's own options. */
static struct slice access_word(const struct mount *mount)
{
	return (struct slice){mount->super_options.data, 2};
}

static void add_slice(struct text *out, struct slice slice)
{
	text_add_bytes(out, slice.data, slice.len);
}

static const char *comma(struct slice options)
{
	return options.len ? "," : "";
}

/* Everything of a line of mountinfo after the mount's root and point. */
static void add_options(struct text *out, const struct mount *mount, const char *type, struct slice options)
{
	text_add(out, " ");
	add_slice(out, mount->options);
	add_slice(out, mount->optional);
	text_printf(out, " - %s %s %.*s%s%.*s\n", type, type, SLICE(access_word(mount)), comma(options),
		    SLICE(options));
}

/* A cgroup's path, which is a word of a table, as the reader sees it. */
static void add_root(struct text *out, const struct picture *picture, const struct view_hierarchy *hierarchy,
		     struct slice path)
{
	struct text root = {0}, word = {0};
	int error = view_root(picture->view, picture->roots, hierarchy->option, strlen(hierarchy->option),
			      &root);

	if (!error)
		mount_add_path(&word, root.data);
	text_add_bytes(&word, "", 1);
	if (error || word.error)
		out->error = -ENOMEM;
	else
		view_add_path(out, word.data, path.data, path.len);
	text_free(&root);
	text_free(&word);
}

static void add_hierarchy(struct text *out, const struct picture *picture, const struct mount *mount)
{
	const struct view_hierarchy *hierarchy;
	struct slice path;

	hierarchy = find_hierarchy(picture->view, mount->root, &path);
	text_printf(out, "%.*s %.*s %.*s ", SLICE(mount->id), SLICE(mount->parent),
		    SLICE(mount->device));
	add_root(out, picture, hierarchy, path);
	text_printf(out, " %.*s", SLICE(mount->point));
	add_options(out, mount, view_type(picture->view), hierarchy_options(picture, hierarchy));
}

/* Mount numbers of the hierarchies of a whole mount, which the kernel has none for. */
#define MADE_UP_ID 0x10000000u

/* Whether it is the whole mount that paths are led to. */
static bool is_led_to(const struct picture *picture, const struct mount *mount)
{
	return picture->mounted.len && slice_equal(mount->point, slice_of_text(&picture->mounted));
}

/* It is shown where they are led from. */
static struct slice top_point(const struct picture *picture, const struct mount *mount)
{
	if (is_led_to(picture, mount))
		return slice_of_text(&picture->at);
	return slice_is(mount->point, "/") ? slice_of("") : mount->point;
}

/* v2: our whole mount is the hierarchy. */
static struct mount unified_mount(const struct picture *picture, const struct mount *mount)
{
	struct mount shown = mount_of(mount, &picture->view->hierarchies[0]);

	shown.point = top_point(picture, mount);
	if (!shown.point.len)
		shown.point = slice_of("/");
	if ((picture->outside || is_led_to(picture, mount)) && picture->view->prefix[0])
		shown.root = slice_of(picture->view->prefix); /* what is there is that */
	return shown;
}

static void add_top(struct text *out, const struct picture *picture, const struct mount *mount)
{
	const struct view *view = picture->view;
	struct slice point = top_point(picture, mount), root = slice_of("/");
	unsigned id = MADE_UP_ID + (unsigned)atoi(mount->id.data) * VIEW_MAX_HIERARCHIES;

	if (view->unified) {
		const struct mount shown = unified_mount(picture, mount);

		add_hierarchy(out, picture, &shown);
		return;
	}
	if ((picture->outside || is_led_to(picture, mount)) && view->prefix[0])
		root = slice_of(view->prefix); /* what is there is that */
	text_printf(out, "%.*s %.*s %.*s / %.*s", SLICE(mount->id), SLICE(mount->parent),
		    SLICE(mount->device), point.len ? (int)point.len : 1, point.len ? point.data : "/");
	add_options(out, mount, "tmpfs", slice_of("mode=755"));
	for (unsigned i = 0; i < view->count; i++) {
		const struct mount shown = mount_of(mount, &view->hierarchies[i]);

		text_printf(out, "%u %.*s %.*s ", id + i, SLICE(mount->id), SLICE(mount->device));
		add_root(out, picture, &view->hierarchies[i], root);
		text_printf(out, " %.*s/%s", SLICE(point), view->hierarchies[i].name);
		add_options(out, &shown, "cgroup", hierarchy_options(picture, &view->hierarchies[i]));
	}
}

/*
 * Who lives where we were started does not have our mounts, but the tables are read from here, where it
 * is in our cgroups: they are shown at the tree's place, as if it had them.
 */
static struct mount mount_of_outsider(const struct picture *picture, const struct text *mountinfo)
{
	struct slice rest = slice_of_text(mountinfo), line;
	struct mount made = {
		.id = slice_of("2147483646"), /* more than the kernel gives */
		.parent = slice_of("1"),
		.device = slice_of_text(&picture->device),
		.root = slice_of("/"),
		.point = slice_of_text(&picture->at),
		.options = slice_of("rw,nosuid,nodev,noexec,relatime"),
		.optional = slice_of(""),
		.super_options = slice_of("rw"),
	};
	struct mount mount;

	while (mount_take_line(&rest, &line)) {
		if (mount_parse(line, &mount) && slice_is_below(made.point, mount.point) &&
		    !slice_equal(made.point, mount.point))
			made.parent = mount.id;
	}
	return made;
}

/*
 * Whether our mount is in the table: not in that of a container, in whose root the place is the container's
 * own.
 */
static bool is_led(const struct picture *picture, const struct text *mountinfo)
{
	struct slice rest = slice_of_text(mountinfo), line;
	struct mount mount;

	while (mount_take_line(&rest, &line)) {
		if (mount_parse(line, &mount) && is_led_to(picture, &mount))
			return true;
	}
	return false;
}

static void picture_open(struct picture *picture, struct view *view, const struct text *roots,
			 const struct text *mountinfo, bool outside)
{
	*picture = (struct picture){.view = view, .roots = roots, .outside = outside};
	view_options(view, &picture->options); /* else their names will do */
	pthread_rwlock_rdlock(&view->lock);
	mount_add_path(&picture->at, view->at);
	if (view->mount)
		mount_add_path(&picture->mounted, view->mount);
	text_printf(&picture->device, "%u:%u", major(view->device), minor(view->device));
	picture->hides = outside || is_led(picture, mountinfo);
}

static void picture_close(struct picture *picture, struct view *view)
{
	pthread_rwlock_unlock(&view->lock);
	text_free(&picture->options);
	text_free(&picture->at);
	text_free(&picture->mounted);
	text_free(&picture->device);
}

static void show_mountinfo(const struct picture *picture, const struct text *mountinfo, struct text *out)
{
	struct slice rest = slice_of_text(mountinfo), line;
	struct mount mount;

	while (mount_take_line(&rest, &line)) {
		enum kind kind = mount_parse(line, &mount) ? mount_kind(picture, &mount) : KIND_OTHER;

		if (kind == KIND_OTHER)
			add_slice(out, line);
		else if (kind == KIND_HIERARCHY)
			add_hierarchy(out, picture, &mount);
		else if (kind == KIND_TOP)
			add_top(out, picture, &mount);
	}
	if (picture->outside) {
		mount = mount_of_outsider(picture, mountinfo);
		add_top(out, picture, &mount);
	}
}

int view_mountinfo(struct view *view, const struct text *roots, const struct text *mountinfo, bool outside,
		   struct text *out)
{
	struct picture picture;

	text_clear(out);
	picture_open(&picture, view, roots, mountinfo, outside);
	show_mountinfo(&picture, mountinfo, out);
	picture_close(&picture, view);
	return out->error;
}

/* Adds one mount of ours as /proc/PID/mounts or mountstats has it, at `point`. */
typedef void add_mount(struct text *out, const struct mount *mount, const char *type, const char *point,
		       struct slice options);

static bool is_read_only(const struct mount *mount)
{
	return !memcmp(mount->options.data, "ro", 2) || !memcmp(mount->super_options.data, "ro", 2);
}

/* show_vfsmnt: a mount is "ro" when it or its filesystem is. */
static void add_mounts_line(struct text *out, const struct mount *mount, const char *type,
			    const char *point, struct slice options)
{
	text_printf(out, "%s %s %s %s%.*s%s%.*s 0 0\n", type, point, type, is_read_only(mount) ? "ro" : "rw",
		    (int)mount->options.len - 2, mount->options.data + 2, comma(options), SLICE(options));
}

static void add_mountstats_line(struct text *out, const struct mount *mount, const char *type,
				const char *point, struct slice options)
{
	(void)mount;
	(void)options;
	text_printf(out, "device %s mounted on %s with fstype %s\n", type, point, type);
}

static void add_ours(struct text *out, const struct picture *picture, const struct mount *mount,
		     enum kind kind, add_mount *add)
{
	const struct view *view = picture->view;
	struct slice point = kind == KIND_TOP ? top_point(picture, mount) : mount->point, path;
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%.*s", point.len ? (int)point.len : 1,
		 point.len ? point.data : "/");
	if (kind == KIND_HIERARCHY || view->unified) {
		const struct mount shown = view->unified ? mount_of(mount, &view->hierarchies[0]) : *mount;

		add(out, &shown, view_type(view), name,
		    hierarchy_options(picture, find_hierarchy(view, mount->root, &path)));
		return;
	}
	add(out, mount, "tmpfs", name, slice_of("mode=755"));
	for (unsigned i = 0; i < view->count; i++) {
		const struct mount shown = mount_of(mount, &view->hierarchies[i]);

		snprintf(name, sizeof(name), "%.*s/%s", SLICE(point), view->hierarchies[i].name);
		add(out, &shown, "cgroup", name, hierarchy_options(picture, &view->hierarchies[i]));
	}
}

/* Both tables list the same mounts in the same order, but for those made between the two readings. */
static int merge(const struct picture *picture, const struct text *mountinfo, const struct text *table,
		 mount_take *take, add_mount *add, struct text *out)
{
	struct slice rest = slice_of_text(mountinfo), table_rest = slice_of_text(table);
	struct slice line, record, point;
	struct mount mount;

	while (mount_take_line(&rest, &line)) {
		enum kind kind;

		if (!mount_parse(line, &mount) || !take(&table_rest, &record, &point) ||
		    !slice_equal(mount.point, point))
			return -EAGAIN;
		kind = mount_kind(picture, &mount);
		if (kind == KIND_OTHER)
			add_slice(out, record);
		else if (kind != KIND_HIDDEN)
			add_ours(out, picture, &mount, kind, add);
	}
	if (picture->outside) {
		mount = mount_of_outsider(picture, mountinfo);
		add_ours(out, picture, &mount, KIND_TOP, add);
	}
	return table_rest.len ? -EAGAIN : out->error;
}

static int show_merged(struct view *view, const struct text *mountinfo, const struct text *table,
		       bool outside, mount_take *take, add_mount *add, struct text *out)
{
	struct picture picture;
	int error;

	text_clear(out);
	picture_open(&picture, view, NULL, mountinfo, outside);
	error = merge(&picture, mountinfo, table, take, add, out);
	picture_close(&picture, view);
	return error;
}

int view_mounts(struct view *view, const struct text *mountinfo, const struct text *mounts, bool outside,
		struct text *out)
{
	return show_merged(view, mountinfo, mounts, outside, mount_take_of_mounts, add_mounts_line, out);
}

int view_mountstats(struct view *view, const struct text *mountinfo, const struct text *mountstats,
		    bool outside, struct text *out)
{
	return show_merged(view, mountinfo, mountstats, outside, mount_take_of_mountstats,
			   add_mountstats_line, out);
}
