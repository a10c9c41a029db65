/* SPDX-License-Identifier: MIT */
/*
 * Stopping and continuing all tasks of a cgroup and below (kernel/cgroup/legacy_freezer.c). Frozen is stopped
 * by a signal here.
 */
#include "freezer.h"
#include "freezing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "clock.h"
#include "controller.h"
#include "freezer_members.h"
#include "stopper.h"

static bool acting = true;

void freezer_set_acting(bool on)
{
	acting = on;
}

void freezer_keep_stopped(struct tree *tree)
{
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		const struct freezer *freezer = cgroup_css(tree->hierarchies[i].root,
							   &freezer_controller);

		if (freezer && freezer->stopper)
			stopper_forget(freezer->stopper);
	}
}

static struct freezer *freezer_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &freezer_controller);
}

static struct stopper *stopper_of(const struct cgroup *cgroup)
{
	return freezer_of(cgroup->hierarchy->root)->stopper;
}

/* --- many cgroups, looked at without the tree lock --- */

/* Holds those of the cgroup and all below it that freeze or do not, parents first. Under the tree lock. */
static int hold(struct cgroup *root, bool freezing, struct held_list *list)
{
	struct cgroup *cgroup;
	size_t count = 0;

	cgroup_for_each_descendant(cgroup, root)
		count++;
	*list = (struct held_list){.held = calloc(count, sizeof(*list->held))};
	if (!list->held)
		return -ENOMEM;
	cgroup_for_each_descendant(cgroup, root) {
		const struct freezer *freezer = freezer_of(cgroup);

		if (freezing == !!(freezer->state & FREEZING))
			list->held[list->count++] = (struct held){
				.cgroup = cgroup_get(cgroup), .changes = freezer->changes};
	}
	return 0;
}

static void release(struct held_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cgroup_put(list->held[i].cgroup);
	free(list->held);
}

static void set_frozen(struct freezer *freezer, bool frozen)
{
	if (frozen != !!(freezer->state & FROZEN))
		freezer->turns++;
	freezer->state = frozen ? freezer->state | FROZEN : freezer->state & ~(unsigned)FROZEN;
}

/*
 * update_if_frozen(): all members stand still; the cgroup is frozen if all below it are. Under the tree lock.
 */
static void update_if_frozen(const struct held *held)
{
	struct freezer *freezer = freezer_of(held->cgroup);
	struct cgroup *child;

	if (!(freezer->state & FREEZING) || freezer->state & FROZEN ||
	    freezer->changes != held->changes)
		return;
	cgroup_for_each_child(child, held->cgroup) {
		if (!(freezer_of(child)->state & FROZEN))
			return;
	}
	set_frozen(freezer, true);
	freezer->changes++; /* who looked before may have seen one run */
}

/* A task runs where it freezes: that is not all frozen (any more). Under the tree lock. */
static void note_runner(struct cgroup *cgroup)
{
	for (; !cgroup_is_root(cgroup); cgroup = cgroup->parent) {
		set_frozen(freezer_of(cgroup), false);
		freezer_of(cgroup)->changes++;
	}
}

/* Someone else let a member go on that stood still. Under the tree lock. */
static void update_if_running(const struct held *held)
{
	const struct freezer *freezer = freezer_of(held->cgroup);

	if (freezer->state & FROZEN && freezer->changes == held->changes)
		note_runner(held->cgroup);
}

static int thaw(struct cgroup *root)
{
	struct tree *tree = cgroup_tree(root);
	struct held_list list;
	int error;

	tree_read_lock(tree);
	error = hold(root, false, &list);
	tree_unlock(tree);
	if (!error)
		error = members_continue(stopper_of(root), &list);
	release(&list);
	return error;
}

/* Whether one of those that froze when they were held does not any more. */
static bool was_thawed(struct tree *tree, const struct held_list *list)
{
	bool thawed = false;

	tree_read_lock(tree);
	for (size_t i = 0; i < list->count; i++)
		thawed |= !(freezer_of(list->held[i].cgroup)->state & FREEZING);
	tree_unlock(tree);
	return thawed;
}

/* Stops who runs in those that freeze, and notes what is frozen by now. Without the tree lock. */
static int freeze(struct cgroup *root)
{
	struct tree *tree = cgroup_tree(root);
	struct held_list list;
	int error;

	tree_read_lock(tree);
	error = hold(root, true, &list);
	tree_unlock(tree);
	if (!error)
		error = members_stop(stopper_of(root), &list);
	if (!error && was_thawed(tree, &list))
		error = thaw(root); /* who was stopped after they had been let go */
	for (size_t i = list.count; i-- && !error;) { /* children before their parents */
		tree_write_lock(tree);
		if (list.held[i].stands)
			update_if_frozen(&list.held[i]);
		else
			update_if_running(&list.held[i]);
		tree_unlock(tree);
	}
	release(&list);
	return error;
}

/* --- what is asked for --- */

/* freezer_apply_state() */
static void set_state(struct cgroup *cgroup, unsigned which, bool freeze)
{
	struct freezer *freezer = freezer_of(cgroup);
	atomic_uint *count = &freezer_of(cgroup->hierarchy->root)->frozen_cgroups;

	if (which == FREEZING_SELF && freeze != !!(freezer->state & FREEZING_SELF))
		atomic_fetch_add(count, freeze ? 1 : -1);
	if (!(freezer->state & FREEZING))
		freezer->freezing_since = now_ns();
	if (freeze)
		freezer->state |= which;
	else if (freezer->state & which) {
		freezer->state &= ~which;
		if (!(freezer->state & FREEZING))
			freezer->frozen_ns += now_ns() - freezer->freezing_since;
	}
	if (!(freezer->state & FREEZING))
		set_frozen(freezer, false);
	freezer->changes++;
}

/* freezer_change_state(): below what freezes all does, by its parent. */
static int change_state(struct cgroup *root, bool freeze)
{
	struct tree *tree = cgroup_tree(root);
	struct cgroup *cgroup;

	tree_write_lock(tree);
	if (root->dead) {
		tree_unlock(tree);
		return -ENODEV;
	}
	set_state(root, FREEZING_SELF, freeze);
	cgroup_for_each_descendant(cgroup, root) {
		if (cgroup != root)
			set_state(cgroup, FREEZING_PARENT,
				  freezer_of(cgroup->parent)->state & FREEZING);
	}
	tree_unlock(tree);
	return 0;
}

int freezer_change(struct cgroup *cgroup, bool frozen)
{
	int error = change_state(cgroup, frozen);

	if (error)
		return error;
	return frozen ? freeze(cgroup) : thaw(cgroup);
}

static unsigned read_state(struct cgroup *cgroup)
{
	struct tree *tree = cgroup_tree(cgroup);
	unsigned state;

	tree_read_lock(tree);
	state = freezer_of(cgroup)->state;
	tree_unlock(tree);
	return state;
}

int freezer_look(struct cgroup *cgroup, unsigned *state)
{
	int error = 0;

	*state = read_state(cgroup);
	if (*state & FREEZING)
		error = freeze(cgroup);
	if (!error)
		*state = read_state(cgroup);
	return error;
}

static bool is_pending(const struct cgroup *cgroup)
{
	return freezer_of(cgroup)->state & FREEZING && !(freezer_of(cgroup)->state & FROZEN);
}

bool freezer_look_again(struct tree *tree)
{
	struct cgroup *root = tree->unified->root, *cgroup;
	bool pending = false;

	if (!atomic_load(&freezer_of(root)->frozen_cgroups))
		return false;
	tree_read_lock(tree);
	cgroup_for_each_descendant(cgroup, root)
		pending |= is_pending(cgroup);
	tree_unlock(tree);
	if (pending)
		freeze(root);
	return pending;
}

unsigned freezer_asked(const struct cgroup *cgroup)
{
	return freezer_of(cgroup)->state & FREEZING;
}

uint64_t freezer_turns(const struct cgroup *cgroup)
{
	return freezer_of(cgroup)->turns;
}

uint64_t freezer_frozen_ns(const struct cgroup *cgroup)
{
	const struct freezer *freezer = freezer_of(cgroup);

	return freezer->frozen_ns + (freezer->state & FREEZING ? now_ns() - freezer->freezing_since : 0);
}

/* --- tasks that come --- */

/*
 * Reads two short files of /proc under the tree lock, against the rule: no
 * reader must see a task run in a frozen cgroup, and stat needs no lock that
 * a task could hold while it waits for us.
 */
void freezer_attach(struct cgroup *cgroup, const struct task_list *tasks)
{
	struct stopper *stopper = stopper_of(cgroup);
	bool freezing = freezer_of(cgroup)->state & FREEZING;

	if (freezing)
		note_runner(cgroup); /* freezer_attach(), freezer_fork() */
	for (size_t i = 0; stopper && i < tasks->count; i++) {
		if (freezing)
			stopper_stop(stopper, &tasks->tasks[i]);
		else
			stopper_continue(stopper, &tasks->tasks[i]);
	}
	if (stopper && !freezing)
		stopper_settle(stopper, 0);
}

/* A task was forked in a group while it was being frozen: its parent was not stopped yet. */
static void forked(void *context, const struct group *group, const struct task_id *task)
{
	struct cgroup *root = context, *cgroup;
	struct tree *tree = cgroup_tree(root);
	bool found = false;

	if (!atomic_load(&freezer_of(root)->frozen_cgroups))
		return;
	tree_write_lock(tree);
	cgroup_for_each_descendant(cgroup, root) {
		if (&cgroup->group != group)
			continue;
		found = freezer_of(cgroup)->state & FREEZING;
		if (found)
			note_runner(cgroup);
		break;
	}
	tree_unlock(tree);
	if (found)
		stopper_stop(freezer_of(root)->stopper, task);
}

/* --- a cgroup's life --- */

int freezer_init(struct cgroup *cgroup, void *state)
{
	struct freezer *freezer = state;
	struct tree *tree = cgroup_tree(cgroup);

	if (!cgroup_is_root(cgroup) || !acting)
		return 0;
	freezer->stopper = stopper_new(tree->machine);
	if (!freezer->stopper)
		return -ENOMEM;
	accounting_on_fork(tree->accounting, cgroup->hierarchy->index, forked, cgroup);
	return 0;
}

/* freezer_css_online(): a child of what freezes is frozen from the start. */
void freezer_online(struct cgroup *cgroup)
{
	if (!cgroup_is_root(cgroup) && freezer_of(cgroup->parent)->state & FREEZING) {
		freezer_of(cgroup)->state |= FREEZING_PARENT | FROZEN;
		freezer_of(cgroup)->freezing_since = now_ns();
	}
}

void freezer_offline(struct cgroup *cgroup)
{
	set_state(cgroup, FREEZING_SELF, false);
}

void freezer_exit(void *state)
{
	const struct freezer *freezer = state;

	stopper_free(freezer->stopper);
}

void freezer_save(struct cgroup *cgroup, struct text *out)
{
	const struct freezer *freezer = freezer_of(cgroup);

	bytes_put_u64(out, freezer->state & FREEZING);
	bytes_put_u64(out, freezer->frozen_ns);
	bytes_put_u64(out, freezer->freezing_since);
	if (cgroup_is_root(cgroup))
		stopper_save(freezer->stopper, out);
}

/* Whether all stands still is found out by the next look. Since another boot the clock began anew. */
int freezer_restore(struct cgroup *cgroup, struct bytes *in)
{
	unsigned state = (unsigned)bytes_get_u64(in) & FREEZING;
	uint64_t frozen_ns = bytes_get_u64(in), since = bytes_get_u64(in), now = now_ns();

	if (cgroup_is_root(cgroup)) {
		stopper_restore(freezer_of(cgroup)->stopper, in);
	} else {
		set_state(cgroup, FREEZING_SELF, state & FREEZING_SELF);
		set_state(cgroup, FREEZING_PARENT, state & FREEZING_PARENT);
		set_frozen(freezer_of(cgroup), false);
		freezer_of(cgroup)->frozen_ns = frozen_ns;
		freezer_of(cgroup)->freezing_since = since < now ? since : now;
	}
	return in->wrong ? -EINVAL : 0;
}
