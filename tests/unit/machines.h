/* SPDX-License-Identifier: MIT */
/* The machines that files were recorded on, and the one we run on. */
#ifndef MACHINES_H
#define MACHINES_H

#include "fixture.h"

#include "machine.h"

static struct machine *linux_machine, *gvisor_machine, *live_machine;

/* A group's set-up and tear-down. */
static inline int open_machines(void **state)
{
	(void)state;
	linux_machine = machine_open(FIXTURES "/linux");
	gvisor_machine = machine_open(FIXTURES "/gvisor");
	live_machine = machine_open("/");
	return !linux_machine || !gvisor_machine || !live_machine;
}

static inline int close_machines(void **state)
{
	(void)state;
	machine_close(linux_machine);
	machine_close(gvisor_machine);
	machine_close(live_machine);
	machine_close(NULL);
	return 0;
}

#endif
