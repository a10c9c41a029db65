/* SPDX-License-Identifier: MIT */
/*
 * The number and list grammar, against the kernel's own answers (fixtures/number/kernel.txt, made
 * by record.py there) and, for what a small machine cannot show, its lib/test_bitmap.c's cases.
 */
#include "fixture.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "number.h"

/* --- the kernel's answers --- */

struct answer {
	char file[64];
	char input[256];	/* as a C string: the kernel stops at a NUL too */
	int err;		/* 0 or negative errno */
	char content[256];	/* "-" for none */
};

static unsigned int nr_cpus;
static char disk[32];

static int error_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = {
		{ "ok", 0 }, { "EINVAL", -EINVAL }, { "ERANGE", -ERANGE },
		{ "EOVERFLOW", -EOVERFLOW }, { "ENODEV", -ENODEV }, { "ENOSPC", -ENOSPC },
		{ "EBUSY", -EBUSY }, { "EACCES", -EACCES },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strcmp(errors[i].name, name))
			return errors[i].number;
	fail_msg("the kernel said %s", name);
	return 0;
}

static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int c;

		if (sscanf(text, "\\x%2x", &c) == 1) {
			*to++ = c;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Calls check for each recorded write to file; a record without any fails. */
static void each_answer(const char *file, void (*check)(const struct answer *answer))
{
	char *text = fixture_read(FIXTURES "/number/kernel.txt", NULL), *save = NULL;
	unsigned int seen = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct answer a;
		char err[32];

		sscanf(line, "# cpus %u", &nr_cpus);
		sscanf(line, "# disk %31s", disk);
		if (*line == '#')
			continue;
		assert_int_equal(sscanf(line, "%63s %255s %31s %255s", a.file, a.input, err,
					a.content), 4);
		if (strcmp(a.file, file))
			continue;
		unescape(a.input);
		unescape(a.content);
		a.err = error_number(err);
		check(&a);
		seen++;
	}
	free(text);
	assert_true(seen > 30);
}

#define EXPECT(condition, a) do { \
	if (!(condition)) \
		fail_msg("%s < '%s': the kernel says %d and '%s'; not so: %s", (a)->file, \
			 (a)->input, (a)->err, (a)->content, #condition); \
} while (0)

/* write_u64; kernel/sched/core.c clamps shares to 2 to 2^18. */
static void check_shares(const struct answer *a)
{
	uint64_t v = 77;
	int err = number_parse_u64(a->input, 0, &v);

	EXPECT(err == a->err, a);
	if (err)
		EXPECT(v == 77, a);
	else
		EXPECT(strtoull(a->content, NULL, 10) == (v < 2 ? 2 : v > 262144 ? 262144 : v), a);
}

/* write_s64; a quota may be refused for what it is, with EINVAL. */
static void check_quota(const struct answer *a)
{
	int64_t v = 77;
	int err = number_parse_s64(a->input, 0, &v);

	if (err) {
		EXPECT(err == a->err, a);
		EXPECT(v == 77, a);
	} else if (a->err) {
		EXPECT(a->err == -EINVAL, a);
		EXPECT(v >= 0 && (v < 1000 || v > 1 << 30), a);
	} else {
		EXPECT(strtoll(a->content, NULL, 10) == (v < 0 ? -1 : v), a);
	}
}

/* kernel/cgroup/pids.c pids_max_write() */
static void check_pids(const struct answer *a)
{
	char text[256], *stripped = text_strip(strcpy(text, a->input));
	int64_t v = -77;
	int err;

	if (!strcmp(stripped, "max")) {
		EXPECT(!a->err && !strcmp(a->content, "max"), a);
		return;
	}
	err = number_parse_s64(stripped, 0, &v);
	if (!err && (v < 0 || v > 4194304))
		err = -EINVAL;
	EXPECT(err == a->err, a);
	if (!err)
		EXPECT(strtoll(a->content, NULL, 10) == v, a);
}

/* mm/memcontrol-v1.c mem_cgroup_write() */
static void check_pages(const struct answer *a)
{
	char text[256], *stripped = text_strip(strcpy(text, a->input));
	uint64_t pages = 77;
	int err = number_parse_pages(stripped, "-1", &pages);

	EXPECT(err == a->err, a);
	if (err)
		EXPECT(pages == 77, a);
	else
		EXPECT(strtoull(a->content, NULL, 10) == number_pages_to_bytes(pages), a);
}

/* kernel/cgroup/cpuset.c cpuset_write_resmask(): EINVAL also for what is not a subset. */
static void check_list(const struct answer *a, unsigned int nr, bool all_present)
{
	char text[256], list[256] = "", *stripped = text_strip(strcpy(text, a->input));
	struct bitmap *map = bitmap_new(nr);
	int err = bitmap_parselist(stripped, map);

	if (!err && !all_present && bitmap_next(map, 1) < nr)
		err = -EINVAL;
	EXPECT(err == a->err, a);
	bitmap_print_list(map, list, sizeof(list));
	bitmap_free(map);
	if (!err)
		EXPECT(!strcmp(*list ? list : "-", a->content), a);
}

static void check_cpus(const struct answer *a)
{
	check_list(a, nr_cpus, true);
}

static void check_mems(const struct answer *a)
{
	check_list(a, 1024, false);
}

/* block/blk-throttle.c tg_set_conf(), which shows nothing for no limit. */
static void check_device(const struct answer *a)
{
	const char *at = a->input;
	unsigned int major = 77, minor = 77;
	char content[64] = "-", name[32];
	uint64_t v;
	int err = number_scan_dev(&at, &major, &minor);

	if (err) {
		EXPECT(at == a->input && major == 77, a);
	} else {
		snprintf(name, sizeof(name), "%u:%u", major, minor);
		err = strcmp(name, disk) ? -ENODEV : number_scan_u64(at, &v);
	}
	EXPECT(err == a->err, a);
	if (!err && v && v != UINT64_MAX)
		snprintf(content, sizeof(content), "%s %llu", name, (unsigned long long)v);
	if (!err)
		EXPECT(!strcmp(content, a->content), a);
}

static void kernel_u64(void **state) { (void)state; each_answer("cpu.shares", check_shares); }
static void kernel_s64(void **state) { (void)state; each_answer("cpu.cfs_quota_us", check_quota); }
static void kernel_max(void **state) { (void)state; each_answer("pids.max", check_pids); }
static void kernel_cpus(void **state) { (void)state; each_answer("cpuset.cpus", check_cpus); }
static void kernel_mems(void **state) { (void)state; each_answer("cpuset.mems", check_mems); }

static void kernel_pages(void **state)
{
	(void)state;
	each_answer("memory.limit_in_bytes", check_pages);
	each_answer("memory.soft_limit_in_bytes", check_pages);
}

static void kernel_device(void **state)
{
	(void)state;
	each_answer("blkio.throttle.read_bps_device", check_device);
}

/* --- what the record cannot show --- */

static void sizes_of_types(void **state)
{
	uint32_t u32 = 7;
	int i = 7;
	int64_t s64 = 7;

	(void)state;
	assert_int_equal(number_parse_u32("4294967295", 0, &u32), 0);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(number_parse_u32("4294967296", 0, &u32), -ERANGE);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(number_parse_u32("-1", 0, &u32), -EINVAL);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(number_parse_int("-2147483648", 0, &i), 0);
	assert_int_equal(i, INT_MIN);
	assert_int_equal(number_parse_int("-2147483649", 0, &i), -ERANGE);
	assert_int_equal(number_parse_int("2147483648", 0, &i), -ERANGE);
	assert_int_equal(number_parse_s64("-9223372036854775808", 0, &s64), 0);
	assert_true(s64 == INT64_MIN);
	assert_int_equal(number_parse_s64("9223372036854775808", 0, &s64), -ERANGE);
	/* A base that is given: kstrtou32(temp, 10, ...) of the devices controller. */
	assert_int_equal(number_parse_u32("010", 10, &u32), 0);
	assert_int_equal(u32, 10);
	assert_int_equal(number_parse_u32("0x10", 10, &u32), -EINVAL);
	assert_int_equal(number_parse_u32("0x1f", 16, &u32), 0);
	assert_int_equal(u32, 31);
	assert_int_equal(number_parse_u32("1f", 16, &u32), 0);
	assert_int_equal(number_parse_u32("8", 8, &u32), -EINVAL);
}

static void prefixes(void **state)
{
	const char *end, *text = "12Kx";

	(void)state;
	assert_int_equal(number_memparse(text, &end), 12288);
	assert_ptr_equal(end, text + 3);
	assert_int_equal(number_memparse("", &end), 0);
	assert_int_equal(number_memparse(text, NULL), 12288);
	assert_int_equal(number_simple_u64(text, 10, &end), 12);
	assert_ptr_equal(end, text + 2);
	text = "0xg";
	assert_int_equal(number_simple_u64(text, 0, &end), 0);
	assert_ptr_equal(end, text + 1);
	text = "x";
	number_simple_u64(text, 0, &end);
	assert_ptr_equal(end, text);
}

static void page_counter(void **state)
{
	uint64_t pages;

	(void)state;
	assert_int_equal(number_parse_pages("max", "max", &pages), 0);
	assert_int_equal(pages, number_pages_max());
	assert_int_equal(number_parse_pages("max", "-1", &pages), -EINVAL);
	assert_int_equal(number_parse_pages("-1", "max", &pages), -EINVAL);
	assert_int_equal(number_parse_pages("18446744073709551615", "max", &pages), 0);
	assert_int_equal(pages, number_pages_max());
	assert_int_equal(number_pages_to_bytes(number_pages_max()),
			 LONG_MAX / number_page_size() * number_page_size());
	assert_int_equal(number_pages_to_bytes(UINT64_MAX),
			 number_pages_to_bytes(number_pages_max()));
}

static void strip(void **state)
{
	char all[] = " \t\n\v\f\r\xa0", both[] = "  a b \n", none[] = "a", empty[] = "";

	(void)state;
	assert_string_equal(text_strip(all), "");
	assert_string_equal(text_strip(both), "a b");
	assert_string_equal(text_strip(none), "a");
	assert_string_equal(text_strip(empty), "");
	assert_string_equal(text_skip_spaces(" \n\xa0x "), "x ");
}

/* --- lists --- */

/* parselist_tests of lib/test_bitmap.c and the comment of lib/bitmap-str.c */
static void parselist(void **state)
{
	static const struct {
		const char *text;
		unsigned int nr;
		int err;
		const char *list;
	} cases[] = {
		{ "0", 8, 0, "0" },
		{ "0-2", 8, 0, "0-2" },
		{ "0-1023:2/256", 1024, 0, "0-1,256-257,512-513,768-769" },
		{ "1-31:8/16", 32, 0, "1-8,17-24" },
		{ "0-31:1/3,1-31:1/3,2-31:1/3", 32, 0, "0-31" },
		{ "1-31:8/16,0-31:1/2", 32, 0, "0-8,10,12,14,16-24,26,28,30" },
		{ "0-30:4/8,40-63:8/12", 64, 0, "0-3,8-11,16-19,24-27,40-47,52-59" },
		{ "0-31:16/1", 32, -EINVAL, NULL },
		{ "1-31:4/8", 64, 0, "1-4,9-12,17-20,25-28" },
		{ "0-31:24/31", 32, 0, "0-23,31" },
		{ "1-N:8/16", 32, 0, "1-8,17-24" },
		{ "N", 100, 0, "99" },
		{ "0-N", 100, 0, "0-99" },
		{ "10-N:1/N", 100, 0, "10" },
		{ "all", 100, 0, "0-99" },
		{ "ALL:1/50", 100, 0, "0,50" },
		{ "   0-1,,3 ,5\n", 8, 0, "0-1,3,5" },
		{ "", 8, 0, "" },
		{ "\n", 8, 0, "" },
		{ ",, ,, , , ,", 8, 0, "" },
		{ " , ,, , ,\n", 8, 0, "" },
		{ "0-\n", 8, -EINVAL, NULL },
		{ "10-1", 8, -EINVAL, NULL },
		{ "8-8", 8, -ERANGE, NULL },
		{ "0-31:10/1", 8, -EINVAL, NULL },
		{ "0-31:0/1", 32, 0, "" },
		{ "0-31:0/0", 32, -EINVAL, NULL },
		{ "0-31:1/0", 32, -EINVAL, NULL },
		{ "a-31:10/1", 8, -EINVAL, NULL },
		{ "0-31:a/1", 8, -EINVAL, NULL },
		{ "0-31:1/a", 8, -EINVAL, NULL },
		{ "0-31:16/1", 8, -EINVAL, NULL },
		{ "5-31:1+0/5", 8, -EINVAL, NULL },
		{ "4294967296", 8, -EOVERFLOW, NULL },
		{ "1,2-3\n7", 8, 0, "1-3" },
		{ "0", 0, -ERANGE, NULL },
		{ "all", 0, -EINVAL, NULL },
		{ "", 0, 0, "" },
		{ "0-8191", 8192, 0, "0-8191" },
		{ "8191,0", 8192, 0, "0,8191" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bitmap *map = bitmap_new(cases[i].nr);
		char list[256];

		if (bitmap_parselist(cases[i].text, map) != cases[i].err)
			fail_msg("'%s' in %u bits: %d", cases[i].text, cases[i].nr,
				 bitmap_parselist(cases[i].text, map));
		if (cases[i].list) {
			assert_int_equal(bitmap_print_list(map, list, sizeof(list)),
					 strlen(cases[i].list));
			assert_string_equal(list, cases[i].list);
		}
		bitmap_free(map);
	}
}

static void parselist_len(void **state)
{
	struct bitmap *map = bitmap_new(64);

	(void)state;
	assert_int_equal(bitmap_parselist_len("1-23", 3, map), 0);
	assert_int_equal(bitmap_weight(map), 2);
	assert_int_equal(bitmap_parselist_len("5\0junk", 6, map), 0);
	assert_int_equal(bitmap_weight(map), 1);
	assert_int_equal(bitmap_parselist_len("all", 2, map), -EINVAL);
	assert_int_equal(bitmap_parselist_len("1-", 2, map), -EINVAL);
	assert_int_equal(bitmap_parselist_len("1", 0, map), 0);
	assert_true(bitmap_empty(map));
	bitmap_free(map);
}

static void print_cut(void **state)
{
	struct bitmap *map = bitmap_new(64);
	char text[8] = "#######";

	(void)state;
	bitmap_parselist("1-3,10,63", map);
	assert_int_equal(bitmap_print_list(map, NULL, 0), 9);
	assert_int_equal(bitmap_print_list(map, text, 5), 9);
	assert_string_equal(text, "1-3,");
	assert_int_equal(text[5], '#');
	assert_int_equal(bitmap_print_list(map, text, 1), 9);
	assert_string_equal(text, "");
	bitmap_free(map);
}

static struct bitmap *list(unsigned int nr, const char *text)
{
	struct bitmap *map = bitmap_new(nr);

	assert_int_equal(bitmap_parselist(text, map), 0);
	return map;
}

static void set_operations(void **state)
{
	struct bitmap *a = list(100, "0-3,70"), *b = list(100, "3,70-80"), *c = bitmap_new(100);
	struct bitmap *small = list(4, "0-3");

	(void)state;
	assert_true(bitmap_and(c, a, b));
	assert_int_equal(bitmap_weight(c), 2);
	assert_true(bitmap_subset(c, a) && bitmap_subset(c, b) && !bitmap_subset(a, c));
	assert_true(bitmap_intersects(a, b));
	bitmap_clear(b, 3);
	assert_false(bitmap_intersects(small, b));
	bitmap_set(b, 3);
	assert_false(bitmap_equal(a, c));
	bitmap_copy(c, a);
	assert_true(bitmap_equal(a, c));
	/* Sizes that differ. */
	assert_true(bitmap_subset(small, a) && !bitmap_subset(a, small));
	assert_false(bitmap_equal(small, a));
	bitmap_copy(small, a);
	assert_int_equal(bitmap_weight(small), 4);
	assert_true(bitmap_subset(small, a));
	assert_true(bitmap_and(small, b, b));
	assert_int_equal(bitmap_weight(small), 1);
	assert_int_equal(bitmap_parselist("all", c), 0);
	assert_int_equal(bitmap_weight(c), 100);
	bitmap_set(c, 100);
	bitmap_clear(c, 100);
	assert_false(bitmap_test(c, 100));
	bitmap_clear(c, 99);
	assert_int_equal(bitmap_next(c, 99), 100);
	assert_int_equal(bitmap_next(c, 98), 98);
	assert_int_equal(bitmap_next(c, UINT_MAX), 100);
	bitmap_zero(c);
	assert_true(bitmap_empty(c));
	assert_false(bitmap_and(c, a, c));
	assert_null(bitmap_new(BITMAP_MAX_BITS + 1));
	bitmap_free(small);
	bitmap_free(a);
	bitmap_free(b);
	bitmap_free(c);
	bitmap_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_u64),
		cmocka_unit_test(kernel_s64),
		cmocka_unit_test(kernel_max),
		cmocka_unit_test(kernel_pages),
		cmocka_unit_test(kernel_cpus),
		cmocka_unit_test(kernel_mems),
		cmocka_unit_test(kernel_device),
		cmocka_unit_test(sizes_of_types),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(page_counter),
		cmocka_unit_test(strip),
		cmocka_unit_test(parselist),
		cmocka_unit_test(parselist_len),
		cmocka_unit_test(print_cut),
		cmocka_unit_test(set_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
