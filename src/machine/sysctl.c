/* SPDX-License-Identifier: MIT */
/* Settings of the machine below /proc/sys. */
#include "machine_sysctl.h"

#include <errno.h>

#include "internal.h"

#define SWAPPINESS_DEFAULT 60 /* mm/vmscan.c vm_swappiness */

int machine_swappiness(const struct machine *machine, unsigned int *swappiness)
{
	uint64_t value = SWAPPINESS_DEFAULT;
	int error = file_read_u64(machine->proc, "sys/vm/swappiness", &value);

	if (error && error != -ENOENT)
		return error;
	*swappiness = value;
	return 0;
}
