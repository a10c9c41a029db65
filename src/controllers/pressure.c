/* SPDX-License-Identifier: MIT */
/*
 * Pressure stall information of v2: cpu.pressure and its like, which every cgroup has
 * (kernel/cgroup/cgroup.c cgroup_psi_files, kernel/sched/psi.c). The root's is the machine's. How long a
 * cgroup's own tasks waited is told of none of them: its figures are 0.
 */
#include <errno.h>
#include <string.h>

#include "controller.h"
#include "machine_pressure.h"
#include "number.h"

#define WINDOW_MAX_US 10000000u
#define WINDOW_UNPRIVILEGED_US 2000000u /* for others than root, windows are multiples of it */

static const char *resource_of(const struct cgroup_file *file)
{
	return machine_pressure_names[file->instance];
}

/* Time that interrupts take is lost to whatever the CPU runs: there is only "full" of it (psi_show). */
static bool has_some(const struct cgroup_file *file)
{
	return strcmp(resource_of(file), "irq") != 0;
}

static int pressure_measure(const struct request *request, struct text *out)
{
	struct cgroup *cgroup = request->cgroup;

	if (cgroup_is_root(cgroup))
		return machine_pressure(cgroup_tree(cgroup)->machine, resource_of(request->file), out);
	if (has_some(request->file))
		text_add(out, "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	text_add(out, "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	return 0;
}

/* "%u" of the kernel's sscanf, moved past. */
static bool scan_u32(const char **text, uint32_t *value)
{
	const char *start = text_skip_spaces(*text), *end;

	if (*start < '0' || *start > '9')
		return false;
	*value = (uint32_t)number_simple_u64(start, 10, &end);
	*text = end;
	return true;
}

/* A trigger is one open file's, and may be set once (pressure_write, psi_trigger_create). */
static int pressure_store(const struct request *request, char *text)
{
	const char *rest = text + strlen("some");
	uint32_t threshold_us, window_us;

	if (request->opened && *request->opened)
		return -EBUSY;
	if (strncmp(text, "full", strlen("full")) &&
	    (!has_some(request->file) || strncmp(text, "some", strlen("some"))))
		return -EINVAL;
	if (!scan_u32(&rest, &threshold_us) || !scan_u32(&rest, &window_us))
		return -EINVAL;
	if (request->caller.uid && window_us % WINDOW_UNPRIVILEGED_US)
		return -EINVAL;
	if (!window_us || window_us > WINDOW_MAX_US || !threshold_us || threshold_us > window_us)
		return -EINVAL;
	if (request->opened)
		*request->opened = 1;
	return 0;
}

/* Those that the machine accounts; names and places are machine_pressure_names'. */
static const char *const *pressure_instances(struct tree *tree)
{
	static const char *list[MACHINE_PRESSURES + 1];
	unsigned count = 0;

	while (count < MACHINE_PRESSURES &&
	       machine_has_pressure(tree->machine, machine_pressure_names[count])) {
		list[count] = machine_pressure_names[count];
		count++;
	}
	list[count] = NULL;
	return list;
}

static const struct cftype dfl_files[] = {
	{.name = "pressure", .flags = CFTYPE_PRESSURE, .measure = pressure_measure, .store = pressure_store},
	{0},
};

const struct controller pressure_controller = {
	.name = "pressure",
	.prefix = "",
	.dfl_files = dfl_files,
	.threaded = true,
	.unlisted_on_dfl = true,
	.instances = pressure_instances,
};
