/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of cgroups in /proc: /proc/PID/cgroup (proc_cgroup_show, kernel/cgroup/cgroup.c)
 * and /proc/cgroups (proc_cgroupstats_show, kernel/cgroup/cgroup-v1.c); and a hierarchy's options in the
 * mount tables (cgroup1_show_options, cgroup_show_options).
 */
#include <errno.h>
#include <string.h>

#include "cgroup.h"
#include "controller.h"
#include "machine_task.h"
#include "pid_namespace.h"

static bool is_unified(const struct hierarchy *hierarchy)
{
	return hierarchy == hierarchy->tree->unified;
}

/* The unified one's is 0 always. */
static unsigned hierarchy_id(const struct hierarchy *hierarchy)
{
	return is_unified(hierarchy) ? 0 : hierarchy->index + 1;
}

static void add_hierarchy(struct text *out, const struct hierarchy *hierarchy)
{
	text_add_u64(out, hierarchy_id(hierarchy));
	text_add(out, ":");
	for (unsigned i = 0; hierarchy->controllers[i] && !is_unified(hierarchy); i++) {
		if (i)
			text_add(out, ",");
		if (hierarchy->controllers[i]->named)
			text_add(out, "name=");
		text_add(out, hierarchy->controllers[i]->name);
	}
	text_add(out, ":");
}

int tree_show_task(struct tree *tree, const struct caller *caller, pid_t number, struct text *out)
{
	struct pid_namespace space = pid_namespace_of(tree->machine, caller->tid);
	pid_t tid = space.level ? pid_namespace_find(tree->machine, &space, number) : number;
	struct task_id id = {.tid = tid};
	struct machine_task_stat stat;
	int error = tid > 0 ? machine_task_stat(tree->machine, tid, 0, &stat) : -ESRCH;

	if (space.error)
		return space.error;
	if (error == -EBUSY)
		error = task_id_of_hung(tree->machine, &id);
	else if (!error)
		id.start_time = stat.starttime;
	if (error)
		return error == -ENOENT ? -ESRCH : error;
	accounting_catch_up(tree->accounting);
	text_clear(out);
	tree_read_lock(tree);
	for (unsigned i = tree->hierarchy_count; i-- > 0;) {
		struct hierarchy *hierarchy = &tree->hierarchies[i];
		struct group *group = accounting_group_of(tree->accounting, i, &id);

		add_hierarchy(out, hierarchy);
		if (is_unified(hierarchy) && accounting_left_path(tree->accounting, &id, out))
			text_add(out, " (deleted)");
		else
			cgroup_add_path(group ? cgroup_of_group(group) : hierarchy->root, out);
		text_add(out, "\n");
	}
	tree_unlock(tree);
	return out->error;
}

/* seq_show_option(): a value's commas and blanks in octal. */
static void add_option(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",%s=", name);
	for (; *value; value++) {
		if (strchr(", \t\n\\", *value))
			text_printf(out, "\\%03o", (unsigned char)*value);
		else
			text_add_bytes(out, value, 1);
	}
}

static const char *const root_flags[] = {"nsdelegate", "favordynmods", "memory_localevents",
	"memory_recursiveprot", "memory_hugetlb_accounting", "pids_localevents"};
#define ROOT_FLAGS (sizeof(root_flags) / sizeof(root_flags[0]))

static void add_root_flags(struct text *out, unsigned flags)
{
	for (unsigned i = 0; i < ROOT_FLAGS; i++) {
		if (flags >> i & 1)
			text_printf(out, ",%s", root_flags[i]);
	}
}

static unsigned root_flag(const char *word)
{
	for (unsigned i = 0; i < ROOT_FLAGS; i++) {
		if (!strcmp(root_flags[i], word))
			return 1u << i;
	}
	return 0;
}

int tree_set_options(struct tree *tree, char *words)
{
	unsigned flags = 0;
	char *word;

	if (!tree->unified)
		return -EOPNOTSUPP;
	while ((word = strsep(&words, ","))) {
		if (*word && !root_flag(word))
			return -EINVAL;
		flags |= root_flag(word);
	}
	tree->root_flags = flags;
	return 0;
}

static void add_options(struct text *out, const struct hierarchy *hierarchy)
{
	if (is_unified(hierarchy)) {
		add_root_flags(out, hierarchy->tree->root_flags);
		return;
	}
	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		if (!hierarchy->controllers[i]->named)
			text_printf(out, ",%s", hierarchy->controllers[i]->name);
	}
	if (hierarchy->release_agent && *hierarchy->release_agent)
		add_option(out, "release_agent", hierarchy->release_agent);
	if (hierarchy->root->clone_children)
		text_add(out, ",clone_children");
	for (unsigned i = 0; hierarchy->controllers[i]; i++) {
		if (hierarchy->controllers[i]->named)
			add_option(out, "name", hierarchy->controllers[i]->name);
	}
}

int tree_show_options(struct tree *tree, struct text *out)
{
	text_clear(out);
	tree_read_lock(tree);
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		add_hierarchy(out, &tree->hierarchies[i]);
		add_options(out, &tree->hierarchies[i]);
		text_add(out, "\n");
	}
	tree_unlock(tree);
	return out->error;
}

static uint64_t count_cgroups(const struct hierarchy *hierarchy)
{
	struct cgroup *position;
	uint64_t count = 0;

	cgroup_for_each_descendant(position, hierarchy->root)
		count++;
	return count;
}

/*
 * Neither a hierarchy's name nor files that just every v2 cgroup has; freezer is one, if not to clients of
 * v2.
 */
static bool is_subsystem(const struct controller *controller)
{
	return !controller->named && (controller->legacy_files || !controller->unlisted_on_dfl);
}

static void add_subsystem(struct text *out, const struct controller *controller, unsigned hierarchy,
			  uint64_t cgroups)
{
	text_add(out, controller->name);
	text_add(out, "\t");
	text_add_u64(out, hierarchy);
	text_add(out, "\t");
	text_add_u64(out, cgroups);
	text_add(out, "\t1\n");
}

static bool has_controller(const struct hierarchy *hierarchy, const struct controller *controller)
{
	unsigned i = 0;

	while (hierarchy->controllers[i] && hierarchy->controllers[i] != controller)
		i++;
	return hierarchy->controllers[i];
}

int tree_show_controllers(struct tree *tree, const struct controller *const *known, struct text *out)
{
	text_clear(out);
	text_add(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	tree_read_lock(tree);
	for (unsigned i = 0; i < tree->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &tree->hierarchies[i];
		uint64_t cgroups = count_cgroups(hierarchy);

		for (unsigned j = 0; hierarchy->controllers[j]; j++) {
			if (is_subsystem(hierarchy->controllers[j]))
				add_subsystem(out, hierarchy->controllers[j], hierarchy_id(hierarchy),
					      cgroups);
		}
		/* Those that only v1 has are counted with v2 while no hierarchy of v1 has them. */
		for (unsigned j = 0; is_unified(hierarchy) && known[j]; j++) {
			if (is_subsystem(known[j]) && !known[j]->dfl_files &&
			    !has_controller(hierarchy, known[j]))
				add_subsystem(out, known[j], 0, cgroups);
		}
	}
	tree_unlock(tree);
	return out->error;
}
