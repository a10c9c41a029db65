/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_H
#define CGROUP_H

#include "tree.h"

struct bytes;
struct caller;
struct controller;
struct machine;
struct native;
struct request;

/*
 * Makes the tree of the hierarchies whose controllers are in `list`
 * (NULL ends it). Both `machine` and `accounting` must outlive it. Returns NULL with errno set.
 */
struct tree *tree_new(const struct controller *const *list, struct machine *machine,
		      struct accounting *accounting);

/* The same with all controllers of `list` in the one hierarchy of cgroup v2. At most 32. */
struct tree *tree_new_unified(const struct controller *const *list, struct machine *machine,
			      struct accounting *accounting);
/*
 * Has the kernel's own cgroups below those of v1 that native_back() finds: what is made, removed and moved
 * here is so there, too. Before the tree is in use. Adds the names of those that have some, to be shown. 0,
 * or what native_back() says where none has.
 */
int tree_back(struct tree *tree, struct native *native, const char *directory, struct text *names);
/* Ends the threads of the tree's controllers. Before accounting_stop(), which tells them what they ask. */
void tree_stop(struct tree *tree);
/* Frees it, after tree_stop(). NULL is fine. Nobody else may use it. */
void tree_free(struct tree *tree);

/*
 * Has a file that is CFTYPE_OPTIONAL be there, by its full name. False: there is none of that name. Before
 * the tree is in use.
 */
bool tree_want_file(struct tree *tree, const char *name);

/* Holds a cgroup; under the tree lock or by a holder. */
struct cgroup *cgroup_get(struct cgroup *cgroup);
/* Lets it go; the last one frees it. Needs no lock. Takes NULL. */
void cgroup_put(struct cgroup *cgroup);

/*
 * cgroup_mkdir and cgroup_rmdir of kernel/cgroup/cgroup.c, and
 * cgroup1_rename of cgroup-v1.c. Take the tree lock themselves.
 * -EEXIST, -EINVAL (newline in the name), -EPERM (at the top), -EBUSY
 * (children or processes), -ENOTDIR, -EIO (another parent), -EXDEV (another hierarchy), ...
 * `number` is that of the cgroup that was removed, not set when none was.
 */
int cgroup_mkdir(struct tree *tree, const char *path, mode_t mode, const struct caller *caller);
int cgroup_rmdir(struct tree *tree, const char *path, uint64_t *number);
int cgroup_rename(struct tree *tree, const char *from, const char *to, unsigned flags);

/*
 * What the version of cgroups keeps of a cgroup besides its attributes, as bytes and back; nothing on v1.
 * Parents are restored first, and before the controllers' values. Under the tree lock. 0, -EINVAL, -ENOMEM.
 */
void cgroup_save_kind(const struct cgroup *cgroup, struct text *out);
int cgroup_restore_kind(struct cgroup *cgroup, struct bytes *in);

/*
 * What the kernel shows as /proc/PID/cgroup and as /proc/cgroups, of this tree. `number` is a task as
 * the caller's pid namespace knows it. Take the tree lock themselves, and read /proc.
 * `known` are all controllers, for those that have nothing on v2. 0, -ESRCH, -ENOMEM.
 * Sources: proc_cgroup_show, proc_cgroupstats_show,
 * cgroup1_show_options.
 */
int tree_show_task(struct tree *tree, const struct caller *caller, pid_t number, struct text *out);
int tree_show_controllers(struct tree *tree, const struct controller *const *known, struct text *out);
/*
 * In the form of the former, with what mount tables show as the hierarchy's options in a path's place, a
 * comma before each.
 */
int tree_show_options(struct tree *tree, struct text *out);
/*
 * What v2 was mounted with, words with commas between them, in place of what it was before. -EINVAL: one is
 * none of them; -EOPNOTSUPP: a tree of v1.
 */
int tree_set_options(struct tree *tree, char *words);

/*
 * True when the file is there in this cgroup now: root-only files are not in a child, a v2 controller's
 * only where it is enabled. Under the tree lock.
 */
bool cgroup_has_file(const struct cgroup *cgroup, const struct cgroup_file *file);

/* The css whose file it is; NULL for the files of every cgroup. Under the tree lock. */
struct css *cgroup_file_css(const struct cgroup *cgroup, const struct cgroup_file *file);

/*
 * The cgroup and those below it that are `wanted` (all for NULL; asked under the tree lock), from the top
 * down and held: cgroup_put_all() lets them go and frees the list. NULL: no memory, and *count is 0. Without
 * the tree lock, which it takes.
 */
struct cgroup **cgroup_hold_subtree(struct cgroup *top,
				    bool (*wanted)(const struct cgroup *cgroup, const struct cgroup *top),
				    size_t *count);
void cgroup_put_all(struct cgroup **list, size_t count);

/*
 * Looks who has ended in the cgroup, above it and below it, so that what is known of members is of now.
 * Without the tree lock.
 */
void cgroup_settle_members(struct cgroup *cgroup);

/*
 * How often what the file tells of has happened: changes when its readers are to be told
 * (cgroup_file_notify).
 * 0 where that is nothing. Takes the tree lock.
 */
uint64_t cgroup_file_event(struct cgroup *cgroup, const struct cgroup_file *file);

/*
 * Calls `tell` for each file of the tree whose event has changed since the last call, without the tree lock
 * and with the cgroup held for the call. A new cgroup starts with nothing to tell. One caller at a time.
 */
void tree_tell_events(struct tree *tree,
		      void (*tell)(void *context, struct cgroup *cgroup, const struct cgroup_file *file),
		      void *context);

/*
 * One read: the file's whole content into `out`. One write of `len` bytes.
 * Take the tree lock as the row asks for. -ENODEV for a dead cgroup, -EINVAL
 * where there is no handler, -E2BIG above the row's max_write_len (kernfs' atomic_write_len), -EPERM
 * for what is not delegated of the root of a container's view.
 */
int cgroup_file_read(const struct request *request, struct text *out);
int cgroup_file_write(const struct request *request, const char *bytes, size_t len);

/*
 * The error that a read would give, as far as stored values tell: no processes are looked at. 0: none. Takes
 * the tree lock.
 */
int cgroup_file_check(const struct request *request);

#endif
