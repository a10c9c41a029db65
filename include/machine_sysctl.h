/* SPDX-License-Identifier: MIT */
/* Settings of the machine below /proc/sys. See machine.h for what holds for every function. */
#ifndef MACHINE_SYSCTL_H
#define MACHINE_SYSCTL_H

#include "machine.h"

/* vm.swappiness, 0 to 200 (Documentation/admin-guide/sysctl/vm.rst); 60, the kernel's default,
 * where the file is missing. 0 or a negative errno. */
int machine_swappiness(const struct machine *machine, unsigned int *swappiness);

#endif
