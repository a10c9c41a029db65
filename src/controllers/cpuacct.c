/* SPDX-License-Identifier: MIT */
/* The cpuacct controller: processor time, used by a cgroup and all below it (kernel/sched/cpuacct.c). */
#include <errno.h>

#include "controller.h"
#include "machine.h"
#include "number.h"

/* What the files show: one figure of a CPU, or of all. NICE is part of USER, and not known of a child: 0. */
enum figure { USAGE, USER, SYSTEM, NICE, FIGURES };

/*
 * The root: kernel_cpustat, which is /proc/stat. The true run time is not to
 * be had; it comes close to the ticks, which leave out what the hypervisor
 * stole as the run time does (CONFIG_PARAVIRT_TIME_ACCOUNTING).
 */
static struct cpu_time root_time(const struct machine_cpu_time *time)
{
	return (struct cpu_time){
		.user = (time->user + time->nice) * MACHINE_TICK_NS,
		.system = (time->system + time->irq + time->softirq) * MACHINE_TICK_NS,
	};
}

/* For each possible CPU, and `add` adds it to what is printed. Offline ones read 0 in /proc/stat. */
typedef void (*add_cpu)(struct text *out, unsigned cpu, const uint64_t figures[FIGURES]);

static int measure_root(const struct tree *tree, struct text *out, add_cpu add, uint64_t sum[FIGURES])
{
	unsigned nr_cpu = accounting_nr_cpu(tree->accounting);
	struct machine_stat stat;
	int error = machine_stat(tree->machine, &stat);

	if (error)
		return error;
	for (unsigned i = 0; i < nr_cpu; i++) {
		static const struct machine_cpu_time offline;
		const struct machine_cpu_time *time = machine_stat_cpu(&stat, i);
		struct cpu_time root = root_time(time ? time : &offline);
		const uint64_t figures[FIGURES] = {root.user + root.system, root.user, root.system,
						   time ? time->nice * MACHINE_TICK_NS : 0};

		for (enum figure f = USAGE; f < FIGURES; f++)
			sum[f] += figures[f];
		if (add)
			add(out, i, figures);
	}
	machine_stat_free(&stat);
	return 0;
}

static int measure_child(struct group *group, struct text *out, add_cpu add, uint64_t sum[FIGURES])
{
	struct cpu_usage usage;
	int error = group_cpu_usage(group, &usage);

	for (unsigned i = 0; !error && i < usage.nr_cpu; i++) {
		const struct cpu_time *time = &usage.per_cpu[i];
		const uint64_t figures[FIGURES] = {time->user + time->system, time->user, time->system};

		for (enum figure f = USAGE; f < FIGURES; f++)
			sum[f] += figures[f];
		if (add)
			add(out, i, figures);
	}
	cpu_usage_free(&usage);
	return error;
}

static int measure(const struct request *request, struct text *out, add_cpu add, uint64_t sum[FIGURES])
{
	struct cgroup *cgroup = request->cgroup;

	if (cgroup_is_root(cgroup))
		return measure_root(cgroup_tree(cgroup), out, add, sum);
	return measure_child(&cgroup->group, out, add, sum);
}

/* Figures of all CPUs, which one file has: a child's by the kernel's own cgroup below it, if there is one. */
static bool are_told(const struct request *request, enum native_figure first, unsigned count,
		     uint64_t values[])
{
	return !cgroup_is_root(request->cgroup) &&
	       group_native_figures(&request->cgroup->group, first, count, values);
}

/* usage, usage_user, usage_sys */
static int usage_measure(const struct request *request, struct text *out)
{
	static const enum native_figure native[] = {
		[USAGE] = NATIVE_CPU, [USER] = NATIVE_CPU_USER, [SYSTEM] = NATIVE_CPU_SYSTEM};
	const enum figure figure = request->file->type->private;
	uint64_t sum[FIGURES] = {0};
	int error = 0;

	if (!are_told(request, native[figure], 1, &sum[figure]))
		error = measure(request, out, NULL, sum);
	if (!error)
		text_printf(out, "%lu\n", sum[figure]);
	return error;
}

static void add_usage(struct text *out, unsigned cpu, const uint64_t figures[FIGURES])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[USAGE]);
}

static void add_user(struct text *out, unsigned cpu, const uint64_t figures[FIGURES])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[USER]);
}

static void add_system(struct text *out, unsigned cpu, const uint64_t figures[FIGURES])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[SYSTEM]);
}

/* usage_percpu, usage_percpu_user, usage_percpu_sys */
static int percpu_measure(const struct request *request, struct text *out)
{
	static const add_cpu adders[] = {add_usage, add_user, add_system};
	uint64_t sum[FIGURES] = {0};
	int error = measure(request, out, adders[request->file->type->private], sum);

	text_add(out, "\n");
	return error;
}

static void add_row(struct text *out, unsigned cpu, const uint64_t figures[FIGURES])
{
	text_printf(out, "%u %lu %lu\n", cpu, figures[USER], figures[SYSTEM]);
}

static int usage_all_measure(const struct request *request, struct text *out)
{
	uint64_t sum[FIGURES] = {0};

	text_add(out, "cpu user system\n");
	return measure(request, out, add_row, sum);
}

static int stat_measure(const struct request *request, struct text *out)
{
	uint64_t sum[FIGURES] = {0}, ticks[2]; /* user, system */
	int error;

	if (!are_told(request, NATIVE_TICKS_USER, 2, ticks)) {
		error = measure(request, out, NULL, sum);
		if (error)
			return error;
		ticks[0] = sum[USER] / MACHINE_TICK_NS;
		ticks[1] = sum[SYSTEM] / MACHINE_TICK_NS;
	}
	text_add_pair(out, "user", ticks[0]);
	text_add_pair(out, "system", ticks[1]);
	return 0;
}

/* cpuusage_write(): 0 resets, but for the root, where it does nothing. */
static int usage_act(const struct request *request, char *text)
{
	uint64_t value;
	int error = number_parse_u64(text, 0, &value);

	if (error)
		return error;
	if (value)
		return -EINVAL;
	return cgroup_is_root(request->cgroup) ? 0 : group_cpu_reset(&request->cgroup->group);
}

/* --- cpu.stat of v2, which every cgroup has (cgroup_base_stat_cputime_show of kernel/cgroup/rstat.c) --- */

static void add_extra_stat(struct cgroup *cgroup, bool local, struct text *out)
{
	const struct controller *const *list = cgroup->hierarchy->controllers;
	struct tree *tree = cgroup_tree(cgroup);

	for (; *list; list++) {
		bool has;

		tree_read_lock(tree);
		has = cgroup_has_css(cgroup, *list);
		tree_unlock(tree);
		if (has && (*list)->css_extra_stat)
			(*list)->css_extra_stat(cgroup, local, out);
	}
}

static int dfl_stat_measure(const struct request *request, struct text *out)
{
	uint64_t sum[FIGURES] = {0};
	int error = measure(request, out, NULL, sum);

	if (error)
		return error;
	text_add_pair(out, "usage_usec", sum[USAGE] / 1000);
	text_add_pair(out, "user_usec", sum[USER] / 1000);
	text_add_pair(out, "system_usec", sum[SYSTEM] / 1000);
	text_add_pair(out, "nice_usec", sum[NICE] / 1000);
	add_extra_stat(request->cgroup, false, out);
	return 0;
}

static int dfl_stat_local_measure(const struct request *request, struct text *out)
{
	add_extra_stat(request->cgroup, true, out);
	return 0;
}

/* All figures are accounting's or the machine's: there is no state. */
static int cpuacct_init(struct cgroup *cgroup, void *state)
{
	(void)state;
	if (cgroup_is_root(cgroup))
		accounting_track(cgroup_tree(cgroup)->accounting, cgroup->hierarchy->index, USAGE_CPU);
	return 0;
}

static const struct cftype files[] = {
	{.name = "usage", .private = USAGE, .measure = usage_measure, .act = usage_act},
	{.name = "usage_user", .private = USER, .measure = usage_measure},
	{.name = "usage_sys", .private = SYSTEM, .measure = usage_measure},
	{.name = "usage_percpu", .private = USAGE, .measure = percpu_measure},
	{.name = "usage_percpu_user", .private = USER, .measure = percpu_measure},
	{.name = "usage_percpu_sys", .private = SYSTEM, .measure = percpu_measure},
	{.name = "usage_all", .measure = usage_all_measure},
	{.name = "stat", .measure = stat_measure},
	{0},
};

static const struct cftype dfl_files[] = {
	{.name = "cpu.stat", .flags = CFTYPE_NO_PREFIX, .measure = dfl_stat_measure},
	{.name = "cpu.stat.local", .flags = CFTYPE_NO_PREFIX, .measure = dfl_stat_local_measure},
	{0},
};

const struct controller cpuacct_controller = {
	.name = "cpuacct",
	.legacy_files = files,
	.dfl_files = dfl_files,
	.threaded = true,
	.unlisted_on_dfl = true,
	.css_init = cpuacct_init,
};
