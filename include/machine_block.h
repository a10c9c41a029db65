/* SPDX-License-Identifier: MIT */
/*
 * The queue of a disk, and what is below it. See machine.h for what holds for every function.
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
/* Whether the disk turns: /sys/dev/block/MAJ:MIN/queue/rotational. False without it. */
bool machine_block_is_rotational(const struct machine *machine, unsigned int major, unsigned int minor);
/* The same as machine_block_has_scheduler() of the file's text: "none [mq-deadline] kyber bfq". */
bool machine_parse_scheduler(const char *text, size_t len, const char *name);

struct machine_block {
	unsigned int major, minor;
};

/* The text of /sys/dev/block/MAJ:MIN/dev: "8:1", and whatever follows. False: something else. */
bool machine_parse_block(const char *text, size_t len, struct machine_block *block);

/*
 * The whole disks that a block device is made of, in *below, at most `max`: the slaves of dm and md
 * (/sys/dev/block/MAJ:MIN/slaves, block/holder.c), and where a loop device's file is (its
 * backing_file, if the path leads us there, and to a filesystem on one device). How many: 0 for a
 * disk that is nothing but itself, and without /sys.
 */
unsigned int machine_block_below(const struct machine *machine, unsigned int major,
				 unsigned int minor, struct machine_block *below, unsigned int max);

#endif
