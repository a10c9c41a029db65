/* SPDX-License-Identifier: MIT */
#ifndef TREE_H
#define TREE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "accounting.h"
#include "hash.h"
#include "owners.h"
#include "text.h"

struct cftype;
struct controller;
struct delegation;
struct hierarchy_kind;
struct inode;
struct machine;
struct native;

/*
 * The tree of cgroups. Files are rows of the controllers' tables
 * (controller.h); the tree knows tables, not what is in them.
 */

/* A row as one hierarchy serves it: with its full name. Constant after start. */
struct cgroup_file {
	const char *name; /* "cpu.shares" */
	const struct cftype *type;
	const struct controller *controller; /* NULL for the files of every cgroup */
	unsigned index; /* position in hierarchy->files */
	unsigned instance; /* of controller->instances */
	bool is_wanted; /* of those that are CFTYPE_OPTIONAL */
	unsigned event; /* position among the files of the hierarchy that have cftype.event */
	UT_hash_handle hh;
};

struct hierarchy {
	struct tree *tree;
	const struct hierarchy_kind *kind; /* which version of cgroups it is */
	const char *name; /* of its directory; "" for the unified one, which has none */
	unsigned index; /* in tree->hierarchies, and accounting's number of it */
	const struct controller *const *controllers; /* NULL ends it; one on v1 */
	struct cgroup_file *files; /* array */
	unsigned file_count;
	unsigned event_count; /* of files that have cftype.event */
	struct cgroup_file *file_table; /* uthash of the same by name */
	struct cgroup *root;
	bool is_backed; /* by the kernel's own cgroups; constant after start */
	char *release_agent; /* stored and shown, never executed; NULL is empty */
};

/*
 * A controller's state in a cgroup (the kernel's cgroup_subsys_state). On v1 each cgroup has one for its
 * hierarchy's controller as long as it lives. On v2 a write to the parent's cgroup.subtree_control makes
 * and ends it. One that has ended stays in its place, offline, until another one is made there or
 * the cgroup is freed, so that a handler that runs without the tree lock never finds its state gone. Nor does
 * it when that happens again meanwhile: one that is held holds those that came after it.
 */
struct css {
	atomic_uint references; /* the cgroup's, each read or write under way, and the one's before it */
	uid_t uid; /* of who made it, for its files */
	gid_t gid;
	bool online; /* under the tree lock, as is the next */
	bool visible; /* its files are there: one that only another controller needs has none (depends_on) */
	struct css *next; /* that took its place; held */
	const struct controller *controller;
	uint64_t serial; /* unique while the daemon runs, never 0 */
	uint64_t state[]; /* the controller's, css_size bytes */
};

/* What only a cgroup of the unified hierarchy has. Under the tree lock. */
struct cgroup_v2 {
	unsigned subtree_control; /* bits by position in hierarchy->controllers */
	struct cgroup *domain; /* whose resources it shares: itself, or above it where it is threaded */
	unsigned threaded_children;
	int max_depth, max_descendants; /* INT_MAX is "max" */
	int descendants; /* how many there are */
	bool no_pressure; /* 0 was written to cgroup.pressure */
	/* what cftype.event said when it was told last, by cgroup_file.event; NULL: nothing yet */
	uint64_t *told;
};

struct cgroup {
	struct hierarchy *hierarchy;
	struct cgroup *parent; /* NULL for a root; held */
	struct cgroup *children; /* uthash by name, in order of creation */
	UT_hash_handle hh;
	char *name; /* "" for a root */
	uint64_t id; /* unique while the daemon runs */
	atomic_uint references;
	bool dead; /* removed, waits for its last holder */
	bool clone_children;
	bool notify_on_release;
	uid_t uid; /* of the creator, for the files */
	bool is_charged; /* to that user (owners.h) */
	gid_t gid;
	struct timespec created;
	struct inode *inodes; /* attributes that were changed, list */
	struct cgroup_v2 v2;
	struct group group; /* its members, its usage */
	_Atomic(struct css *) css[]; /* one for each of hierarchy->controllers; NULL: never was there */
};

struct tree {
	/*
	 * Protects the shape of the tree, every attribute and every stored
	 * value. Never held while a /proc file is read. accounting's lock is
	 * inside it.
	 */
	pthread_rwlock_t lock;
	struct machine *machine;
	struct accounting *accounting;
	struct native *native; /* the kernel's own cgroups below ours; NULL: there are none */
	struct hierarchy *hierarchies;
	unsigned hierarchy_count;
	/* the only one of a v2 tree, whose root is the top directory; NULL on v1 */
	struct hierarchy *unified;
	/* v2: what it was mounted with, bits of enum cgroup_root_flags */
	atomic_uint root_flags;
	struct delegation *delegation; /* v2 */
	/* the root shows what a child shows, and takes little, as in a cgroup namespace */
	bool container_view;
	uint64_t last_id, last_serial;
	atomic_uint files_gone; /* how often files went while their cgroup stayed */
	uid_t uid; /* who serves the tree owns it */
	gid_t gid;
	struct timespec created;
	struct inode *inodes; /* of the top directory */
	struct owners owners; /* what each user has of all this */
};

/*
 * Bits of tree.root_flags in the order in which mount tables show them (CGRP_ROOT_...,
 * cgroup_show_options).
 */
enum cgroup_root_flags {
	/* namespaces are boundaries of delegation; all others change nothing here */
	CGROUP_NSDELEGATE = 1 << 0,
};

/* What a path names: the top directory (no cgroup), a cgroup, or a file of one. */
struct node {
	struct cgroup *cgroup;
	const struct cgroup_file *file;
	uint64_t serial; /* of the css whose file it is; 0 for files of every cgroup and for directories */
};

/* The tree lock. Not recursive. */
void tree_read_lock(struct tree *tree);
void tree_write_lock(struct tree *tree);
void tree_unlock(struct tree *tree);

/*
 * Finds what the absolute path names. 0, -ENOENT or -ENOTDIR; a name may have
 * any length, as in kernfs. Under the tree lock.
 */
int tree_lookup(struct tree *tree, const char *path, struct node *node);

/* Whether two absolute paths are in the same hierarchy: each is a filesystem of its own to clients. */
bool tree_same_hierarchy(const struct tree *tree, const char *path, const char *other);

/* The tree that a cgroup is in. */
struct tree *cgroup_tree(const struct cgroup *cgroup);
/* The cgroup that accounting's group is part of. */
static inline struct cgroup *cgroup_of_group(const struct group *group)
{
	return (struct cgroup *)(void *)((char *)group - offsetof(struct cgroup, group));
}
/* Whether it is a hierarchy's root. */
static inline bool cgroup_is_root(const struct cgroup *cgroup)
{
	return !cgroup->parent;
}

/* Iterates the children of a cgroup in order of creation. Under the tree lock. */
#define cgroup_for_each_child(child, cgroup) \
	for ((child) = (cgroup)->children; (child); (child) = (child)->hh.next)

/*
 * Pre-order walk of `root` and everything below (css_for_each_descendant_pre):
 * start with position NULL, NULL ends it. Under the tree lock; do not add or remove meanwhile.
 */
struct cgroup *cgroup_next_descendant(struct cgroup *position, const struct cgroup *root);
#define cgroup_for_each_descendant(position, root)                          \
	for ((position) = cgroup_next_descendant(NULL, (root)); (position); \
	     (position) = cgroup_next_descendant((position), (root)))

/* Appends the cgroup's path from its hierarchy's root: "/a/b", "/". Under the tree lock. */
void cgroup_add_path(const struct cgroup *cgroup, struct text *out);

/* 0444 | 0200 as the row's handlers say (cgroup_file_mode). */
mode_t cftype_mode(const struct cftype *type);

#endif
