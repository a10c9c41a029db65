/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLER_H
#define CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "accounting.h"
#include "text.h"
#include "tree.h"

struct bytes;

/*
 * A controller is a table of files and a few hooks, as the kernel's struct
 * cgroup_subsys. Everything about it stands in one file of src/controllers.
 */

/* Who asks: the opener's credentials, and the task that reads or writes now. */
struct caller {
	pid_t tid; /* in the daemon's pid namespace; 0 when it is not visible there */
	uid_t uid;
	gid_t gid;
	uid_t task_uid; /* of that task, for what the kernel asks capable() of the current one */
	/* the root of the opener's cgroup namespace: v2 with nsdelegate only; else NULL */
	struct cgroup *namespace;
};

/* One read or write of one file of one cgroup. */
struct request {
	struct cgroup *cgroup; /* held by the caller; may be dead only for act/measure */
	const struct cgroup_file *file;
	struct caller caller;
	uint64_t serial; /* of the css that the file was opened of: -ENODEV once it is another; 0: any */
	uint64_t *opened; /* a row's own figure of this open file, 0 at first; NULL: no file is open */
};

enum cftype_flags {
	CFTYPE_NO_PREFIX = 1 << 0, /* the name stands alone, as in "tasks" */
	CFTYPE_NOT_ON_ROOT = 1 << 1,
	CFTYPE_ONLY_ON_ROOT = 1 << 2,
	CFTYPE_PRESSURE = 1 << 3, /* not there while cgroup.pressure is 0 */
	/* may be written from within a cgroup namespace at its root (nsdelegate) */
	CFTYPE_NS_DELEGATABLE = 1 << 4,
	/* not every kernel is built with it: there where it is wanted (tree_want_file()) */
	CFTYPE_OPTIONAL = 1 << 5,
};

/*
 * One cgroup file (the kernel's struct cftype). The mode follows from the
 * handlers: 0444 when one can read, 0200 when one can write.
 *
 * Readers, one of:
 *   read_u64, read_s64  a number and a newline; under the tree lock, shared
 *   show                any text made of stored values; under the tree lock, shared
 *   measure             text made from the machine or from accounting; called
 *                       without the tree lock, which it may take for stored values
 *   check               beside measure, where it may have an error by stored values alone: that
 *                       error, or 0; under the tree lock, shared
 * Writers, one of; each gets one write() of at most max_write_len bytes:
 *   write_u64, write_s64  the number (kstrtoull, kstrtoll of the stripped
 *                       text, base 0); under the tree lock, exclusive
 *   store               the text, NUL-terminated and as written (strip it
 *                       where the kernel does); under the tree lock, exclusive;
 *                       either everything changes or nothing does
 *   act                 the same without the tree lock, for what looks at
 *                       processes or waits
 * All return 0 or a negative errno (readers of numbers cannot fail).
 */
struct cftype {
	const char *name; /* without prefix; NULL ends a table */
	unsigned flags; /* enum cftype_flags */
	int private; /* the handlers' own, as cftype->private */
	size_t max_write_len; /* bytes of one write, more is -E2BIG; 0 is 4096 */

	uint64_t (*read_u64)(struct cgroup *cgroup, const struct cgroup_file *file);
	int64_t (*read_s64)(struct cgroup *cgroup, const struct cgroup_file *file);
	int (*show)(const struct request *request, struct text *out);
	int (*measure)(const struct request *request, struct text *out);
	int (*check)(const struct request *request);

	int (*write_u64)(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value);
	int (*write_s64)(struct cgroup *cgroup, const struct cgroup_file *file, int64_t value);
	int (*store)(const struct request *request, char *text);
	int (*act)(const struct request *request, char *text);

	/*
	 * How often what the file tells of has happened: when it changes, who polls or watches the file
	 * is told. Never reads /proc. Under the tree lock, shared.
	 */
	uint64_t (*event)(struct cgroup *cgroup, const struct cgroup_file *file);
};

/*
 * All hooks are optional and run under the tree lock, exclusive.
 */
struct controller {
	const char *name; /* its v1 directory, its files' prefix, its word in /proc/PID/cgroup */
	const char *prefix; /* of its files, where it is not `name`; "": only the instance's name */
	bool named; /* a hierarchy without a controller: "name=systemd" */
	const struct cftype *legacy_files; /* cgroup v1; ends with name == NULL */
	const struct cftype *dfl_files; /* cgroup v2, over the same state; NULL: it has none there */
	const char *dfl_name; /* its name and prefix on v2, where it is not `name`: "io" */
	bool threaded; /* v2: may be enabled in threaded cgroups */
	bool implicit_on_dfl; /* v2: every cgroup has it, and nobody enables it */
	const struct controller *depends_on; /* v2: whose state is there, too, wherever its own is; NULL */
	bool optional; /* not every kernel is built with it: served where it is asked for by name */
	bool unlisted_on_dfl; /* implicit, and no controller to clients: files that every v2 cgroup has */

	/*
	 * Names of the instances for which the table is repeated
	 * ("hugetlb.2MB.limit_in_bytes"), ends with NULL; cgroup_file.instance
	 * is the index in it. Owned by the controller, constant while it runs.
	 */
	const char *const *(*instances)(struct tree *tree);

	/* Bytes of the controller's state of a cgroup, all 0 before css_init(). 0: it keeps nothing. */
	size_t css_size;
	/*
	 * Fills the state of a new cgroup by default or from its parent's (cgroup->parent, NULL for a
	 * root). 0 or a negative errno: mkdir fails with it, after css_exit().
	 */
	int (*css_init)(struct cgroup *cgroup, void *state);
	/*
	 * The new cgroup is in the tree: its parent lists it. On v2 also: the controller has been enabled in
	 * it.
	 */
	void (*css_online)(struct cgroup *cgroup);
	/*
	 * v2: the controller was just enabled in a cgroup that may have members: its figures are of what they
	 * do and take from here on. Without the tree lock; the cgroup and the state are held, and may have
	 * ended.
	 */
	void (*css_start)(struct cgroup *cgroup, void *state);
	/*
	 * v2: the controller was disabled in the cgroup, but its state stays, as another depends on it:
	 * limits go back to what a new one has. Under the tree lock.
	 */
	void (*css_reset)(void *state);
	/* The cgroup is out of the tree, or the controller disabled in it; open files may still hold both. */
	void (*css_offline)(struct cgroup *cgroup);
	/* The last holder is gone: frees what the state points at. Runs without the tree lock. */
	void (*css_exit)(void *state);
	/*
	 * The tree is about to end: the controller's threads end, which may ask accounting and any of the
	 * tree's hierarchies. Of a root, without the tree lock.
	 */
	void (*stop)(struct cgroup *root);

	/*
	 * v2: adds the controller's lines to cpu.stat, or to cpu.stat.local (`local`), as
	 * css_extra_stat_show. Without the tree lock.
	 */
	void (*css_extra_stat)(struct cgroup *cgroup, bool local, struct text *out);

	/*
	 * What the controller keeps of a cgroup as bytes (bytes.h), and back into
	 * a new one whose parent is restored: for -o state. Without
	 * them it is the text of each file that can be read and written under the
	 * tree lock, written again. Under the tree lock; save shared only.
	 */
	void (*save)(struct cgroup *cgroup, struct text *out);
	int (*restore)(struct cgroup *cgroup, struct bytes *in);

	/* May these tasks enter, moved by `caller`? 0 or a negative errno; nothing changes yet. */
	int (*can_attach)(struct cgroup *cgroup, const struct task_list *tasks,
			  const struct caller *caller);
	/* They have entered. */
	void (*attach)(struct cgroup *cgroup, const struct task_list *tasks);
};

extern const struct controller blkio_controller;
extern const struct controller cpu_controller;
extern const struct controller cpuacct_controller;
extern const struct controller cpuset_controller;
extern const struct controller devices_controller;
extern const struct controller dmem_controller;
extern const struct controller freezer_controller;
extern const struct controller hugetlb_controller;
extern const struct controller kill_controller;
extern const struct controller memory_controller;
extern const struct controller misc_controller;
extern const struct controller net_cls_controller;
extern const struct controller net_prio_controller;
extern const struct controller perf_event_controller;
extern const struct controller pids_controller;
extern const struct controller pressure_controller;
extern const struct controller rdma_controller;
extern const struct controller systemd_controller;

/* Every controller of v1, in the order of the top directory's names; NULL ends it. */
extern const struct controller *const controllers[];
/* Those of v2 in the order of the kernel's linux/cgroup_subsys.h, in which cgroup.controllers names them. */
extern const struct controller *const dfl_controllers[];

/*
 * The controller's state of a cgroup, as its css_init left it. On v1 never NULL. On v2 NULL where it never
 * was enabled, and a state that has ended where it is disabled now: ask cgroup_has_css() first, but for the
 * cgroup of the request itself.
 */
void *cgroup_css(const struct cgroup *cgroup, const struct controller *controller);

/* Whether the controller has a state in the cgroup: always on v1. Under the tree lock. */
bool cgroup_has_css(const struct cgroup *cgroup, const struct controller *controller);

/* Whether it is enabled there, so that its files are: on v2 others may need the state alone. Likewise. */
bool cgroup_shows_css(const struct cgroup *cgroup, const struct controller *controller);

/*
 * The nearest cgroup from here up in which the controller is enabled (cgroup_e_css): the root at the latest.
 * Under the tree lock.
 */
struct cgroup *cgroup_effective(struct cgroup *cgroup, const struct controller *controller);

#endif
