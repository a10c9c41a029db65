/*
 * The queue of a disk. See machine.h for what holds for every function.
 */
#ifndef MACHINE_BLOCK_H
#define MACHINE_BLOCK_H

#include "machine.h"

/*
 * Whether `name` schedules the disk's I/O now: the name in brackets in
 * /sys/dev/block/MAJ:MIN/queue/scheduler (block/elevator.c elv_iosched_show()). False without it.
 */
bool machine_block_has_scheduler(const struct machine *machine, unsigned int major,
				 unsigned int minor, const char *name);
/* The same of the file's text: "none [mq-deadline] kyber bfq". */
bool machine_parse_scheduler(const char *text, size_t len, const char *name);

#endif
