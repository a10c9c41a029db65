/* SPDX-License-Identifier: MIT */
/* cpu: bandwidth of the realtime scheduler. kernel/sched/rt.c with CONFIG_RT_GROUP_SCHED. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "cpu_rt.h"
#include "machine_sched.h"
#include "number.h"

#define MAX_RT_RUNTIME_NS ((UINT64_C(1) << 44) - 1) /* MAX_BW */
/* The root's runtime is that of boot; later changes of the sysctl do not show in it. */
#define ROOT_RUNTIME_NS 950000000u
#define ROOT_PERIOD_NS 1000000000u

/* A change, and what the machine says about it. */
struct rt_change {
	struct cpu_rt_bandwidth wanted;
	struct machine_rt_limits limits;
	bool has_rt_tasks;
};

int cpu_rt_init(struct cgroup *cgroup, struct cpu *cpu)
{
	struct machine_rt_limits limits;
	int error;

	if (cgroup->parent) {
		cpu->rt.period_ns = cpu_of(cgroup->hierarchy->root)->rt_default_period_ns;
		return 0;
	}
	error = machine_rt_limits(cgroup_tree(cgroup)->machine, &limits);
	if (error)
		return error;
	cpu->rt.period_ns = ROOT_PERIOD_NS;
	cpu->rt.runtime_ns = ROOT_RUNTIME_NS;
	cpu->rt_default_period_ns = (uint64_t)limits.period_us * NSEC_PER_USEC;
	return 0;
}

static bool is_rt_task(pid_t tid)
{
	int policy = sched_getscheduler(tid);

	if (policy < 0)
		return false;
	policy &= ~SCHED_RESET_ON_FORK;
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* tg_has_rt_tasks; takes no tree lock, the tasks are looked at. */
static bool has_rt_tasks(struct cgroup *cgroup)
{
	struct task_list list;
	bool found = false;

	if (accounting_list(&cgroup->group, &list))
		return false;
	for (size_t i = 0; i < list.count && !found; i++)
		found = is_rt_task(list.tasks[i].tid);
	free(list.tasks);
	return found;
}

int cpu_rt_can_attach(struct cgroup *cgroup, const struct task_list *tasks,
		      const struct caller *caller)
{
	(void)caller;
	if (cpu_of(cgroup)->rt.runtime_ns)
		return 0;
	for (size_t i = 0; i < tasks->count; i++) {
		if (is_rt_task(tasks->tasks[i].tid))
			return -EINVAL;
	}
	return 0;
}

static uint64_t rt_ratio(const struct cgroup *cgroup)
{
	const struct cpu_rt_bandwidth *rt = &cpu_of(cgroup)->rt;

	return cpu_ratio(rt->period_ns, rt->runtime_ns);
}

static uint64_t global_ratio(const struct machine_rt_limits *limits)
{
	if (limits->runtime_us < 0)
		return cpu_ratio(0, RUNTIME_INF);
	return cpu_ratio((uint64_t)limits->period_us, (uint64_t)limits->runtime_us);
}

/* tg_rt_schedulable: children share what their parent has, nobody has more than all together. */
static int check_cgroup(const struct cgroup *cgroup, uint64_t global)
{
	const struct cpu_rt_bandwidth *rt = &cpu_of(cgroup)->rt;
	uint64_t total = rt_ratio(cgroup), sum = 0;
	const struct cgroup *child;

	if (rt->runtime_ns > rt->period_ns && rt->runtime_ns != RUNTIME_INF)
		return -EINVAL;
	if (total > global)
		return -EINVAL;
	cgroup_for_each_child(child, cgroup)
		sum += rt_ratio(child);
	return sum > total ? -EINVAL : 0;
}

/* The whole tree, as the kernel: the global limit may have changed since. */
static int check_schedulable(const struct hierarchy *hierarchy,
			     const struct machine_rt_limits *limits)
{
	uint64_t global = global_ratio(limits);
	struct cgroup *position;
	int error;

	cgroup_for_each_descendant(position, hierarchy->root) {
		error = check_cgroup(position, global);
		if (error)
			return error;
	}
	return 0;
}

/* tg_set_rt_bandwidth */
static int set_bandwidth(struct cgroup *cgroup, const struct rt_change *change)
{
	struct cpu *cpu = cpu_of(cgroup);
	struct cpu_rt_bandwidth previous = cpu->rt;
	uint64_t runtime_ns = change->wanted.runtime_ns;
	int error;

	if (cgroup_is_root(cgroup) && runtime_ns == 0)
		return -EINVAL;
	if (change->wanted.period_ns == 0)
		return -EINVAL;
	if (runtime_ns != RUNTIME_INF && runtime_ns > MAX_RT_RUNTIME_NS)
		return -EINVAL;
	if (change->limits.runtime_us >= 0 && !runtime_ns && previous.runtime_ns &&
	    change->has_rt_tasks)
		return -EBUSY;
	cpu->rt = change->wanted;
	error = check_schedulable(cgroup->hierarchy, &change->limits);
	if (error)
		cpu->rt = previous;
	return error;
}

/* Remembers the period that cgroups made from now on start with. */
static void note_default_period(const struct cgroup *cgroup, const struct machine_rt_limits *limits)
{
	cpu_of(cgroup->hierarchy->root)->rt_default_period_ns =
		(uint64_t)limits->period_us * NSEC_PER_USEC;
}

uint64_t cpu_rt_period_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return cpu_of(cgroup)->rt.period_ns / NSEC_PER_USEC;
}

int cpu_rt_period_write(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	struct rt_change change = { .has_rt_tasks = false };
	uint64_t period_us;
	int error = number_parse_u64(text, 0, &period_us);

	if (error)
		return error;
	if (period_us > UINT64_MAX / NSEC_PER_USEC)
		return -EINVAL;
	error = machine_rt_limits(tree->machine, &change.limits);
	if (error)
		return error;
	tree_write_lock(tree);
	note_default_period(cgroup, &change.limits);
	change.wanted.period_ns = period_us * NSEC_PER_USEC;
	change.wanted.runtime_ns = cpu_of(cgroup)->rt.runtime_ns;
	error = cgroup->dead ? -ENODEV : set_bandwidth(cgroup, &change);
	tree_unlock(tree);
	return error;
}

int64_t cpu_rt_runtime_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	uint64_t runtime_ns = cpu_of(cgroup)->rt.runtime_ns;

	(void)file;
	return runtime_ns == RUNTIME_INF ? -1 : (int64_t)(runtime_ns / NSEC_PER_USEC);
}

int cpu_rt_runtime_write(const struct request *request, char *text)
{
	struct cgroup *cgroup = request->cgroup;
	struct tree *tree = cgroup_tree(cgroup);
	struct rt_change change;
	int64_t runtime_us;
	int error = number_parse_s64(text, 0, &runtime_us);

	if (error)
		return error;
	if (runtime_us > (int64_t)(UINT64_MAX / NSEC_PER_USEC))
		return -EINVAL;
	change.wanted.runtime_ns =
		runtime_us < 0 ? RUNTIME_INF : (uint64_t)runtime_us * NSEC_PER_USEC;
	error = machine_rt_limits(tree->machine, &change.limits);
	if (error)
		return error;
	change.has_rt_tasks = runtime_us == 0 && has_rt_tasks(cgroup);
	tree_write_lock(tree);
	note_default_period(cgroup, &change.limits);
	change.wanted.period_ns = cpu_of(cgroup)->rt.period_ns;
	error = cgroup->dead ? -ENODEV : set_bandwidth(cgroup, &change);
	tree_unlock(tree);
	return error;
}
