/* SPDX-License-Identifier: MIT */
/* /proc/diskstats and /sys/dev/block */
#include "internal.h"

#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine_device.h"

/* The first numbers that every kernel since 2.6.25 has, and those of today's. */
enum { DISK_NUMBERS_MIN = 11, DISK_NUMBERS = 17 };

static bool parse_disk(struct span *line, struct machine_disk *disk, struct span *name)
{
	uint64_t major, minor, v[DISK_NUMBERS] = { 0 };
	int nr = 0;

	if (!span_u64(line, &major) || !span_u64(line, &minor) || !span_word(line, name) ||
	    major > UINT_MAX || minor > UINT_MAX)
		return false;
	while (nr < DISK_NUMBERS && span_u64(line, &v[nr]))
		nr++;
	if (nr < DISK_NUMBERS_MIN)
		return false;
	*disk = (struct machine_disk){
		.major = major, .minor = minor,
		.reads = v[0], .reads_merged = v[1], .sectors_read = v[2], .read_ms = v[3],
		.writes = v[4], .writes_merged = v[5], .sectors_written = v[6], .write_ms = v[7],
		.in_flight = v[8], .io_ms = v[9], .weighted_io_ms = v[10],
		.discards = v[11], .discards_merged = v[12], .sectors_discarded = v[13],
		.discard_ms = v[14], .flushes = v[15], .flush_ms = v[16],
	};
	return true;
}

int machine_parse_disks(const char *text, size_t len, struct machine_disks *disks)
{
	struct span rest = { text, text + len }, line, name;
	struct machine_disk *disk;
	size_t lines = 0, nr = 0;
	char *names;

	while (span_line(&rest, &line))
		lines++;
	/* One block: the disks, then the names, each shorter than its line. */
	disk = malloc(lines * sizeof(*disk) + len + 1);
	if (!disk)
		return -ENOMEM;
	names = (char *)(disk + lines);
	rest.at = text;
	while (span_line(&rest, &line)) {
		size_t name_len;

		if (!parse_disk(&line, &disk[nr], &name))
			continue;
		name_len = name.end - name.at;
		disk[nr++].name = memcpy(names, name.at, name_len);
		names[name_len] = '\0';
		names += name_len + 1;
	}
	*disks = (struct machine_disks){ disk, nr };
	return 0;
}

int machine_disks(const struct machine *machine, struct machine_disks *disks)
{
	struct file file;
	int error = file_read(machine->proc, "diskstats", FILE_RECORDS, &file);

	if (error)
		return error;
	error = machine_parse_disks(file.text, file.len, disks);
	file_free(&file);
	return error;
}

void machine_disks_free(struct machine_disks *disks)
{
	free(disks->disk);
	*disks = (struct machine_disks){ 0 };
}

static bool sys_exists(const struct machine *machine, const char *path)
{
	return machine->sys >= 0 && !faccessat(machine->sys, path, F_OK, 0);
}

static bool listed(const struct machine *machine, unsigned int major, unsigned int minor)
{
	struct machine_disks disks;
	bool found = false;

	if (machine_disks(machine, &disks))
		return false;
	for (size_t i = 0; i < disks.nr && !found; i++)
		found = disks.disk[i].major == major && disks.disk[i].minor == minor;
	machine_disks_free(&disks);
	return found;
}

bool machine_block_exists(const struct machine *machine, unsigned int major, unsigned int minor)
{
	char path[64];

	snprintf(path, sizeof(path), "dev/block/%u:%u", major, minor);
	if (sys_exists(machine, path))
		return true;
	return !sys_exists(machine, "dev/block") && listed(machine, major, minor);
}

static bool starts_with(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

void machine_disks_drop_partitions(const struct machine *machine, struct machine_disks *disks)
{
	size_t kept = 0;

	for (size_t i = 0; i < disks->nr; i++) {
		const struct machine_disk *disk = &disks->disk[i];

		/* The kernel lists them after their disk, and names them after it: mmcblk0boot0 is none. */
		if (kept && starts_with(disk->name, disks->disk[kept - 1].name) &&
		    machine_block_is_partition(machine, disk->major, disk->minor))
			continue;
		disks->disk[kept++] = *disk;
	}
	disks->nr = kept;
}

bool machine_block_is_partition(const struct machine *machine, unsigned int major,
				unsigned int minor)
{
	char path[64];

	snprintf(path, sizeof(path), "dev/block/%u:%u/partition", major, minor);
	return sys_exists(machine, path);
}
