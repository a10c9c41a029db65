/* SPDX-License-Identifier: MIT */
#ifndef RUN_VIEW_H
#define RUN_VIEW_H

#include <linux/limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "text.h"

struct peer;
struct statx;

/*
 * What programs are shown: our FUSE mount as the kernel's cgroups, as seen from a cgroup namespace: the
 * supervisor's own, whose root is `prefix`, or one below it. Of cgroup v2 the whole mount is one hierarchy,
 * with the directory "." and the word "" that /proc/PID/cgroup has for it.
 */

#define VIEW_MAX_HIERARCHIES 32
#define VIEW_NAME_MAX 64

struct view_hierarchy {
	char name[VIEW_NAME_MAX]; /* its directory: "cpu", "systemd" */
	char option[VIEW_NAME_MAX]; /* its word in the tables: "cpu", "name=systemd" */
	bool read_only; /* as a remount has made it, protected by the view's lock */
};

struct view {
	/* constant once they are shown, but for read_only */
	struct view_hierarchy hierarchies[VIEW_MAX_HIERARCHIES];
	unsigned count;
	bool unified; /* it is cgroup v2; constant too */
	/*
	 * The kernel copies from the files, by sendfile(2) and splice(2), constant too. Before Linux 6.5 it
	 * did from those of FUSE that have size 0, where their content does not go by the page cache.
	 */
	bool copies;
	char prefix[VIEW_NAME_MAX]; /* "" or "/PARENT/NAME": of each hierarchy, shown as its root */
	const struct machine *machine; /* a patient one, for what tasks of others may never tell */
	const char *at; /* where programs find the tree */
	dev_t cover; /* of the tmpfs at `at`, where what is below it must stay out of sight; else 0 */
	int outside; /* the mount namespace that the launcher was started in; -1: we are in it still */
	const char *mount; /* where the FUSE mount is, when paths to `at` are led there; else NULL */
	/* Protects what changes when the daemon is started anew. */
	pthread_rwlock_t lock;
	dev_t device; /* of the FUSE mount */
	int top; /* the FUSE mount's root, O_PATH, in `home` */
	int home; /* a mount namespace that has only this mount (visit.h); -1: ours, where we can make none */
};

/*
 * Takes the FUSE mount at `path` as what is shown, the first time (learning its hierarchies) or
 * instead of the one before. 0; -ENOTSUP: not a mount of fuse_cgroupfs; or another errno.
 */
int view_open(struct view *view, const char *path);

/*
 * Whether the file at the O_PATH descriptor is one of ours; *about is then what the kernel knows of it (its
 * mask STATX_TYPE and STATX_INO), without a request to the daemon.
 */
bool view_has(struct view *view, int file, struct statx *about);

/* Whether what view_has() told of is the top of v1's whole tree, a tmpfs to programs. */
bool view_is_top(const struct view *view, const struct statx *about);

/* The type that the tables have for its mounts: "cgroup" or "cgroup2". */
const char *view_type(const struct view *view);

/* The root of a hierarchy, for reading. A descriptor or a negative errno. */
int view_open_hierarchy(struct view *view, unsigned hierarchy);

/* Whether its filesystem is shown read-only. */
bool view_is_read_only(struct view *view, unsigned hierarchy);
void view_set_read_only(struct view *view, unsigned hierarchy, bool read_only);

/* The text of /proc/cgroups, as the daemon tells it. 0 or a negative errno. */
int view_cgroups(struct view *view, struct text *out);

/* Whether the freezer has stopped the task, or is about to. False where there is no freezer. */
bool view_is_frozen(struct view *view, pid_t tid);

/* The cgroups of a task, in the form of /proc/PID/cgroup, from the top. -ESRCH: it is gone. */
int view_memberships(struct view *view, const struct peer *peer, struct text *out);

/*
 * Who reads sees paths from the roots of its cgroup namespace: `roots` is what view_memberships() told of
 * the task that made it; the prefix is the root of each hierarchy when there are none (NULL or empty).
 */

/*
 * The root of the hierarchy that has this word in the tables, however long, as a string; "" is the top. 0 or
 * -ENOMEM.
 */
int view_root(const struct view *view, const struct text *roots, const char *word, size_t word_len,
	      struct text *root);

/* The text of /proc/PID/cgroup. -ESRCH: no such task. */
int view_task(struct view *view, const struct text *roots, const struct peer *peer, struct text *out);

/* The text of /proc/PID/cpuset: the same of one hierarchy, "/" where there is no cpuset. */
int view_cpuset(struct view *view, const struct text *roots, const struct peer *peer, struct text *out);

/*
 * A cgroup's path seen from `prefix`, as a cgroup namespace shows it: "/a" from "/a" is "/",
 * from "/b" it is "/../a" (kernfs_path_from_node).
 */
void view_add_path(struct text *out, const char *prefix, const char *path, size_t len);

/*
 * What mount tables show of each hierarchy, in the form of /proc/PID/cgroup, a comma before each option. 0,
 * or a negative errno, and *out is empty.
 */
int view_options(struct view *view, struct text *out);

/* v2: has these be shown, commas between them, and kept to (nsdelegate). */
void view_set_options(struct view *view, const char *words);
/* v2: the task is about to make a cgroup namespace; where it is now will be its root. */
void view_expect_namespace(struct view *view, const struct peer *peer);

/* Whether the task lives in the mount namespace that the launcher was started in. */
bool view_is_outside(const struct view *view, const struct peer *peer);

/*
 * The tables as the view has them, from the kernel's own of the same process and moment: our mounts
 * are cgroup mounts, the kernel's own cgroups are not there, all else stays to the letter. In those of
 * one that is `outside` our mounts are added, as it is in our cgroups, too.
 * /proc/PID/mounts and mountstats need its mountinfo beside them. 0; -EAGAIN: `mounts` and
 * `mountinfo` are not of one moment; -ENOMEM. Sources: show_mountinfo, show_vfsmnt, show_vfsstat of
 * fs/proc_namespace.c, cgroup1_show_options of kernel/cgroup/cgroup-v1.c.
 */
int view_mountinfo(struct view *view, const struct text *roots, const struct text *mountinfo, bool outside,
		   struct text *out);
int view_mounts(struct view *view, const struct text *mountinfo, const struct text *mounts, bool outside,
		struct text *out);
int view_mountstats(struct view *view, const struct text *mountinfo, const struct text *mountstats,
		    bool outside, struct text *out);

#endif
