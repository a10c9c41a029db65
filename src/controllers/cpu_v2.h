/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_CPU_V2_H
#define CONTROLLERS_CPU_V2_H

#include "controller.h"

extern const struct cftype cpu_dfl_files[];
/* The lines of cpu.stat, or of cpu.stat.local, that are the scheduler's. */
void cpu_extra_stat(struct cgroup *cgroup, bool local, struct text *out);

#endif
