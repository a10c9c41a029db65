/* SPDX-License-Identifier: MIT */
/*
 * Looking at the disks: what each has done that was given to no member yet. A disk that others are
 * made of (the file of a loop device, the parts of dm and md) has not done of itself what it did for
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "../ledger/disks.h"
#include "machine_block.h"
#include "machine_device.h"
#include "reading.h"

#define LOOK_EVERY 1000000u /* ns */
#define SOON 20000000u /* looks that come as soon after each other may be for two who read at once */
#define LEARN_EVERY 100000000u
#define TURN 30000000000u /* dirty pages are written after as long (vm.dirty_expire_centisecs) */
#define PARTS 16 /* of a disk that is made of others */

static struct disk *find_disk(const struct disks *disks, uint32_t device)
{
	for (size_t i = 0; i < disks->count; i++) {
		if (disks->disk[i].device == device)
			return &disks->disk[i];
	}
	return NULL;
}

static bool add_disk(struct disks *disks, uint32_t device)
{
	struct disk *disk = realloc(disks->disk, (disks->count + 1) * sizeof(*disk));
	struct disk_part *parts = realloc(disks->parts, (disks->count + 1) * sizeof(*parts));

	if (disk)
		disks->disk = disk;
	if (parts)
		disks->parts = parts;
	if (!disk || !parts)
		return false;
	disk[disks->count++] = (struct disk){.device = device};
	return true;
}

/* A disk as it is read, and what it has done since the last time. */
struct sight {
	uint32_t device;
	uint64_t seen[DIRECTIONS], requests[DIRECTIONS], grown[DIRECTIONS];
	uint64_t above[DIRECTIONS]; /* what the disks that it is a part of have */
	struct machine_block below[PARTS];
	unsigned parts;
};

/* What it is made of matters when it has done something. `looking` is held. */
static void see(const struct accounting *accounting, const struct machine_disk *read,
		struct sight *sight)
{
	const struct disk *disk;

	*sight = (struct sight){
		.device = machine_device(read->major, read->minor),
		.seen = {read->sectors_read * MACHINE_SECTOR_BYTES,
			 read->sectors_written * MACHINE_SECTOR_BYTES},
		.requests = {read->reads, read->writes},
	};
	disk = find_disk(accounting->disks, sight->device);
	for (enum direction i = READS; i < DIRECTIONS; i++) {
		sight->grown[i] = sight->seen[i];
		if (disk && disk->seen[i] <= sight->seen[i]) /* else it went, and came up anew */
			sight->grown[i] -= disk->seen[i];
	}
	if (sight->grown[READS] + sight->grown[WRITES])
		sight->parts = machine_block_below(accounting->machine, read->major, read->minor,
						   sight->below, PARTS);
}

static struct sight *see_all(const struct accounting *accounting, size_t *count)
{
	struct machine_disks read = {0};
	struct sight *sights;

	assert_locked(&accounting->looking);
	if (machine_disks(accounting->machine, &read))
		return NULL;
	machine_disks_drop_partitions(accounting->machine, &read);
	sights = calloc(read.nr + 1, sizeof(*sights));
	*count = sights ? read.nr : 0;
	for (size_t i = 0; i < *count; i++)
		see(accounting, &read.disk[i], &sights[i]);
	machine_disks_free(&read);
	return sights;
}

/* What was fresh is so no more; what nobody has claimed for long is forgotten. */
static void grow_stale(struct disks *disks, uint64_t now)
{
	bool forgets = now - disks->turned_at >= TURN;

	if (forgets)
		disks->turned_at = now;
	for (size_t at = 0; at < disks->count; at++) {
		struct disk *disk = &disks->disk[at];

		for (enum direction i = READS; i < DIRECTIONS; i++) {
			disk->late[i] = disk->fresh[i] + (forgets ? 0 : disk->late[i]);
			disk->fresh[i] = 0;
			if (forgets)
				disk->expected[i] = 0;
		}
	}
}

/* What a disk is made of did the same for it. */
static void note_above(struct sight *sights, size_t count, const struct sight *sight)
{
	for (unsigned part = 0; part < sight->parts; part++) {
		uint32_t device = machine_device(sight->below[part].major, sight->below[part].minor);

		for (size_t i = 0; i < count; i++) {
			if (sights[i].device != device)
				continue;
			sights[i].above[READS] += sight->grown[READS];
			sights[i].above[WRITES] += sight->grown[WRITES];
		}
	}
}

static void note_sight(struct disk *disk, const struct sight *sight)
{
	for (enum direction i = READS; i < DIRECTIONS; i++) {
		uint64_t above = sight->above[i], grown = sight->grown[i];
		uint64_t own = grown > above ? grown - above : 0;
		uint64_t expected = own < disk->expected[i] ? own : disk->expected[i];

		disk->expected[i] -= expected;
		disk->fresh[i] += own - expected;
		disk->own[i] += own;
		disk->seen[i] = sight->seen[i];
		disk->requests[i] = sight->requests[i];
	}
}

/* What the disks did is from here on anybody's. */
static void forget_past(struct disks *disks)
{
	for (size_t at = 0; at < disks->count; at++) {
		struct disk *disk = &disks->disk[at];

		memset(disk->fresh, 0, sizeof(disk->fresh));
		memset(disk->late, 0, sizeof(disk->late));
		memset(disk->expected, 0, sizeof(disk->expected));
	}
}

/* The mean size of the machine's requests of late. */
static void learn_request_size(struct accounting *accounting, uint64_t now)
{
	struct disks *disks = accounting->disks;

	if (disks->learned_at && now - disks->learned_at < LEARN_EVERY)
		return;
	disks->learned_at = now;
	for (enum direction i = READS; i < DIRECTIONS; i++) {
		uint64_t bytes = 0, requests = 0;

		for (size_t at = 0; at < disks->count; at++) {
			bytes += disks->disk[at].seen[i];
			requests += disks->disk[at].requests[i];
		}
		if (requests > disks->learned_requests[i] && bytes > disks->learned_bytes[i])
			accounting->request_bytes[i] = (bytes - disks->learned_bytes[i]) /
						       (requests - disks->learned_requests[i]);
		disks->learned_bytes[i] = bytes;
		disks->learned_requests[i] = requests;
	}
}

/* Both `looking` and the lock are held. */
static void note_all(struct accounting *accounting, struct sight *sights, size_t count,
		     uint64_t now)
{
	struct disks *disks = accounting->disks;
	bool is_first = !disks->looked_at;

	assert_locked(&accounting->looking);
	assert_locked(&accounting->lock);
	if (now - disks->looked_at > SOON)
		grow_stale(disks, now);
	for (size_t i = 0; i < count; i++) {
		if (!find_disk(disks, sights[i].device) && !add_disk(disks, sights[i].device))
			return; /* it is seen next time */
	}
	for (size_t i = 0; i < count; i++)
		note_above(sights, count, &sights[i]);
	for (size_t i = 0; i < count; i++)
		note_sight(find_disk(disks, sights[i].device), &sights[i]);
	if (is_first)
		forget_past(disks);
	disks->looked_at = now;
	learn_request_size(accounting, now);
}

static bool tracks_io(struct accounting *accounting)
{
	guard(&accounting->lock);
	return accounting->tracked & USAGE_IO;
}

static void look(struct accounting *accounting, bool anew)
{
	struct sight *sights;
	size_t count = 0;
	uint64_t now;

	if (!tracks_io(accounting))
		return;
	pthread_mutex_lock(&accounting->looking);
	now = now_ns();
	if (accounting->disks->looked_at && now - accounting->disks->looked_at < LOOK_EVERY && !anew) {
		pthread_mutex_unlock(&accounting->looking);
		return;
	}
	sights = see_all(accounting, &count);
	pthread_mutex_lock(&accounting->lock);
	if (sights)
		note_all(accounting, sights, count, now);
	if (anew)
		forget_past(accounting->disks);
	pthread_mutex_unlock(&accounting->lock);
	pthread_mutex_unlock(&accounting->looking);
	free(sights);
}

void disks_look(struct accounting *accounting)
{
	look(accounting, false);
}

void disks_start(struct accounting *accounting)
{
	look(accounting, true);
}
