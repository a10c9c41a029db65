/* SPDX-License-Identifier: MIT */
/*
 * The kernel's number and list grammar.
 *
 * Every function is pure: no locks, no globals, no locale. Text is NUL-terminated and is not
 * stripped: whether a cgroup file strips its input is that file's own rule. In the kernel a
 * cftype's write_u64 and write_s64 do NOT strip (" 5" and "5 " are -EINVAL there, "5\n" is fine),
 * a cftype's write handler usually calls strstrip() first: use text_strip() where it does.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Remove white space (isspace() of ASCII and 0xa0, as the kernel's) at both ends of text, in
 * place. Returns the first character that remains, which points into text. lib/string_helpers.c
 * strim(), linux/string.h strstrip().
 */
char *text_strip(char *text);

/* value * part / whole without overflow on the way; 0 of nothing. lib/math/div64.c mul_u64_u64_div_u64(). */
static inline uint64_t number_scale(uint64_t value, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((unsigned __int128)value * part / whole) : 0;
}

/* First character of text that is not white space. lib/string_helpers.c skip_spaces(). */
const char *text_skip_spaces(const char *text);

/*
 * kstrtoull() and friends, lib/kstrtox.c. base is 0 (0x hexadecimal, leading 0 octal, else
 * decimal), 8, 10 or 16 (which also accepts 0x). One '+' may come first (one '-' too in the
 * signed forms, not both), one newline may follow; nothing else, and no white space.
 * 0; -EINVAL: no digit, or something after the number; -ERANGE: does not fit the type (checked
 * before what follows the number, as the kernel does). *value is untouched on error.
 */
int number_parse_u64(const char *text, unsigned int base, uint64_t *value);
int number_parse_s64(const char *text, unsigned int base, int64_t *value);
int number_parse_u32(const char *text, unsigned int base, uint32_t *value);
int number_parse_int(const char *text, unsigned int base, int *value);

/*
 * simple_strtoull(), lib/vsprintf.c: the digits at the start of text, wrapping modulo 2^64. No
 * sign, no white space. *end (may be NULL) is the first character not used; text itself when
 * there is no digit, and then the value is 0.
 */
uint64_t number_simple_u64(const char *text, unsigned int base, const char **end);

/*
 * memparse(), lib/cmdline.c: number_simple_u64() in base 0 with one optional suffix
 * K M G T P E (or small), powers of 1024, bits shifted out are lost. Nothing is an error; *end
 * (may be NULL) tells what was used. Bytes.
 */
uint64_t number_memparse(const char *text, const char **end);

/*
 * sscanf(text, "%llu") as the kernel's lib/vsprintf.c vsscanf() does it: white space, decimal
 * digits (wrapping), and whatever follows is ignored. 0, or -EINVAL when there is no digit.
 * Used by blkcg (blk-throttle.c tg_set_conf()).
 */
int number_scan_u64(const char *text, uint64_t *value);

/*
 * blkg_conf_open_bdev(), block/blk-cgroup.c: "MAJ:MIN VALUE". *text is moved to the first
 * character of VALUE. 0; -EINVAL: not of this form, white space after MIN is required.
 * Whether there is such a device (-ENODEV) is the caller's question (machine_device.h).
 */
int number_scan_dev(const char **text, unsigned int *major, unsigned int *minor);

/*
 * cgroup_parse_float() of kernel/cgroup/cgroup.c with two decimals: "12.5" is 1250. More decimals are
 * rounded, what is too large wraps as there, and what follows is ignored. 0, -EINVAL.
 */
int number_parse_hundredths(const char *text, int64_t *value);

/* DIV_ROUND_CLOSEST_ULL() of linux/math.h. */
static inline uint64_t number_divide_to_closest(uint64_t value, uint64_t by)
{
	return (value + by / 2) / by;
}

/* --- pages: mm/page_counter.c --- */

/* Bytes in a page of this machine. */
uint64_t number_page_size(void);

/* PAGE_COUNTER_MAX in pages: LONG_MAX / page size; as bytes it prints 9223372036854771712. */
uint64_t number_pages_max(void);

/*
 * page_counter_memparse(): text is exactly max (the word for no limit: "-1" in v1, "max" in v2),
 * or bytes as number_memparse(), rounded down to pages and saturated at number_pages_max().
 * The empty text is 0. 0; -EINVAL: something follows the number. Does not strip.
 */
int number_parse_pages(const char *text, const char *max, uint64_t *pages);

/* Bytes of pages; pages is at most number_pages_max(), more saturates. */
uint64_t number_pages_to_bytes(uint64_t pages);

/* --- number lists: lib/bitmap-str.c --- */

#define BITMAP_MAX_BITS 8192u	/* NR_CPUS of the largest distribution kernels */

/*
 * Bits 0 to nr - 1, as one heap block of 8 + nr/8 bytes rounded up to 8. Owned by who made it.
 * Bits past nr are always 0. Two bitmaps given to one function may differ in nr: bits that one
 * lacks read as 0, and what dst lacks is dropped.
 */
struct bitmap {
	unsigned int nr;
	uint64_t words[];
};

/* New, empty, nr bits (0 to BITMAP_MAX_BITS). NULL: no memory or nr too large. bitmap_free(). */
struct bitmap *bitmap_new(unsigned int nr);
/* NULL is fine. */
void bitmap_free(struct bitmap *map);
/* For __attribute__((cleanup(bitmap_freep))). */
static inline void bitmap_freep(struct bitmap **map)
{
	bitmap_free(*map);
}

/* dst becomes src, each keeping its size. */
void bitmap_copy(struct bitmap *dst, const struct bitmap *src);
/* No bit is set any more. */
void bitmap_zero(struct bitmap *map);
/* A bit at or past nr: set and clear do nothing, test is false. */
void bitmap_set(struct bitmap *map, unsigned int bit);
void bitmap_clear(struct bitmap *map, unsigned int bit);
bool bitmap_test(const struct bitmap *map, unsigned int bit);

/* dst may be a or b. Returns whether dst has a bit set, as the kernel's. */
bool bitmap_and(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b);
/* The bits of a that b has not; returns the same. */
bool bitmap_andnot(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b);
/* The bits of either. */
void bitmap_or(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b);

/* The same bits are set. */
bool bitmap_equal(const struct bitmap *a, const struct bitmap *b);
/* Each bit of a is in b too; the empty one is a subset of all. */
bool bitmap_subset(const struct bitmap *a, const struct bitmap *b);
bool bitmap_intersects(const struct bitmap *a, const struct bitmap *b);
bool bitmap_empty(const struct bitmap *map);
unsigned int bitmap_weight(const struct bitmap *map);

/* The first set bit at or after from; map->nr or more when there is none (so: for (b =
 * bitmap_next(m, 0); b < m->nr; b = bitmap_next(m, b + 1))). */
unsigned int bitmap_next(const struct bitmap *map, unsigned int from);

/*
 * bitmap_parselist(): regions of text set in map (emptied first), separated by commas and white
 * space: "3", "0-3", "N" (the last bit), "0-31:1/2" (the first of every 2), "all", "all:1/2".
 * A newline after a region ends the text. The empty text is the empty list.
 * 0; -EINVAL: not of this form, or a range backwards, or a pattern of length 0 or longer than its
 * group; -ERANGE: a bit past map->nr; -EOVERFLOW: a number past 32 bits. On error map holds what
 * came before it, as the kernel's: parse into a scratch map. cpuset's CPU lists have
 * nr = number of possible CPUs, its node lists machine_node_bits().
 */
int bitmap_parselist(const char *text, struct bitmap *map);

/* As above with text of len bytes that need not be NUL-terminated; a NUL ends it. */
int bitmap_parselist_len(const char *text, size_t len, struct bitmap *map);

/*
 * "%*pbl": "0-1,3", "" for none. Like snprintf(): writes at most size bytes with the NUL (nothing
 * when size is 0) and returns the length of the whole text without it.
 */
size_t bitmap_print_list(const struct bitmap *map, char *text, size_t size);

#endif
