/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel's own cgroups have a new task, and so ours. A hierarchy that the kernel has not got, it is
 * in where a member is that the kernel has in the same cgroups: its maker, or who is like that.
 */
#include <string.h>

#include <utlist.h>

#include "newcomer.h"

int placed_read(struct accounting *accounting, struct newcomer *newcomer)
{
	int error;

	if (!accounting->is_backed)
		return 0;
	error = machine_task_cgroups(accounting->machine, newcomer->id.tgid, newcomer->id.tid,
				     &newcomer->cgroups);
	return error_is_gone(error) ? 0 : error; /* one that is exiting is nowhere any more */
}

static struct group *find_group(struct accounting *accounting, unsigned hierarchy, const char *path,
				size_t len)
{
	struct group *group;

	HASH_FIND(placed, accounting->places[hierarchy], path, len, group);
	return group && group->parent ? group : NULL;
}

/* The same of a path in the kernel's hierarchy, of which ours are a part. */
static struct group *find_native(struct accounting *accounting, unsigned hierarchy, const char *path,
				 size_t len)
{
	const char *top = accounting->backed[hierarchy].top;
	const size_t skip = strcmp(top, "/") ? strlen(top) : 0;

	if (len <= skip || memcmp(path, top, skip) || path[skip] != '/')
		return NULL;
	return find_group(accounting, hierarchy, path + skip, len - skip);
}

/* Where it is, hierarchy by hierarchy; NULL is the root, and whatever is none of ours. */
struct where {
	struct group *groups[ACCOUNTING_MAX_HIERARCHIES];
	bool told[ACCOUNTING_MAX_HIERARCHIES]; /* by the kernel */
	struct group *one; /* of those that are told; NULL: there is none */
};

static void find_groups(struct accounting *accounting, const char *lines, struct where *where)
{
	*where = (struct where){0};
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		const char *controller = accounting->backed[i].controller, *path;
		size_t len;

		path = controller ? native_path(lines, controller, &len) : NULL;
		if (!path)
			continue;
		where->told[i] = true;
		where->groups[i] = find_native(accounting, i, path, len);
		if (where->groups[i])
			where->one = where->groups[i];
	}
}

static bool is_there(struct accounting *accounting, const struct task *task, const struct where *where)
{
	for (unsigned i = 0; i < accounting->hierarchies; i++) {
		if (where->told[i] && task->links[i].group != where->groups[i])
			return false;
	}
	return true;
}

/* Who is there too: its maker, else another member. */
static const struct task *find_companion(struct accounting *accounting, const struct task *creator,
					 const struct where *where)
{
	const struct task_link *link;

	if (creator && is_there(accounting, creator, where))
		return creator;
	if (where->one) {
		DL_FOREACH(where->one->tasks, link) {
			if (is_there(accounting, link->task, where))
				return link->task;
		}
	}
	return NULL;
}

/* It is alone there: elsewhere it is in the cgroup of the same path. */
static bool enter_alone(struct accounting *accounting, const struct newcomer *newcomer,
			const struct where *where)
{
	const char *path = where->one->place;
	struct task *task = task_new(accounting, &newcomer->id);

	for (unsigned i = 0; task && i < accounting->hierarchies; i++)
		task_enter(task, i, where->told[i] ? where->groups[i]
						   : find_group(accounting, i, path, strlen(path)));
	return task;
}

bool placed_take(struct accounting *accounting, const struct newcomer *newcomer, const struct task *creator)
{
	const struct task_id *id = &newcomer->id;
	const struct task *companion;
	struct where where;

	assert_locked(&accounting->lock);
	find_groups(accounting, newcomer->cgroups, &where);
	companion = find_companion(accounting, creator, &where);
	if (!companion)
		return where.one && enter_alone(accounting, newcomer, &where);
	if (!task_fork(accounting, companion, id))
		return false;
	if (id->tid == id->tgid && companion != creator)
		process_set_parent(accounting, process_find(accounting, id->tgid), newcomer->stat.ppid);
	return true;
}
