/* SPDX-License-Identifier: MIT */
#ifndef RUN_MOUNT_OPTIONS_H
#define RUN_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct view;

/*
 * What a mount of type cgroup, or its remount, is told: by mount(2) in one string, by fsconfig(2) word by
 * word. Sources: cgroup1_parse_param, check_cgroupfs_options, cgroup1_root_to_use and
 * cgroup1_reconfigure of kernel/cgroup/cgroup-v1.c, vfs_parse_sb_flag of fs/fs_context.c.
 */

enum option_name {
	OPTION_NO_NAME, /* no "name=" so far */
	OPTION_NEW_NAME, /* one that no hierarchy has */
	OPTION_NAMED, /* the hierarchy `named` has it */
};

/* All 0: nothing was said. Others may keep it: no pointers, no padding, and any value in it will do. */
struct mount_options {
	uint32_t controllers; /* bit i: that of the view's hierarchy i */
	uint32_t name; /* enum option_name */
	uint32_t named; /* a hierarchy's number */
	/* Not 0: it was said. */
	uint32_t all, none, no_prefix;
	/* xattr, favordynmods, cpuset_v2_mode: no hierarchy of ours has one; v2: bits of its own */
	uint32_t flags;
	uint32_t agent, source; /* they may be said once */
	uint32_t access, read_only; /* "ro" or "rw", and the last was "ro" */
	uint32_t fixed; /* the options of type cpuset: no other can be added */
};

enum value_kind {
	VALUE_NONE, /* a flag */
	VALUE_STRING,
	VALUE_OTHER, /* a file, a path, bytes: fsconfig(2) only */
};

/* Adds what type cpuset, of before cgroups, stands for. Source: cpuset_init_fs_context. */
void mount_options_cpuset(const struct view *view, struct mount_options *options);

/* One word, and its string if it has one. 0 or -EINVAL. */
int mount_options_take(const struct view *view, struct mount_options *options, const char *key,
		       enum value_kind kind, const char *value);

/* cgroup2's own options that were said, with commas between them: at most MOUNT_OPTIONS_V2_MAX bytes. */
#define MOUNT_OPTIONS_V2_MAX 128
void mount_options_of_v2(const struct mount_options *options, char words[MOUNT_OPTIONS_V2_MAX]);

/* mount(2)'s data, which is taken apart in place. 0 or -EINVAL. Source: vfs_parse_monolithic_sep. */
int mount_options_take_all(const struct view *view, struct mount_options *options, char *data);

/*
 * The number of the hierarchy that is meant, or the kernel's error; `nested`: from a cgroup namespace that is
 * not the first.
 */
int mount_options_choose(const struct view *view, const struct mount_options *options, bool nested);

/*
 * Whether the hierarchy of this number can be remounted so: 0 or the kernel's error. `populated`: it has
 * cgroups besides its root.
 */
int mount_options_change(const struct view *view, const struct mount_options *options,
			 unsigned hierarchy, bool populated);

#endif
