/* Settings of the machine below /proc/sys. */
#include "machine_sysctl.h"

#include "internal.h"

#define SWAPPINESS_DEFAULT 60 /* mm/vmscan.c vm_swappiness */

unsigned int machine_swappiness(const struct machine *machine)
{
	uint64_t value;

	return file_read_u64(machine->proc, "sys/vm/swappiness", &value) ? value
									 : SWAPPINESS_DEFAULT;
}
