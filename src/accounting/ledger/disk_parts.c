/* SPDX-License-Identifier: MIT */
/*
 * Which disks members read from and wrote to. /proc has a process' bytes, and what each disk did for
 * everybody. So members' bytes are given to the disks by what each has done of late that was given
 * to none yet, first to those that the cgroup uses. What no disk was seen to do (a buffered write
 * reaches one later) is given by the cgroup's habit, or the machine's since boot, and expected of the
 * disk then.
 */
#include <stdlib.h>

#include "disks.h"
#include "machine_device.h"

struct disks *disks_new(void)
{
	return calloc(1, sizeof(struct disks));
}

void disks_free(struct disks *disks)
{
	free(disks->disk);
	free(disks->parts);
	free(disks);
}

#define LITTLE 16u /* who has less than one part in so many of the mean over all disks is not used */

static uint64_t *part_of(struct disks *disks, size_t at, enum direction i)
{
	struct io_usage *part = &disks->parts[at].usage;

	return i == READS ? &part->read_bytes : &part->write_bytes;
}

/* On which ground bytes go to a disk, best first. */
enum ground {
	GROUND_OWN_FRESH, /* it did so much just now, and is one that the group uses */
	GROUND_FRESH, /* it did so much just now */
	GROUND_OWN_LATE, /* the same of what it did before */
	GROUND_LATE,
	GROUND_HABIT, /* the group has used it; if it has used none, everybody has */
	GROUNDS
};

/* For whom the bytes of a direction are given. */
struct gift {
	struct disks *disks;
	const struct usage *usage; /* of the group, or NULL */
	enum direction direction;
	uint64_t history, own; /* bytes that the group has had of all disks, and that these did since boot */
	bool is_mostly_given;
};

/* What the group has had of a disk by now; or, once most of a gift is given, of this gift. */
static uint64_t history_of(const struct gift *gift, size_t at)
{
	uint64_t bytes = *part_of(gift->disks, at, gift->direction);

	for (size_t i = 0; !gift->is_mostly_given && gift->usage && i < gift->usage->disk_count; i++) {
		const struct io_usage *local = &gift->usage->disks[i].local;

		if (gift->usage->disks[i].device == gift->disks->disk[at].device)
			bytes += gift->direction == READS ? local->read_bytes : local->write_bytes;
	}
	return bytes;
}

static void sum_history(struct gift *gift)
{
	gift->history = gift->own = 0;
	for (size_t at = 0; at < gift->disks->count; at++) {
		gift->history += history_of(gift, at);
		gift->own += gift->disks->disk[at].own[gift->direction];
	}
}

static uint64_t little_of(uint64_t all, const struct disks *disks)
{
	return all / (LITTLE * disks->count);
}

static uint64_t weight_of(const struct gift *gift, enum ground ground, size_t at)
{
	const struct disk *disk = &gift->disks->disk[at];
	enum direction i = gift->direction;
	uint64_t history = history_of(gift, at);
	bool is_used = history > little_of(gift->history, gift->disks);

	switch (ground) {
	case GROUND_OWN_FRESH:
		return is_used ? disk->fresh[i] : 0;
	case GROUND_FRESH:
		return disk->fresh[i];
	case GROUND_OWN_LATE:
		return is_used ? disk->late[i] : 0;
	case GROUND_LATE:
		return disk->late[i];
	default:
		if (gift->history)
			return is_used ? history : 0;
		return disk->own[i] > little_of(gift->own, gift->disks) ? disk->own[i] : 0;
	}
}

static uint64_t sum_of_weights(const struct gift *gift, enum ground ground)
{
	uint64_t sum = 0;

	for (size_t at = 0; at < gift->disks->count; at++)
		sum += weight_of(gift, ground, at);
	return sum;
}

static void give_part(const struct gift *gift, enum ground ground, size_t at, uint64_t bytes)
{
	struct disk *disk = &gift->disks->disk[at];
	enum direction i = gift->direction;
	uint64_t *from = ground <= GROUND_FRESH ? &disk->fresh[i] : &disk->late[i];

	*part_of(gift->disks, at, i) += bytes;
	if (ground == GROUND_HABIT)
		disk->expected[i] += bytes;
	else
		*from -= bytes < *from ? bytes : *from; /* rounding may take more */
}

static uint64_t whole_sectors(uint64_t bytes)
{
	return bytes - bytes % MACHINE_SECTOR_BYTES;
}

/* Gives whole sectors by weight; the heaviest disk, or the first, takes what rounding leaves. */
static void give(const struct gift *gift, enum ground ground, uint64_t bytes, uint64_t all)
{
	uint64_t most = 0, left = bytes;
	size_t heaviest = 0;

	for (size_t at = 0; at < gift->disks->count; at++) {
		uint64_t weight = weight_of(gift, ground, at);
		uint64_t part = whole_sectors(number_scale(bytes, weight, all));

		if (weight > most) {
			most = weight;
			heaviest = at;
		}
		give_part(gift, ground, at, part);
		left -= part;
	}
	give_part(gift, ground, heaviest, left);
}

static void give_bytes(struct disks *disks, const struct usage *usage, enum direction i,
		       uint64_t bytes)
{
	struct gift gift = {.disks = disks, .usage = usage, .direction = i};
	const uint64_t half = bytes / 2;

	for (enum ground ground = 0; ground < GROUNDS && bytes; ground++) {
		uint64_t all, now;

		gift.is_mostly_given = bytes <= half;
		sum_history(&gift);
		all = sum_of_weights(&gift, ground);
		now = ground == GROUND_HABIT || bytes < all ? bytes : whole_sectors(all);
		if (!now)
			continue;
		give(&gift, ground, now, all);
		bytes -= now;
	}
}

/* Requests go with the bytes; the disk that got most of these takes what rounding leaves. */
static void give_requests(struct disks *disks, enum direction i, uint64_t requests, uint64_t bytes)
{
	uint64_t left = requests;
	size_t most = 0;

	for (size_t at = 0; at < disks->count; at++) {
		struct io_usage *part = &disks->parts[at].usage;
		uint64_t own = number_scale(requests, *part_of(disks, at, i), bytes);

		*(i == READS ? &part->read_ios : &part->write_ios) = own;
		left -= own;
		if (*part_of(disks, at, i) > *part_of(disks, most, i))
			most = at;
	}
	*(i == READS ? &disks->parts[most].usage.read_ios
		     : &disks->parts[most].usage.write_ios) += left;
}

const struct disk_part *disks_give(struct disks *disks, const struct usage *usage,
				   const struct counters *delta, size_t *count)
{
	*count = delta->value[COUNTER_READ] || delta->value[COUNTER_WRITTEN] ? disks->count : 0;
	for (size_t at = 0; at < *count; at++)
		disks->parts[at] = (struct disk_part){.device = disks->disk[at].device};
	for (enum direction i = READS; i < DIRECTIONS && *count; i++) {
		uint64_t bytes = delta->value[COUNTER_READ + i];

		give_bytes(disks, usage, i, bytes);
		give_requests(disks, i, delta->value[COUNTER_READS + i], bytes);
	}
	return disks->parts;
}
