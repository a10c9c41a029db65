/* The cpuacct controller: processor time, used by a cgroup and all below it (kernel/sched/cpuacct.c). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "controller.h"
#include "machine.h"
#include "number.h"

struct cpuacct {
	/* What cpuacct.stat of the root showed last: neither part ever goes back (prev_cputime). */
	pthread_mutex_t lock; /* of `shown` */
	struct cpu_time shown;
};

/* What the files show: one figure of a CPU, or of all. */
enum figure { USAGE, USER, SYSTEM };

static struct cpuacct *cpuacct_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &cpuacct_controller);
}

/*
 * The root: kernel_cpustat, which is /proc/stat. Its true run time is not to
 * be had; the ticks, with those that the hypervisor stole, come close.
 */
struct root_time {
	struct cpu_time ticks; /* cpuacct.usage_user and usage_sys, ns */
	uint64_t usage; /* ns */
};

static struct root_time root_time(const struct machine_cpu_time *time)
{
	struct root_time root = {
		.ticks.user = (time->user + time->nice) * MACHINE_TICK_NS,
		.ticks.system = (time->system + time->irq + time->softirq) * MACHINE_TICK_NS,
	};

	root.usage = root.ticks.user + root.ticks.system + time->steal * MACHINE_TICK_NS;
	return root;
}

/* For each possible CPU, and `add` adds it to what is printed. Offline ones read 0 in /proc/stat. */
typedef void (*add_cpu)(struct text *out, unsigned cpu, const uint64_t figures[3]);

static int measure_root(const struct machine *machine, struct text *out, add_cpu add,
			uint64_t sum[3])
{
	struct machine_stat stat;
	struct bitmap *cpus;
	int error = machine_stat(machine, &stat);

	if (error)
		return error;
	error = machine_cpus(machine, MACHINE_CPUS_POSSIBLE, &cpus);
	for (unsigned i = 0; !error && i < cpus->nr; i++) {
		static const struct machine_cpu_time offline;
		const struct machine_cpu_time *time = machine_stat_cpu(&stat, i);
		struct root_time root = root_time(time ? time : &offline);
		const uint64_t figures[] = {root.usage, root.ticks.user, root.ticks.system};

		if (!bitmap_test(cpus, i))
			continue;
		for (enum figure f = USAGE; f <= SYSTEM; f++)
			sum[f] += figures[f];
		if (add)
			add(out, i, figures);
	}
	if (!error)
		bitmap_free(cpus);
	machine_stat_free(&stat);
	return error;
}

static int measure_child(struct group *group, struct text *out, add_cpu add, uint64_t sum[3])
{
	struct cpu_usage usage;
	int error = group_cpu_usage(group, &usage);

	for (unsigned i = 0; !error && i < usage.nr_cpu; i++) {
		const struct cpu_time *time = &usage.per_cpu[i];
		const uint64_t figures[] = {time->user + time->system, time->user, time->system};

		for (enum figure f = USAGE; f <= SYSTEM; f++)
			sum[f] += figures[f];
		if (add)
			add(out, i, figures);
	}
	cpu_usage_free(&usage);
	return error;
}

static int measure(const struct request *request, struct text *out, add_cpu add, uint64_t sum[3])
{
	struct cgroup *cgroup = request->cgroup;

	if (cgroup_is_root(cgroup))
		return measure_root(cgroup_tree(cgroup)->machine, out, add, sum);
	return measure_child(&cgroup->group, out, add, sum);
}

/* usage, usage_user, usage_sys */
static int usage_measure(const struct request *request, struct text *out)
{
	uint64_t sum[3] = {0};
	int error = measure(request, out, NULL, sum);

	if (!error)
		text_printf(out, "%lu\n", sum[request->file->type->private]);
	return error;
}

static void add_usage(struct text *out, unsigned cpu, const uint64_t figures[3])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[USAGE]);
}

static void add_user(struct text *out, unsigned cpu, const uint64_t figures[3])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[USER]);
}

static void add_system(struct text *out, unsigned cpu, const uint64_t figures[3])
{
	(void)cpu;
	text_printf(out, "%lu ", figures[SYSTEM]);
}

/* usage_percpu, usage_percpu_user, usage_percpu_sys */
static int percpu_measure(const struct request *request, struct text *out)
{
	static const add_cpu adders[] = {add_usage, add_user, add_system};
	uint64_t sum[3] = {0};
	int error = measure(request, out, adders[request->file->type->private], sum);

	text_add(out, "\n");
	return error;
}

static void add_row(struct text *out, unsigned cpu, const uint64_t figures[3])
{
	text_printf(out, "%u %lu %lu\n", cpu, figures[USER], figures[SYSTEM]);
}

static int usage_all_measure(const struct request *request, struct text *out)
{
	uint64_t sum[3] = {0};

	text_add(out, "cpu user system\n");
	return measure(request, out, add_row, sum);
}

/* cputime_adjust(): the run time in the ratio of the ticks, and neither part goes back. */
static struct cpu_time adjust_root(struct cpuacct *cpuacct, const uint64_t sum[3])
{
	uint64_t run = sum[USAGE], ticks = sum[USER] + sum[SYSTEM];
	struct cpu_time time;

	pthread_mutex_lock(&cpuacct->lock);
	time.system = ticks ? (uint64_t)((__uint128_t)run * sum[SYSTEM] / ticks) : 0;
	if (time.system < cpuacct->shown.system)
		time.system = cpuacct->shown.system;
	time.user = run > time.system ? run - time.system : 0;
	if (time.user < cpuacct->shown.user) {
		time.user = cpuacct->shown.user;
		time.system = run > time.user + cpuacct->shown.system ? run - time.user
								      : cpuacct->shown.system;
	}
	cpuacct->shown = time;
	pthread_mutex_unlock(&cpuacct->lock);
	return time;
}

static int stat_measure(const struct request *request, struct text *out)
{
	struct cpu_time time;
	uint64_t sum[3] = {0};
	int error = measure(request, out, NULL, sum);

	if (error)
		return error;
	time = (struct cpu_time){.user = sum[USER], .system = sum[SYSTEM]};
	if (cgroup_is_root(request->cgroup))
		time = adjust_root(cpuacct_of(request->cgroup), sum);
	text_add_pair(out, "user", time.user / MACHINE_TICK_NS);
	text_add_pair(out, "system", time.system / MACHINE_TICK_NS);
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

static void *cpuacct_alloc(struct cgroup *cgroup)
{
	struct tree *tree = cgroup_tree(cgroup);
	struct cpuacct *cpuacct = calloc(1, sizeof(*cpuacct));

	if (!cpuacct)
		return NULL;
	pthread_mutex_init(&cpuacct->lock, NULL);
	if (cgroup_is_root(cgroup))
		accounting_track(tree->accounting, cgroup->hierarchy->index, USAGE_CPU);
	return cpuacct;
}

static void cpuacct_free(void *state)
{
	struct cpuacct *cpuacct = state;

	pthread_mutex_destroy(&cpuacct->lock);
	free(cpuacct);
}

static const struct cftype files[] = {
	{.name = "usage", .private = USAGE, .measure = usage_measure, .act = usage_act},
	{.name = "usage_user", .private = USER, .measure = usage_measure},
	{.name = "usage_sys", .private = SYSTEM, .measure = usage_measure},
	{.name = "usage_percpu", .flags = CFTYPE_LIST, .private = USAGE, .measure = percpu_measure},
	{.name = "usage_percpu_user", .flags = CFTYPE_LIST, .private = USER,
	 .measure = percpu_measure},
	{.name = "usage_percpu_sys", .flags = CFTYPE_LIST, .private = SYSTEM,
	 .measure = percpu_measure},
	{.name = "usage_all", .flags = CFTYPE_LIST, .measure = usage_all_measure},
	{.name = "stat", .measure = stat_measure},
	{0},
};

const struct controller cpuacct_controller = {
	.name = "cpuacct",
	.legacy_files = files,
	.css_alloc = cpuacct_alloc,
	.css_free = cpuacct_free,
};
