/* SPDX-License-Identifier: MIT */
/*
 * blkio on a machine of files: two disks, a partition, one process whose bytes
 * we write. What the kernel answers to every form of a setting is the oracle's job
 * (tests/oracle); here are the sums, the order of disks, and what this machine lacks.
 */
#include "fixture.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "small_machine.h"

static const struct controller *const list[] = {&blkio_controller, NULL};

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", machine, path);
	file = fopen(full, "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		fail_msg("%s: %s", full, strerror(errno));
}

/* sda: 1000 reads of 8 sectors, 10 merged; 100 writes of 16; 5 discards of 2048. sdb: nothing. */
#define DISKS_AT_START                                                        \
	"   8       0 sda 1000 10 8000 2000 100 20 1600 300 0 400 2300 5 1 10240 7 0 0\n" \
	"   8       1 sda1 900 10 7200 1800 90 20 1500 280 0 380 2080 0 0 0 0 0 0\n"      \
	"   8      16 sdb 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
/* Since then: sda 300 reads of 8 sectors and no merges, sdb 100 with 50 merged. */
#define DISKS_LATER                                                            \
	"   8       0 sda 1300 10 10400 2600 100 20 1600 300 0 700 2900 5 1 10240 7 0 0\n" \
	"   8      16 sdb 100 50 800 400 10 0 80 20 0 200 420 0 0 0 0 0 0\n"

static int set_up(void **state)
{
	(void)state;
	copy_machine();
	/* the process was recorded with other numbers than its directory has */
	shell("cd %s/proc/42 && "
	      "sed -i 's/16534/42/g; s/16537/43/g; s/16529/1/g' status stat task/*/stat");
	shell("cd %s/sys && mkdir -p dev/block/8:0/queue dev/block/8:16/queue dev/block/8:1");
	put("sys/dev/block/8:0/queue/scheduler", "none [mq-deadline] bfq\n");
	put("sys/dev/block/8:16/queue/scheduler", "none mq-deadline [bfq]\n");
	put("sys/dev/block/8:1/partition", "1\n");
	put("proc/diskstats", DISKS_AT_START);
	small_tree_open(&small, machine, list);
	assert_int_equal(small_mkdir(&small, "/blkio/c"), 0);
	assert_int_equal(small_mkdir(&small, "/blkio/c/d"), 0);
	return 0;
}

#define assert_file(path, text) assert_string_equal(small_read(&small, "/blkio/" path), text)
#define store(path, text) small_write(&small, "/blkio/" path, text)

static void test_root_shows_disks_newest_first(void **state)
{
	(void)state;
	assert_file("blkio.throttle.io_service_bytes_recursive",
		    "8:16 Read 0\n8:16 Write 0\n8:16 Sync 0\n8:16 Async 0\n8:16 Discard 0\n"
		    "8:16 Total 0\n"
		    "8:0 Read 4096000\n8:0 Write 819200\n8:0 Sync 4096000\n8:0 Async 6062080\n"
		    "8:0 Discard 5242880\n8:0 Total 10158080\nTotal 10158080\n");
	assert_file("blkio.throttle.io_serviced",
		    "8:16 Read 0\n8:16 Write 0\n8:16 Sync 0\n8:16 Async 0\n8:16 Discard 0\n"
		    "8:16 Total 0\n"
		    "8:0 Read 1010\n8:0 Write 120\n8:0 Sync 1010\n8:0 Async 126\n"
		    "8:0 Discard 6\n8:0 Total 1136\nTotal 1136\n");
	assert_file("blkio.sectors", "8:16 0\n8:0 9600\n");
	assert_file("blkio.time_recursive", "8:16 0\n8:0 400\n");
}

static void test_only_bfq_disks_have_its_figures(void **state)
{
	(void)state;
	assert_file("blkio.bfq.io_serviced",
		    "8:16 Read 0\n8:16 Write 0\n8:16 Sync 0\n8:16 Async 0\n8:16 Discard 0\n"
		    "8:16 Total 0\nTotal 0\n");
	assert_int_equal(store("c/blkio.bfq.weight_device", "8:0 5"), -EOPNOTSUPP);
	assert_int_equal(store("c/blkio.bfq.weight_device", "8:16 5"), 0);
	assert_file("c/blkio.bfq.weight_device", "default 100\n8:16 5\n");
	assert_int_equal(store("c/blkio.bfq.weight", "7"), 0);
	assert_file("c/blkio.bfq.weight_device", "default 7\n");
}

static void test_limits_of_disks(void **state)
{
	(void)state;
	assert_int_equal(store("c/d/blkio.throttle.read_bps_device", "8:0 100"), 0);
	assert_int_equal(store("c/d/blkio.throttle.read_bps_device", "8:16 200"), 0);
	assert_int_equal(store("c/d/blkio.throttle.read_bps_device", "8:1 200"), -ENODEV);
	assert_int_equal(store("c/d/blkio.throttle.read_bps_device", "8:32 200"), -ENODEV);
	assert_file("c/d/blkio.throttle.read_bps_device", "8:16 200\n8:0 100\n");
	assert_file("c/blkio.throttle.read_bps_device", "");
	/* but the parent has the disks now, in the same order */
	assert_file("c/blkio.time", "8:16 0\n8:0 0\n");
	assert_int_equal(store("c/d/blkio.throttle.read_bps_device", "0:8388608 0"), 0);
	assert_file("c/d/blkio.throttle.read_bps_device", "8:16 200\n");
}

static void test_cfq_weights(void **state)
{
	(void)state;
	assert_file("blkio.weight", "1000\n");
	assert_file("c/blkio.weight", "500\n");
	assert_int_equal(store("c/blkio.weight", "9"), -ERANGE);
	assert_int_equal(store("c/blkio.weight", "1000"), 0);
	assert_int_equal(store("c/blkio.weight_device", "8:0 10"), 0);
	assert_int_equal(store("c/blkio.weight_device", "8:0 1001"), -ERANGE);
	assert_int_equal(store("c/blkio.leaf_weight_device", "8:16 300"), 0);
	assert_file("c/blkio.weight_device", "8:0 10\n");
	assert_file("c/blkio.leaf_weight_device", "8:16 300\n");
	assert_int_equal(store("c/blkio.weight_device", "8:0 default"), 0);
	assert_int_equal(store("c/blkio.leaf_weight_device", "8:16 0"), 0);
	assert_file("c/blkio.weight_device", "");
	assert_file("c/blkio.leaf_weight_device", "");
	assert_int_equal(store("blkio.weight", "20"), 0); /* a root's is its leaf_weight */
	assert_file("blkio.leaf_weight", "20\n");
}

/* --- a process --- */

#define SECTOR 512u /* nobody reads less of a disk */

/* The process has run, and done this in its life. */
static void put_io(uint64_t read_bytes, uint64_t write_bytes)
{
	static uint64_t run;
	char text[256];

	snprintf(text, sizeof(text), "%lu 0 1\n", run += 1000);
	put("proc/42/schedstat", text);
	put("proc/42/task/42/schedstat", text);
	snprintf(text, sizeof(text),
		 "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: %lu\nwrite_bytes: %lu\n"
		 "cancelled_write_bytes: 0\n",
		 read_bytes, write_bytes);
	put("proc/42/io", text);
}

/* Has process 42 enter; what it did until now stays behind. */
static void enter(const char *path)
{
	char procs[128];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	assert_int_equal(small_write(&small, procs, "42"), 0);
}

/* Longer than accounting keeps a reading. */
static void wait_for_reading(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
}

/* The number after `key` in the file, at its first place. */
static uint64_t figure(const char *path, const char *key)
{
	const char *text = small_read(&small, path), *at = text ? strstr(text, key) : NULL;

	if (!at)
		fail_msg("no \"%s\" in %s: %s", key, path, text ? text : "(error)");
	return strtoull(at + strlen(key), NULL, 10);
}

static void test_bytes_are_shared_out(void **state)
{
	(void)state;
	put_io(0, 0);
	enter("/blkio/c/d");
	assert_file("c/d/blkio.throttle.io_service_bytes", "Total 0\n");
	put("proc/diskstats", DISKS_LATER);
	put_io(1600 * SECTOR, 0);
	wait_for_reading();
	/* sda did three quarters of what was read since we started */
	assert_int_equal(figure("/blkio/c/d/blkio.throttle.io_service_bytes", "8:0 Read "), 1200 * SECTOR);
	assert_int_equal(figure("/blkio/c/d/blkio.throttle.io_service_bytes", "8:16 Read "), 400 * SECTOR);
	assert_int_equal(figure("/blkio/c/d/blkio.throttle.io_service_bytes", "\nTotal "), 1600 * SECTOR);
	assert_file("c/blkio.throttle.io_service_bytes",
		    "8:16 Read 0\n8:16 Write 0\n8:16 Sync 0\n8:16 Async 0\n8:16 Discard 0\n"
		    "8:16 Total 0\n8:0 Read 0\n8:0 Write 0\n8:0 Sync 0\n8:0 Async 0\n"
		    "8:0 Discard 0\n8:0 Total 0\nTotal 0\n");
	assert_int_equal(figure("/blkio/c/blkio.io_service_bytes_recursive", "\nTotal "), 1600 * SECTOR);
	/* no write to a disk yet: what was made dirty waits for one */
	put_io(1600 * SECTOR, 77 * SECTOR);
	wait_for_reading();
	assert_int_equal(figure("/blkio/c/d/blkio.io_service_bytes", "8:16 Write "), 77 * SECTOR);
}

static void test_root_has_what_is_left(void **state)
{
	(void)state;
	put_io(0, 0);
	enter("/blkio/c/d");
	put("proc/diskstats", DISKS_LATER);
	put_io(1600 * SECTOR, 0);
	wait_for_reading();
	assert_int_equal(figure("/blkio/blkio.io_service_bytes", "8:0 Read "), 1300 * 4096 - 1200 * SECTOR);
	assert_int_equal(figure("/blkio/blkio.io_service_bytes_recursive", "8:0 Read "),
			 1300 * 4096);
	enter("/blkio");
	assert_int_equal(small_rmdir(&small, "/blkio/c/d"), 0);
	assert_int_equal(figure("/blkio/c/blkio.io_service_bytes_recursive", "8:0 Read "), 1200 * SECTOR);
	assert_int_equal(small_rmdir(&small, "/blkio/c"), 0);
	/* what a child did before it went never becomes the root's own */
	assert_int_equal(figure("/blkio/blkio.io_service_bytes", "8:0 Read "), 1300 * 4096 - 1200 * SECTOR);
}

static void test_reset(void **state)
{
	(void)state;
	put_io(0, 0);
	enter("/blkio/c/d");
	put("proc/diskstats", DISKS_LATER);
	put_io(1600 * SECTOR, 0);
	wait_for_reading();
	assert_int_equal(store("c/d/blkio.reset_stats", "1 "), -EINVAL);
	assert_int_equal(store("c/d/blkio.reset_stats", "0"), 0);
	assert_int_equal(figure("/blkio/c/d/blkio.io_service_bytes", "\nTotal "), 0);
	assert_int_equal(figure("/blkio/c/blkio.io_service_bytes_recursive", "\nTotal "), 0);
	assert_int_equal(figure("/blkio/blkio.io_service_bytes_recursive", "8:0 Read "),
			 1300 * 4096 - 1200 * SECTOR);
	put_io(2000 * SECTOR, 0);
	wait_for_reading();
	assert_int_equal(figure("/blkio/c/d/blkio.io_service_bytes", "\nTotal "), 400 * SECTOR);
	assert_int_equal(figure("/blkio/c/blkio.io_service_bytes_recursive", "\nTotal "), 400 * SECTOR);
	assert_int_equal(store("blkio.reset_stats", "1"), 0);
	assert_int_equal(figure("/blkio/blkio.io_service_bytes", "8:0 Read "), 0);
	/* what is below is not the root's */
	assert_int_equal(figure("/blkio/blkio.io_service_bytes_recursive", "8:0 Read "), 300 * SECTOR);
}

/* Reads of 8 sectors that sda has done, and how long it was busy, ms. */
static void put_sda(unsigned reads, unsigned busy)
{
	char text[128];

	snprintf(text, sizeof(text), "   8       0 sda %u 0 %u 0 0 0 0 0 0 %u 0\n", reads, 8 * reads, busy);
	put("proc/diskstats", text);
}

/* Another daemon takes over what the one before has kept of the root. */
static void start_anew(void)
{
	struct text kept = {0};
	struct bytes in;

	blkio_controller.save(small.tree->hierarchies[0].root, &kept);
	small_tree_close(&small);
	small_tree_open(&small, machine, list);
	in = (struct bytes){.data = kept.data, .len = kept.len};
	assert_int_equal(blkio_controller.restore(small.tree->hierarchies[0].root, &in), 0);
	text_free(&kept);
	assert_int_equal(small_mkdir(&small, "/blkio/c"), 0);
}

/*
 * A cgroup does all that sda does from now on: 300 reads in `busy` ms. How long is it told to have
 * been busy?
 */
static uint64_t time_of_reads(unsigned reads, unsigned busy)
{
	put_io(0, 0);
	enter("/blkio/c");
	put_sda(reads + 300, busy);
	put_io(300 * 4096, 0);
	wait_for_reading();
	return figure("/blkio/c/blkio.time", "8:0 ");
}

/* Times are shared by what a disk has done since the first daemon started. */
static void test_disks_of_the_daemon_before(void **state)
{
	(void)state;
	small_tree_close(&small);
	put_sda(1000, 400);
	small_tree_open(&small, machine, list);
	put_sda(1300, 700);
	start_anew();
	assert_int_equal(time_of_reads(1300, 1300), 900 * 300 / 600);
}

/* A disk that has done less since then has begun anew with the machine. */
static void test_disks_of_a_machine_that_was_started_since(void **state)
{
	(void)state;
	small_tree_close(&small);
	put_sda(1000, 400);
	small_tree_open(&small, machine, list);
	put_sda(900, 50);
	start_anew();
	assert_int_equal(time_of_reads(900, 650), 600);
}

/* gVisor has neither: no disk is known, and nothing fails. */
static void test_without_diskstats(void **state)
{
	(void)state;
	shell("rm -r %s/proc/diskstats");
	shell("rm -r %s/sys/dev");
	put_io(0, 0);
	enter("/blkio/c");
	put_io(500, 500);
	wait_for_reading();
	assert_file("c/blkio.throttle.io_serviced", "Total 0\n");
	assert_file("blkio.throttle.io_serviced_recursive", "Total 0\n");
	assert_file("blkio.time", "");
	assert_int_equal(store("c/blkio.throttle.read_bps_device", "8:0 1"), -ENODEV);
	assert_int_equal(store("c/blkio.reset_stats", "1"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_root_shows_disks_newest_first),
		TEST(test_only_bfq_disks_have_its_figures),
		TEST(test_limits_of_disks),
		TEST(test_cfq_weights),
		TEST(test_bytes_are_shared_out),
		TEST(test_root_has_what_is_left),
		TEST(test_reset),
		TEST(test_disks_of_the_daemon_before),
		TEST(test_disks_of_a_machine_that_was_started_since),
		TEST(test_without_diskstats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
