/* SPDX-License-Identifier: MIT */
/*
 * /proc/pressure: how long tasks waited for a resource (kernel/sched/psi.c). See machine.h for what holds for
 * every function.
 */
#ifndef MACHINE_PRESSURE_H
#define MACHINE_PRESSURE_H

#include "machine.h"

struct text;

/* The resources' names; a machine that has one has all before it. */
#define MACHINE_PRESSURES 4
extern const char *const machine_pressure_names[MACHINE_PRESSURES];

/* Whether the machine accounts it: false without CONFIG_PSI, with psi=0, and in gVisor. */
bool machine_has_pressure(const struct machine *machine, const char *name);

/* Appends the file's text. 0 or a negative errno. */
int machine_pressure(const struct machine *machine, const char *name, struct text *out);

#endif
