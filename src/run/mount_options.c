/* SPDX-License-Identifier: MIT */
/* What mounts of type cgroup are told. */
#include "mount_options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "view.h"

#define NAME_WORD "name="
#define NAME_LEN_MAX 63 /* MAX_CGROUP_ROOT_NAMELEN, less the NUL */

_Static_assert(VIEW_MAX_HIERARCHIES <= 32, "a bit for each hierarchy");

/* The number of the hierarchy that has this word in the tables; -1: none. */
static int find_hierarchy(const struct view *view, const char *word)
{
	for (unsigned i = 0; i < view->count; i++) {
		if (!strcmp(view->hierarchies[i].option, word))
			return (int)i;
	}
	return -1;
}

static bool is_named(const struct view *view, unsigned hierarchy)
{
	return !strncmp(view->hierarchies[hierarchy].option, NAME_WORD, strlen(NAME_WORD));
}

/* What it has in its mask of controllers. */
static uint32_t mask_of(const struct view *view, unsigned hierarchy)
{
	return is_named(view, hierarchy) ? 0 : 1u << hierarchy;
}

static uint32_t cpuset_mask(const struct view *view)
{
	int hierarchy = find_hierarchy(view, "cpuset");

	return hierarchy < 0 ? 0 : mask_of(view, (unsigned)hierarchy);
}

static uint32_t all_controllers(const struct view *view)
{
	uint32_t all = 0;

	for (unsigned i = 0; i < view->count; i++)
		all |= mask_of(view, i);
	return all;
}

/* The options of every filesystem. */
static bool take_common(struct mount_options *options, const char *key)
{
	static const char *const idle[] = {"dirsync", "lazytime", "nolazytime", "mand", "nomand",
		"sync", "async"};

	if (!strcmp(key, "ro") || !strcmp(key, "rw")) {
		options->access = true;
		options->read_only = key[1] == 'o';
		return true;
	}
	for (unsigned i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		if (!strcmp(key, idle[i]))
			return true;
	}
	return false;
}

/* Those that are there or not: -ENOENT where it is none. */
static int take_flag(struct mount_options *options, const char *key, enum value_kind kind)
{
	const struct {
		const char *key;
		uint32_t *said;
	} flags[] = {
		{"all", &options->all},
		{"none", &options->none},
		{"noprefix", &options->no_prefix},
		{"xattr", &options->flags},
		{"cpuset_v2_mode", &options->flags},
		{"favordynmods", &options->flags},
		{"nofavordynmods", NULL},
		{"clone_children", NULL}, /* of a new hierarchy */
	};

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(key, flags[i].key))
			continue;
		if (kind != VALUE_NONE)
			return -EINVAL;
		if (flags[i].said)
			*flags[i].said = true;
		return 0;
	}
	return -ENOENT;
}

static int say_once(uint32_t *said)
{
	if (*said)
		return -EINVAL;
	*said = true;
	return 0;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && !strchr(".-_", name[i]))
			return false;
	}
	return len && len <= NAME_LEN_MAX;
}

static int take_name(const struct view *view, struct mount_options *options, const char *name)
{
	char word[sizeof(NAME_WORD) + NAME_LEN_MAX] = NAME_WORD;
	int hierarchy;

	if (!is_name(name) || options->name != OPTION_NO_NAME)
		return -EINVAL;
	strcat(word, name);
	hierarchy = find_hierarchy(view, word);
	options->name = hierarchy < 0 ? OPTION_NEW_NAME : OPTION_NAMED;
	options->named = hierarchy < 0 ? 0 : (uint32_t)hierarchy;
	return 0;
}

/* cgroup2_fs_parameters of kernel/cgroup/cgroup.c */
static const char *const v2_flags[] = {"nsdelegate", "favordynmods", "memory_localevents",
	"memory_recursiveprot", "memory_hugetlb_accounting", "pids_localevents"};
#define V2_FLAGS (sizeof(v2_flags) / sizeof(v2_flags[0]))

void mount_options_of_v2(const struct mount_options *options, char words[MOUNT_OPTIONS_V2_MAX])
{
	*words = '\0';
	for (unsigned i = 0; i < V2_FLAGS; i++) {
		if (!(options->flags >> i & 1))
			continue;
		if (*words)
			strcat(words, ",");
		strcat(words, v2_flags[i]);
	}
}

static int take_of_v2(struct mount_options *options, const char *key, enum value_kind kind)
{
	if (take_common(options, key))
		return 0;
	if (!strcmp(key, "source"))
		return kind == VALUE_STRING ? say_once(&options->source) : -EINVAL;
	for (unsigned i = 0; i < V2_FLAGS; i++) {
		if (strcmp(key, v2_flags[i]))
			continue;
		if (kind != VALUE_NONE)
			return -EINVAL;
		options->flags |= 1u << i;
		return 0;
	}
	return -EINVAL;
}

int mount_options_take(const struct view *view, struct mount_options *options, const char *key,
		       enum value_kind kind, const char *value)
{
	bool is_string = kind == VALUE_STRING;
	int hierarchy, error;

	if (view->unified)
		return take_of_v2(options, key, kind);
	if (take_common(options, key))
		return 0;
	if (!strcmp(key, "source"))
		return is_string ? say_once(&options->source) : -EINVAL;
	if (options->fixed)
		return -EINVAL;
	if (!strcmp(key, "release_agent"))
		return is_string && *value ? say_once(&options->agent) : -EINVAL;
	if (!strcmp(key, "name"))
		return is_string ? take_name(view, options, value) : -EINVAL;
	error = take_flag(options, key, kind);
	if (error != -ENOENT)
		return error;
	hierarchy = find_hierarchy(view, key);
	if (hierarchy < 0 || is_named(view, (unsigned)hierarchy))
		return -EINVAL;
	options->controllers |= 1u << hierarchy;
	return 0;
}

int mount_options_take_all(const struct view *view, struct mount_options *options, char *data)
{
	int error = 0;
	char *key;

	while (!error && (key = strsep(&data, ","))) {
		char *value = strchr(key, '=');

		if (!*key || value == key)
			continue;
		if (value)
			*value++ = '\0';
		error = mount_options_take(view, options, key, value ? VALUE_STRING : VALUE_NONE, value);
	}
	return error;
}

void mount_options_cpuset(const struct view *view, struct mount_options *options)
{
	options->controllers = cpuset_mask(view);
	options->no_prefix = true;
	options->agent = true;
	options->fixed = true;
}

/* check_cgroupfs_options(): 0 and the controllers that are meant, or -EINVAL. */
static int check(const struct view *view, const struct mount_options *options, uint32_t *controllers)
{
	bool all = options->all ||
		   !(options->controllers || options->none || options->name != OPTION_NO_NAME);

	if (all && options->controllers)
		return -EINVAL;
	*controllers = all ? all_controllers(view) : options->controllers;
	if (!*controllers && options->name == OPTION_NO_NAME)
		return -EINVAL;
	if (options->no_prefix && *controllers & ~cpuset_mask(view))
		return -EINVAL;
	return *controllers && options->none ? -EINVAL : 0;
}

int mount_options_choose(const struct view *view, const struct mount_options *options, bool nested)
{
	uint32_t controllers;
	int error;

	if (view->unified)
		return 0;
	error = check(view, options, &controllers);
	if (error)
		return error;
	if (options->name == OPTION_NAMED && options->named < view->count) {
		/* Controllers have to be its own, if any are named. */
		if ((controllers || options->none) && controllers != mask_of(view, options->named))
			return -EBUSY;
		return (int)options->named;
	}
	for (unsigned i = 0; options->name == OPTION_NO_NAME && i < view->count; i++) {
		if (controllers == mask_of(view, i))
			return (int)i;
	}
	if (!controllers && !options->none)
		return -EINVAL;
	/* One more: there is no making it, in a namespace, or with controllers that are in use. */
	return nested || !controllers ? -EPERM : -EBUSY;
}

int mount_options_change(const struct view *view, const struct mount_options *options,
			 unsigned hierarchy, bool populated)
{
	uint32_t controllers;
	int error;

	if (view->unified)
		return 0;
	error = check(view, options, &controllers);
	if (error)
		return error;
	/* Nor can a release agent be set so, as in a user namespace. */
	if (options->no_prefix || options->flags || options->agent ||
	    options->name == OPTION_NEW_NAME ||
	    (options->name == OPTION_NAMED && options->named != hierarchy))
		return -EINVAL;
	return populated || controllers & ~mask_of(view, hierarchy) ? -EBUSY : 0;
}
