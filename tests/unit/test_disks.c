/* SPDX-License-Identifier: MIT */
/* Which disk the bytes of members are given to, on a machine of files. */
#include "fixture.h"

#include "fake_accounting.h"
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine_block.h"
#include "../../src/accounting/ledger/disks.h"

enum { SDA = 8 << 20, SDB = 8 << 20 | 16, DM = 253 << 20 };

/* Bytes since boot, in sectors. */
struct done {
	unsigned long read, written;
};

struct world {
	struct fake_machine fake;
	struct machine *machine;
	struct accounting *accounting;
	struct done sda, sdb, dm;
	struct usage usage; /* of the group that bytes are given for */
};

/* Lets the disks be seen, whenever that was last. */
static void look(struct world *world)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "8 0 sda %lu 0 %lu 0 %lu 0 %lu 0 0 0 0\n8 1 sda1 %lu 0 %lu 0 %lu 0 %lu 0 0 0 0\n"
		 "8 16 sdb %lu 0 %lu 0 %lu 0 %lu 0 0 0 0\n253 0 dm-0 %lu 0 %lu 0 %lu 0 %lu 0 0 0 0\n",
		 world->sda.read, world->sda.read, world->sda.written, world->sda.written,
		 world->sda.read, world->sda.read, world->sda.written, world->sda.written,
		 world->sdb.read, world->sdb.read, world->sdb.written, world->sdb.written,
		 world->dm.read, world->dm.read, world->dm.written, world->dm.written);
	fake_put(&world->fake, "proc/diskstats", text);
	if (world->accounting->disks->looked_at)
		world->accounting->disks->looked_at -= 30000000; /* not just before */
	disks_look(world->accounting);
}

/* In the past, for the disks. */
static void let_seconds_pass(struct world *world, unsigned seconds)
{
	world->accounting->disks->turned_at -= seconds * UINT64_C(1000000000);
}

static void put_partition(const struct fake_machine *fake)
{
	char link[128];

	fake_put(fake, "sys/class/block/sda1/dev", "8:1\n");
	fake_put(fake, "sys/devices/sda/dev", "8:0\n");
	fake_put(fake, "sys/devices/sda/sda1/partition", "1\n");
	fake_put(fake, "sys/dev/block/8:0/dev", "8:0\n");
	snprintf(link, sizeof(link), "%s/sys/dev/block/8:1", fake->root);
	assert_int_equal(symlink("../../devices/sda/sda1", link), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	*state = world;
	fake_open(&world->fake);
	fake_put(&world->fake, "proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\n");
	put_partition(&world->fake);
	world->machine = machine_open(world->fake.root);
	world->accounting = accounting_new(world->machine);
	world->sda = (struct done){10000, 10000};
	world->sdb = (struct done){10, 10};
	look(world); /* nothing is tracked yet, and nothing looked at */
	accounting_track(world->accounting, 0, USAGE_IO);
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	free(world->usage.disks);
	fake_accounting_free(world->accounting, world->machine, &world->fake);
	free(world);
	return 0;
}

/* The parts that were given last. */
static const struct io_usage *part_of(const struct disks *disks, uint32_t device)
{
	for (size_t i = 0; i < disks->count; i++) {
		if (disks->parts[i].device == device)
			return &disks->parts[i].usage;
	}
	fail_msg("no device %x", device);
	return NULL;
}

/* Gives so many sectors, read and written, and the group has them. */
static void give(struct world *world, struct done sectors)
{
	struct counters delta = {0};
	const struct disk_part *parts;
	size_t count;

	delta.value[COUNTER_READ] = sectors.read * 512;
	delta.value[COUNTER_WRITTEN] = sectors.written * 512;
	delta.value[COUNTER_READS] = sectors.read;
	delta.value[COUNTER_WRITES] = sectors.written;
	parts = disks_give(world->accounting->disks, &world->usage, &delta, &count);
	assert_in_range(count, 3, 5);
	for (size_t i = 0; i < count; i++) {
		struct disk_usage *disk = usage_of_disk(&world->usage, parts[i].device);

		disk->local.read_bytes += parts[i].usage.read_bytes;
		disk->local.write_bytes += parts[i].usage.write_bytes;
	}
}

#define assert_read(device, sectors) \
	assert_int_equal(part_of(world->accounting->disks, device)->read_bytes, (sectors) * 512)
#define assert_written(device, sectors) \
	assert_int_equal(part_of(world->accounting->disks, device)->write_bytes, (sectors) * 512)

static void to_who_did_it(void **state)
{
	struct world *world = *state;

	world->sdb.read += 300;
	world->sda.written += 200;
	look(world);
	give(world, (struct done){300, 200});
	assert_read(SDA, 0);
	assert_read(SDB, 300);
	assert_written(SDA, 200);
	assert_written(SDB, 0);
}

/* Each byte that a disk did is given once. */
static void once(void **state)
{
	struct world *world = *state;

	world->sda.read += 200;
	look(world);
	give(world, (struct done){200, 0});
	world->sdb.read += 80;
	look(world);
	give(world, (struct done){80, 0});
	assert_read(SDA, 0);
	assert_read(SDB, 80);
}

static void shared_with_requests(void **state)
{
	struct world *world = *state;

	world->sda.read += 200;
	world->sdb.read += 100;
	look(world);
	give(world, (struct done){100, 0});
	assert_read(SDA, 67); /* no part of a sector, which would not be shown */
	assert_read(SDB, 33);
	assert_int_equal(part_of(world->accounting->disks, SDA)->read_ios, 67);
	assert_int_equal(part_of(world->accounting->disks, SDB)->read_ios, 33);
}

/* What somebody else does on another disk is not the group's, as long as its own can have done it. */
static void first_to_disks_in_use(void **state)
{
	struct world *world = *state;

	world->sdb.written += 100;
	look(world);
	give(world, (struct done){0, 100});
	world->sda.written += 5000;
	world->sdb.written += 100;
	look(world);
	give(world, (struct done){0, 130});
	assert_written(SDB, 100);
	assert_written(SDA, 30);
}

/* A buffered write: the machine's habit, and then the disk is expected to do it. */
static void before_it_is_done(void **state)
{
	struct world *world = *state;

	look(world);
	give(world, (struct done){0, 50});
	assert_written(SDA, 50);
	assert_written(SDB, 0);
	world->sda.written += 50;
	look(world);
	world->sdb.written += 20;
	look(world);
	give(world, (struct done){0, 20});
	assert_written(SDA, 0);
	assert_written(SDB, 20);
	give(world, (struct done){0, 70}); /* the group's own habit by now */
	assert_written(SDA, 50);
	assert_written(SDB, 20);
}

/* A request that is under way is counted as made: it goes where the others went. */
static void under_way(void **state)
{
	struct world *world = *state;

	world->sda.written += 100;
	look(world);
	give(world, (struct done){0, 100});
	world->sdb.written += 30;
	look(world);
	give(world, (struct done){0, 40});
	assert_written(SDA, 0);
	assert_written(SDB, 40);
}

/* What nobody has claimed for a minute is not given any more. */
static void too_late(void **state)
{
	struct world *world = *state;

	world->sdb.written += 100;
	look(world);
	let_seconds_pass(world, 31);
	look(world);
	give(world, (struct done){0, 40});
	assert_written(SDB, 40);
	let_seconds_pass(world, 31);
	look(world);
	world->usage.disk_count = 0; /* another group */
	give(world, (struct done){0, 40});
	assert_written(SDA, 40);
}

/* A disk's own is what it did not do for one that it is a part of. */
static void made_of_others(void **state)
{
	struct world *world = *state;

	fake_put(&world->fake, "sys/dev/block/253:0/slaves/sda1", "");
	world->dm.read += 100;
	world->sda.read += 160; /* 60 of its own */
	look(world);
	give(world, (struct done){100, 0});
	assert_read(SDB, 0);
	assert_read(DM, 63);
	assert_read(SDA, 37);
}

/* A file as that of loop device 7:0, whose name is put into `path`; which device it is on. */
static dev_t put_backing_file(struct world *world, char *path)
{
	struct stat st;
	char sys[TEMPORARY_MAX + 32];
	int fd = mkstemp(temporary(path, "/var/tmp/fcg-disks"));

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	snprintf(sys, sizeof(sys), "/../../../..%s\n", path); /* below our root */
	fake_put(&world->fake, "sys/dev/block/7:0/loop/backing_file", sys);
	return st.st_dev;
}

static void backing_file(void **state)
{
	struct world *world = *state;
	char path[TEMPORARY_MAX];
	dev_t device = put_backing_file(world, path);
	struct machine_block below;

	if (major(device)) {
		assert_int_equal(machine_block_below(world->machine, 7, 0, &below, 1), 1);
		assert_int_equal(below.major, major(device));
		assert_int_equal(below.minor, minor(device));
	} else { /* btrfs, overlayfs */
		assert_int_equal(machine_block_below(world->machine, 7, 0, &below, 1), 0);
	}
	unlink(path);
	assert_int_equal(machine_block_below(world->machine, 7, 0, &below, 1), 0);
}

/* A disk that went and came up anew begins at 0. */
static void disk_anew(void **state)
{
	struct world *world = *state;

	world->sda.read += 10;
	look(world);
	world->sdb.read = 6;
	look(world);
	give(world, (struct done){16, 0});
	assert_read(SDA, 10);
	assert_read(SDB, 6);
}

/* What was done before there were members is nobody's. */
static void before_members(void **state)
{
	struct world *world = *state;

	world->sdb.read += 500;
	look(world);
	disks_start(world->accounting);
	world->sda.read += 5;
	look(world);
	give(world, (struct done){5, 0});
	assert_read(SDA, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_who_did_it),
		TEST(once),
		TEST(shared_with_requests),
		TEST(first_to_disks_in_use),
		TEST(before_it_is_done),
		TEST(under_way),
		TEST(too_late),
		TEST(made_of_others),
		TEST(backing_file),
		TEST(disk_anew),
		TEST(before_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
