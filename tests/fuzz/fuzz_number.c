/* SPDX-License-Identifier: MIT */
/*
 * The number and list grammar. Numbers are compared with the C library's strtoull(), which knows
 * the same digits; lists with what printing and parsing them again makes of them.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>

#include "number.h"

/* kstrtoull() made of strtoull(), which also takes white space and signs: those are ruled out. */
static int expected_u64(const char *text, int base, uint64_t *value)
{
	unsigned long long v;
	char *end;

	if (*text == '+')
		text++;
	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, base);
	if (errno == ERANGE)
		return -ERANGE;
	/* "0x" without a digit is a 0 to strtoull() and nothing to the kernel's base 16. */
	if (end == text || (base == 16 && *end && (*end | 0x20) == 'x'))
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	*value = v;
	return 0;
}

static void check_unsigned(const char *text)
{
	static const int bases[] = { 0, 8, 10, 16 };

	for (int i = 0; i < 4; i++) {
		uint64_t v = 1, expected = 1;
		uint32_t v32 = 1;
		int error = number_parse_u64(text, bases[i], &v);

		CHECK(error == expected_u64(text, bases[i], &expected));
		CHECK(v == expected);
		CHECK(number_parse_u32(text, bases[i], &v32) ==
		      (!error && v > UINT32_MAX ? -ERANGE : error));
		CHECK(v32 == (!error && v <= UINT32_MAX ? v : 1));
	}
}

static void check_signed(const char *text)
{
	int64_t v = 1, again;
	uint64_t magnitude;
	char printed[32];
	int small = 1, error = number_parse_s64(text, 0, &v);

	if (error) {
		CHECK((error == -EINVAL || error == -ERANGE) && v == 1);
		CHECK(number_parse_int(text, 0, &small) == error && small == 1);
		return;
	}
	CHECK(!number_parse_u64(text + (*text == '-'), 0, &magnitude));
	CHECK((uint64_t)v == (*text == '-' ? -magnitude : magnitude));
	snprintf(printed, sizeof(printed), "%lld\n", (long long)v);
	CHECK(!number_parse_s64(printed, 0, &again) && again == v);
	error = number_parse_int(text, 0, &small);
	CHECK(error == (v < INT_MIN || v > INT_MAX ? -ERANGE : 0) && (error || small == v));
}

static void check_bytes(const char *text)
{
	const char *end, *digits;
	uint64_t bytes = number_memparse(text, &end), plain = number_simple_u64(text, 0, &digits);
	uint64_t pages = 1, again;
	char printed[32];

	CHECK(end >= digits && end - digits <= 1 && digits >= text);
	CHECK(end == digits ? bytes == plain : strchr("kmgtpeKMGTPE", *digits) != NULL);
	CHECK(end == digits || bytes % 1024 == 0);
	if (number_parse_pages(text, "-1", &pages)) {
		CHECK(*end && pages == 1);
		return;
	}
	CHECK(pages <= number_pages_max());
	CHECK(!strcmp(text, "-1") || pages <= bytes / number_page_size());
	snprintf(printed, sizeof(printed), "%llu",
		 (unsigned long long)number_pages_to_bytes(pages));
	CHECK(!number_parse_pages(printed, "-1", &again) && again == pages);
}

static void check_scan(const char *text)
{
	const char *at = text;
	unsigned int major = 1, minor = 1;
	uint64_t v, simple;

	if (!number_scan_u64(text, &v)) {
		simple = number_simple_u64(text_skip_spaces(text), 10, NULL);
		CHECK(v == simple);
	}
	if (number_scan_dev(&at, &major, &minor))
		CHECK(at == text && major == 1 && minor == 1);
	else
		CHECK(at > text + 3 && at <= text + strlen(text) && strchr(text, ':') < at &&
		      text_skip_spaces(at) == at);
}

static void check_strip(const char *text)
{
	char *copy = strdup(text), *stripped = text_strip(copy);

	CHECK(stripped >= copy && strlen(stripped) <= strlen(text));
	CHECK(strstr(text, stripped));
	CHECK(text_skip_spaces(stripped) == stripped);
	CHECK(text_strip(stripped) == stripped);
	free(copy);
}

static void check_print(const struct bitmap *map)
{
	size_t len = bitmap_print_list(map, NULL, 0);
	char *text = malloc(len + 1), *half = malloc(len / 2 + 1);
	struct bitmap *again = bitmap_new(map->nr);

	CHECK(bitmap_print_list(map, text, len + 1) == len && strlen(text) == len);
	CHECK(!bitmap_parselist(text, again) && bitmap_equal(map, again));
	CHECK(bitmap_print_list(map, half, len / 2 + 1) == len);
	CHECK(!strncmp(half, text, len / 2) && !half[len / 2]);
	bitmap_free(again);
	free(text);
	free(half);
}

static void check_sets(const struct bitmap *a, const struct bitmap *b)
{
	struct bitmap *both = bitmap_new(a->nr);
	bool any = bitmap_and(both, a, b);

	CHECK(any == bitmap_intersects(a, b) && any == !bitmap_empty(both));
	CHECK(bitmap_subset(both, a) && bitmap_subset(both, b));
	CHECK(bitmap_subset(a, b) == (bitmap_weight(both) == bitmap_weight(a)));
	bitmap_free(both);
}

static void check_list(const char *text, size_t size, unsigned int nr)
{
	struct bitmap *map = bitmap_new(nr), *other = bitmap_new(nr);
	int error = bitmap_parselist(text, map);
	unsigned int weight = 0;

	CHECK(error == 0 || error == -EINVAL || error == -ERANGE || error == -EOVERFLOW);
	CHECK(bitmap_parselist_len(text, size, other) == error && bitmap_equal(map, other));
	for (unsigned int b = bitmap_next(map, 0); b < nr; b = bitmap_next(map, b + 1)) {
		CHECK(bitmap_test(map, b));
		weight++;
	}
	CHECK(weight == bitmap_weight(map) && bitmap_empty(map) == !weight);
	check_print(map);
	bitmap_parselist_len(text, size / 2, other);
	check_sets(map, other);
	bitmap_free(map);
	bitmap_free(other);
}

/* The first byte chooses the size of the list. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int sizes[] = { 0, 1, 2, 63, 64, 65, 1000, 8192 };
	char *text;

	if (!size)
		return 0;
	text = fuzz_string(data + 1, size - 1);
	check_unsigned(text);
	check_signed(text);
	check_bytes(text);
	check_scan(text);
	check_strip(text);
	check_list(text, size - 1, sizes[data[0] % 8]);
	free(text);
	return 0;
}
