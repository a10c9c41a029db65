/* SPDX-License-Identifier: MIT */
#ifndef CORE_H
#define CORE_H

#include "cgroup.h"
#include "controller.h"

struct bytes;
struct machine_task_status;

/* What the files of core share among themselves and nobody else needs. */

/* Tasks that are about to move into `cgroup`: one thread, or all threads of a process. */
struct move {
	struct cgroup *cgroup;
	const struct task_id *named; /* whose number was written, or its leader: it may be exiting */
	const struct task_list *tasks; /* those that move */
	const struct caller *caller;
	bool process; /* by cgroup.procs, not by a file of threads */
};

/*
 * What differs between the versions of cgroups. Nobody else asks which version it is. All hooks run under
 * the tree lock unless they say otherwise.
 */
struct hierarchy_kind {
	const struct cftype *base_files; /* of every cgroup; ends with name == NULL */
	/*
	 * The controller's table (may be NULL), and its name, which is its files' prefix too unless it says
	 * otherwise.
	 */
	const struct cftype *(*files_of)(const struct controller *controller);
	const char *(*name_of)(const struct controller *controller);
	bool renames; /* rename(2) of a directory is permitted */

	/* Which controllers are enabled in the cgroup: bits by position in hierarchy->controllers. */
	unsigned (*controllers_of)(const struct cgroup *cgroup);
	/* 0 or why `parent` may have no more children. */
	int (*may_have_child)(const struct cgroup *parent);
	/* A new cgroup, before it has controllers; a cgroup that joins or leaves its parent's list. */
	void (*init)(struct cgroup *cgroup);
	void (*linked)(struct cgroup *cgroup, bool linked);

	/* 0 or why the opener may not move a task with this status. Without the tree lock. */
	int (*may_move_task)(const struct caller *caller, const struct machine_task_status *status);
	/* 0 or why they may not go from where they are to where they shall be. */
	int (*may_move)(const struct move *move);
	/*
	 * Fills the list of who cgroup.procs (`process`) or the file of threads shows; the caller frees it.
	 * Without the tree lock.
	 */
	int (*members)(struct cgroup *cgroup, bool process, struct task_list *list);

	/* What the version alone keeps of a cgroup, for -o state. NULL: nothing. */
	void (*save)(const struct cgroup *cgroup, struct text *out);
	int (*restore)(struct cgroup *cgroup, struct bytes *in);
};

extern const struct hierarchy_kind hierarchy_v1, hierarchy_v2;

/* --- css.c --- */

/* `mask`, and whose states those need. */
unsigned hierarchy_with_needed(const struct hierarchy *hierarchy, unsigned mask);
/*
 * Makes the controller's css, which is offline and in its place at once. 0 or -errno. Under the tree lock,
 * exclusive (a root needs none).
 */
int css_create(struct cgroup *cgroup, unsigned position, uid_t uid, gid_t gid);
/* Brings the css online or offline, and tells the controller. Under the tree lock, exclusive. */
void css_set_online(struct cgroup *cgroup, unsigned position, bool online);
/* Its files come: its controller is enabled. They go: its state is reset, but stays, as another needs it. */
void css_show(struct cgroup *cgroup, unsigned position, uid_t uid, gid_t gid);
void css_hide(struct css *css);
/* Holds a css (under the tree lock); lets it go (needs no lock). Both take NULL. */
struct css *css_get(struct css *css);
void css_put(struct css *css);

/*
 * A cgroup with its controllers' states, not yet in its parent's table.
 * 0 or -errno. Under the tree lock, exclusive (a root needs none).
 */
int cgroup_new(struct hierarchy *hierarchy, struct cgroup *parent, const char *name, uid_t uid, gid_t gid,
	       struct cgroup **made);

/* --- backed.c: the kernel's own cgroups below ours. Under the tree lock, exclusive. --- */

/* Makes what is below a new cgroup, if anything is below its parent. 0 or -errno. */
int cgroup_back(struct cgroup *cgroup);
/* Moves them there, before they move here. 0 or -errno. */
int cgroup_native_attach(const struct move *move);

/* Frees a cgroup and everything below it when the whole tree ends; nobody else may hold one of them. */
void cgroup_free_subtree(struct cgroup *cgroup);

/*
 * cgroup.procs (`process` true) and tasks or cgroup.threads: __cgroup_procs_write and
 * pidlist of kernel/cgroup. Without the tree lock.
 */
int procs_write(const struct request *request, char *text, bool process);
int procs_list(const struct request *request, struct text *out, bool process);

/* Where a task is in the hierarchy, as far as accounting knows. Under the tree lock. */
struct cgroup *cgroup_of_task(const struct hierarchy *hierarchy, const struct task_id *task);

/* --- threaded.c: domains and threads of v2 (kernel/cgroup/cgroup.c). Under the tree lock. --- */

bool cgroup_is_threaded(const struct cgroup *cgroup);
/* A domain whose threads may be spread over the threaded cgroups below it. */
bool cgroup_is_thread_root(const struct cgroup *cgroup);
bool cgroup_can_be_thread_root(const struct cgroup *cgroup);
/* Whether it may have processes: no threaded domain is above it. */
bool cgroup_is_valid_domain(const struct cgroup *cgroup);
/* Those of `mask` that threaded cgroups may have: bits by position in hierarchy->controllers. */
unsigned hierarchy_threaded(const struct hierarchy *hierarchy, unsigned mask);
/* Those enabled in its children that share out resources among processes, not threads; the same bits. */
unsigned cgroup_domain_controllers(const struct cgroup *cgroup);

/* --- subtree_control.c: which controllers a v2 cgroup has. Under the tree lock. --- */

/* Those that it may enable in its children (cgroup_control). */
unsigned cgroup_control(const struct cgroup *cgroup);
/* Those that it has itself: the same, and the implicit ones. */
unsigned cgroup_v2_controllers(const struct cgroup *cgroup);
/*
 * Makes and ends the css's of everything below `cgroup`, and its own, as the masks say. 0 or -errno, then
 * nothing has changed. Exclusive.
 */
int cgroup_apply_control(struct cgroup *cgroup, uid_t uid, gid_t gid);
/* cgroup.controllers, cgroup.subtree_control. */
int subtree_controllers_show(const struct request *request, struct text *out);
int subtree_control_show(const struct request *request, struct text *out);
/* Without the tree lock. */
int subtree_control_act(const struct request *request, char *text);

/* --- v2_state.c: hierarchy_kind's save and restore --- */

void cgroup_v2_save(const struct cgroup *cgroup, struct text *out);
int cgroup_v2_restore(struct cgroup *cgroup, struct bytes *in);

#endif
