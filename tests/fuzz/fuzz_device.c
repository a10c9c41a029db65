/* SPDX-License-Identifier: MIT */
/* /proc/diskstats, /proc/net/dev, the numbers of a block device and the names of huge pages' directories. */
#include "fuzz.h"

#include "machine_block.h"
#include "machine_device.h"

typedef unsigned long long ull;

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* What was read, printed as the kernel does and read again, is the same. */
static void check_disks(const char *text, size_t size)
{
	struct machine_disks disks, again;
	char *printed, *at;

	CHECK(!machine_parse_disks(text, size, &disks));
	CHECK(disks.nr <= count_lines(text, size));
	at = printed = malloc(disks.nr * 512 + size + 1);
	for (size_t i = 0; i < disks.nr; i++) {
		const struct machine_disk *d = &disks.disk[i];

		/* A name with a NUL in it is cut there, and may be empty then: no such line. */
		if (!*d->name) {
			free(printed);
			machine_disks_free(&disks);
			return;
		}
		CHECK(!strpbrk(d->name, " \t\n"));
		at += sprintf(at, "%4u %7u %s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu "
			      "%llu %llu %llu %llu %llu %llu\n", d->major, d->minor, d->name,
			      (ull)d->reads, (ull)d->reads_merged, (ull)d->sectors_read,
			      (ull)d->read_ms, (ull)d->writes, (ull)d->writes_merged,
			      (ull)d->sectors_written, (ull)d->write_ms, (ull)d->in_flight,
			      (ull)d->io_ms, (ull)d->weighted_io_ms, (ull)d->discards,
			      (ull)d->discards_merged, (ull)d->sectors_discarded,
			      (ull)d->discard_ms, (ull)d->flushes, (ull)d->flush_ms);
	}
	CHECK(!machine_parse_disks(printed, at - printed, &again));
	CHECK(again.nr == disks.nr);
	for (size_t i = 0; i < disks.nr; i++) {
		CHECK(!strcmp(again.disk[i].name, disks.disk[i].name));
		again.disk[i].name = disks.disk[i].name;
		CHECK(!memcmp(&again.disk[i], &disks.disk[i], sizeof(again.disk[i])));
	}
	machine_disks_free(&again);
	machine_disks_free(&disks);
	free(printed);
}

static void check_netdevs(const char *text, size_t size)
{
	struct machine_netdevs devs;

	CHECK(!machine_parse_netdevs(text, size, &devs));
	CHECK(devs.nr <= count_lines(text, size));
	for (size_t i = 0; i < devs.nr; i++) {
		CHECK(!devs.dev[i].ifindex);
		CHECK(!strpbrk(devs.dev[i].name, ":\n"));
		CHECK(memmem(text, size, devs.dev[i].name, strlen(devs.dev[i].name)));
	}
	machine_netdevs_free(&devs);
}

static void check_hugepages(const char *text, size_t size)
{
	uint64_t bytes = machine_parse_hugepage_dir(text, size);
	char name[64], form[24];

	CHECK(bytes % 1024 == 0);
	if (!bytes)
		return;
	snprintf(name, sizeof(name), "hugepages-%llukB", (ull)bytes / 1024);
	CHECK(machine_parse_hugepage_dir(name, strlen(name)) == bytes);
	machine_hugepage_name(bytes, form);
	CHECK(strlen(form) >= 3 && form[strlen(form) - 1] == 'B');
	CHECK(strtoull(form, NULL, 10) <= bytes / 1024);
}

static void check_block(const char *text, size_t size)
{
	struct machine_block block, again;
	char printed[32];

	if (!machine_parse_block(text, size, &block))
		return;
	snprintf(printed, sizeof(printed), "%u:%u\n", block.major, block.minor);
	CHECK(machine_parse_block(printed, strlen(printed), &again));
	CHECK(again.major == block.major && again.minor == block.minor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	/* A block of exactly this size, so that a read past the end shows. */
	memcpy(text, data, size);
	check_disks(text, size);
	check_netdevs(text, size);
	check_hugepages(text, size);
	check_block(text, size);
	free(text);
	return 0;
}
