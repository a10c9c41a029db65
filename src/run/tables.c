/* The mount tables as the view has them. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "view.h"

/* A part of a table's text. */
struct slice {
	const char *data;
	size_t len;
};

#define SLICE(slice) (int)(slice).len, (slice).data

/* A line of mountinfo (proc_pid_mountinfo(5)). */
struct mount {
	struct slice line; /* with its newline */
	struct slice id, parent, device, root, point, options;
	struct slice optional; /* " shared:1 master:2", or nothing */
	struct slice type, source, super_options;
};

static bool slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) && !memcmp(slice.data, text, slice.len);
}

static bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

static struct slice text_slice(const struct text *text)
{
	return (struct slice){text->data, text->len};
}

/* Takes the first line, with its newline, off the text. */
static bool take_line(struct slice *text, struct slice *line)
{
	const char *newline;

	if (!text->len)
		return false;
	newline = memchr(text->data, '\n', text->len);
	line->data = text->data;
	line->len = newline ? (size_t)(newline + 1 - text->data) : text->len;
	text->data += line->len;
	text->len -= line->len;
	return true;
}

/* Takes the first word, and the blank after it, off the line. */
static struct slice take_word(struct slice *line)
{
	struct slice word = {line->data, 0};
	size_t taken;

	while (word.len < line->len && word.data[word.len] != ' ' && word.data[word.len] != '\n')
		word.len++;
	taken = word.len < line->len ? word.len + 1 : word.len;
	line->data += taken;
	line->len -= taken;
	return word;
}

static bool parse_mount(struct slice line, struct mount *mount)
{
	const char *optional;
	struct slice word;

	mount->line = line;
	mount->id = take_word(&line);
	mount->parent = take_word(&line);
	mount->device = take_word(&line);
	mount->root = take_word(&line);
	mount->point = take_word(&line);
	mount->options = take_word(&line);
	optional = mount->options.data + mount->options.len;
	do {
		word = take_word(&line);
	} while (word.len && !slice_is(word, "-"));
	mount->optional = (struct slice){optional, (size_t)(word.data - 1 - optional)};
	mount->type = take_word(&line);
	mount->source = take_word(&line);
	mount->super_options = take_word(&line);
	return mount->super_options.len;
}

enum kind {
	KIND_OTHER,
	KIND_TOP, /* our whole mount: a tmpfs with the hierarchies mounted in it */
	KIND_HIERARCHY, /* a bind mount of something in a hierarchy */
	KIND_HIDDEN, /* the kernel's cgroups */
};

static bool is_our_device(struct view *view, struct slice device)
{
	char text[32];

	snprintf(text, sizeof(text), "%u:%u", major(view->device), minor(view->device));
	return slice_is(device, text);
}

/* The hierarchy that the root of a mount is in, and its path there. NULL: in none. */
static const struct view_hierarchy *find_hierarchy(const struct view *view, struct slice root,
						   struct slice *path)
{
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

/* Whether paths are led away from where it is mounted: to our tree. */
static bool is_led_away(const struct view *view, const struct mount *mount)
{
	size_t len = strlen(view->at);

	return mount->point.len >= len && !memcmp(mount->point.data, view->at, len) &&
	       (mount->point.len == len || mount->point.data[len] == '/');
}

/* What it is shown as; a hierarchy that was remounted so becomes a read-only filesystem. */
static enum kind mount_kind(struct view *view, struct mount *mount, bool led)
{
	const struct view_hierarchy *hierarchy;
	struct slice path;

	if (slice_is(mount->type, "cgroup") || slice_is(mount->type, "cgroup2") ||
	    (led && is_led_away(view, mount)))
		return KIND_HIDDEN;
	if (strncmp(mount->type.data, "fuse", 4) || !is_our_device(view, mount->device))
		return KIND_OTHER;
	if (slice_is(mount->root, "/"))
		return KIND_TOP;
	hierarchy = find_hierarchy(view, mount->root, &path);
	if (hierarchy && hierarchy->read_only)
		mount->super_options = (struct slice){"ro", 2};
	return hierarchy ? KIND_HIERARCHY : KIND_OTHER;
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

/* Everything of a line of mountinfo after the mount's root and point. */
static void add_options(struct text *out, const struct mount *mount, const char *type,
			const char *option)
{
	text_add(out, " ");
	add_slice(out, mount->options);
	add_slice(out, mount->optional);
	text_printf(out, " - %s %s %.*s,%s\n", type, type, SLICE(access_word(mount)), option);
}

/* A cgroup's path as the reader sees it. */
static void add_root(struct text *out, const struct view *view, const struct text *roots,
		     const struct view_hierarchy *hierarchy, struct slice path)
{
	char root[PATH_MAX];

	view_root(view, roots, hierarchy->option, strlen(hierarchy->option), root);
	view_add_path(out, root, path.data, path.len);
}

static void add_hierarchy(struct text *out, const struct view *view, const struct text *roots,
			  const struct mount *mount)
{
	const struct view_hierarchy *hierarchy;
	struct slice path;

	hierarchy = find_hierarchy(view, mount->root, &path);
	text_printf(out, "%.*s %.*s %.*s ", SLICE(mount->id), SLICE(mount->parent),
		    SLICE(mount->device));
	add_root(out, view, roots, hierarchy, path);
	text_printf(out, " %.*s", SLICE(mount->point));
	add_options(out, mount, "cgroup", hierarchy->option);
}

/* Mount numbers of the hierarchies of a whole mount, which the kernel has none for. */
#define MADE_UP_ID 0x10000000u

static bool is_slash(struct slice point)
{
	return slice_is(point, "/");
}

/* Whether it is the whole mount that paths are led to. */
static bool is_led_to(const struct view *view, const struct mount *mount)
{
	return view->mount && slice_is(mount->point, view->mount);
}

/* Whether it is in the table: not in that of a container, in whose root the place is the container's own. */
static bool is_led(const struct view *view, const struct text *mountinfo)
{
	struct slice rest = text_slice(mountinfo), line;
	struct mount mount;

	while (view->mount && take_line(&rest, &line)) {
		if (parse_mount(line, &mount) && is_led_to(view, &mount))
			return true;
	}
	return false;
}

/* It is shown where they are led from. */
static struct slice top_point(const struct view *view, const struct mount *mount)
{
	if (is_led_to(view, mount))
		return (struct slice){view->at, strlen(view->at)};
	return is_slash(mount->point) ? (struct slice){"", 0} : mount->point;
}

static void add_top(struct text *out, const struct view *view, const struct text *roots,
		    const struct mount *mount)
{
	struct slice point = top_point(view, mount), root = {"/", 1};
	unsigned id = MADE_UP_ID + (unsigned)atoi(mount->id.data) * VIEW_MAX_HIERARCHIES;

	if (is_led_to(view, mount) && view->prefix[0])
		root = (struct slice){view->prefix, strlen(view->prefix)}; /* they lead there */
	text_printf(out, "%.*s %.*s %.*s / %.*s", SLICE(mount->id), SLICE(mount->parent),
		    SLICE(mount->device), point.len ? (int)point.len : 1, point.len ? point.data : "/");
	add_options(out, mount, "tmpfs", "mode=755");
	for (unsigned i = 0; i < view->count; i++) {
		text_printf(out, "%u %.*s %.*s ", id + i, SLICE(mount->id), SLICE(mount->device));
		add_root(out, view, roots, &view->hierarchies[i], root);
		text_printf(out, " %.*s/%s", SLICE(point), view->hierarchies[i].name);
		add_options(out, mount, "cgroup", view->hierarchies[i].option);
	}
}

int view_mountinfo(struct view *view, const struct text *roots, const struct text *mountinfo,
		   struct text *out)
{
	struct slice rest = text_slice(mountinfo), line;
	bool led = is_led(view, mountinfo);
	struct mount mount;

	text_clear(out);
	pthread_rwlock_rdlock(&view->lock);
	while (take_line(&rest, &line)) {
		enum kind kind = parse_mount(line, &mount) ? mount_kind(view, &mount, led)
							   : KIND_OTHER;

		if (kind == KIND_OTHER)
			add_slice(out, line);
		else if (kind == KIND_HIERARCHY)
			add_hierarchy(out, view, roots, &mount);
		else if (kind == KIND_TOP)
			add_top(out, view, roots, &mount);
	}
	pthread_rwlock_unlock(&view->lock);
	return out->error;
}

/* Adds one mount of ours as /proc/PID/mounts or mountstats has it, at `point`. */
typedef void (*add_mount_function)(struct text *out, const struct mount *mount, const char *type,
				   const char *point, const char *option);

static bool is_read_only(const struct mount *mount)
{
	return !memcmp(mount->options.data, "ro", 2) || !memcmp(mount->super_options.data, "ro", 2);
}

/* show_vfsmnt: a mount is "ro" when it or its filesystem is. */
static void add_mounts_line(struct text *out, const struct mount *mount, const char *type,
			    const char *point, const char *option)
{
	struct slice options = mount->options;

	text_printf(out, "%s %s %s %s%.*s,%s 0 0\n", type, point, type,
		    is_read_only(mount) ? "ro" : "rw",
		    (int)options.len - 2, options.data + 2, option);
}

static void add_mountstats_line(struct text *out, const struct mount *mount, const char *type,
				const char *point, const char *option)
{
	(void)mount;
	(void)option;
	text_printf(out, "device %s mounted on %s with fstype %s\n", type, point, type);
}

static void add_ours(struct text *out, struct view *view, const struct mount *mount, enum kind kind,
		     add_mount_function add)
{
	struct slice point = kind == KIND_TOP ? top_point(view, mount) : mount->point, path;
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%.*s", point.len ? (int)point.len : 1,
		 point.len ? point.data : "/");
	if (kind == KIND_HIERARCHY) {
		add(out, mount, "cgroup", name, find_hierarchy(view, mount->root, &path)->option);
		return;
	}
	add(out, mount, "tmpfs", name, "mode=755");
	for (unsigned i = 0; i < view->count; i++) {
		snprintf(name, sizeof(name), "%.*s/%s", SLICE(point), view->hierarchies[i].name);
		add(out, mount, "cgroup", name, view->hierarchies[i].option);
	}
}

/* Reads one mount off a table, and tells where it is mounted. */
typedef bool (*take_mount_function)(struct slice *table, struct slice *record, struct slice *point);

static bool take_mounts_line(struct slice *table, struct slice *record, struct slice *point)
{
	struct slice words;

	if (!take_line(table, record))
		return false;
	words = *record;
	take_word(&words);
	*point = take_word(&words);
	return true;
}

static bool starts_record(struct slice text)
{
	static const char device[] = "device ", no_device[] = "no device ";

	return (text.len >= strlen(device) && !memcmp(text.data, device, strlen(device))) ||
	       (text.len >= strlen(no_device) && !memcmp(text.data, no_device, strlen(no_device)));
}

/* "device X mounted on Y with fstype Z", and lines of statistics that some filesystems have. */
static bool take_mountstats_record(struct slice *table, struct slice *record, struct slice *point)
{
	struct slice words, line;

	if (!take_line(table, record))
		return false;
	words = *record;
	while (words.len && !slice_is(take_word(&words), "on"))
		;
	*point = take_word(&words);
	while (table->len && !starts_record(*table) && take_line(table, &line))
		record->len += line.len;
	return true;
}

/* Both tables list the same mounts in the same order, but for those made between the two readings. */
static int merge(struct view *view, const struct text *mountinfo, const struct text *table,
		 take_mount_function take, add_mount_function add, struct text *out)
{
	struct slice rest = text_slice(mountinfo), table_rest = text_slice(table);
	struct slice line, record, point;
	bool led = is_led(view, mountinfo);
	struct mount mount;

	text_clear(out);
	while (take_line(&rest, &line)) {
		enum kind kind;

		if (!parse_mount(line, &mount) || !take(&table_rest, &record, &point) ||
		    !slice_equal(mount.point, point))
			return -EAGAIN;
		kind = mount_kind(view, &mount, led);
		if (kind == KIND_OTHER)
			add_slice(out, record);
		else if (kind != KIND_HIDDEN)
			add_ours(out, view, &mount, kind, add);
	}
	return table_rest.len ? -EAGAIN : out->error;
}

int view_mounts(struct view *view, const struct text *mountinfo, const struct text *mounts,
		struct text *out)
{
	int error;

	pthread_rwlock_rdlock(&view->lock);
	error = merge(view, mountinfo, mounts, take_mounts_line, add_mounts_line, out);
	pthread_rwlock_unlock(&view->lock);
	return error;
}

int view_mountstats(struct view *view, const struct text *mountinfo, const struct text *mountstats,
		    struct text *out)
{
	int error;

	pthread_rwlock_rdlock(&view->lock);
	error = merge(view, mountinfo, mountstats, take_mountstats_record, add_mountstats_line, out);
	pthread_rwlock_unlock(&view->lock);
	return error;
}
