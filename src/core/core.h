#ifndef CORE_H
#define CORE_H

#include "cgroup.h"
#include "controller.h"

/* What the files of core share among themselves and nobody else needs. */

/* The files that every cgroup has: cgroup.procs, tasks, ... (cgroup1_base_files) */
extern const struct cftype cgroup_base_files[];

/*
 * A cgroup with its controllers' states, not yet in its parent's table.
 * NULL with errno set. Under the tree lock, exclusive (a root needs none).
 */
struct cgroup *cgroup_new(struct hierarchy *hierarchy, struct cgroup *parent, const char *name,
			  uid_t uid, gid_t gid);

/* Frees a cgroup and everything below it when the whole tree ends; nobody else may hold one of them. */
void cgroup_free_subtree(struct cgroup *cgroup);

/*
 * cgroup.procs (`process` true) and tasks: __cgroup_procs_write and
 * pidlist of kernel/cgroup. Without the tree lock.
 */
int procs_write(const struct request *request, char *text, bool process);
int procs_list(const struct request *request, struct text *out, bool process);

#endif
