/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- the map --- */

static unsigned int nr_words(const struct bitmap *map)
{
	return (map->nr + 63) / 64;
}

static uint64_t word(const struct bitmap *map, unsigned int i)
{
	return i < nr_words(map) ? map->words[i] : 0;
}

/* Keeps the rule that bits past nr are 0. */
static void trim(struct bitmap *map)
{
	if (map->nr % 64)
		map->words[map->nr / 64] &= (UINT64_C(1) << map->nr % 64) - 1;
}

struct bitmap *bitmap_new(unsigned int nr)
{
	struct bitmap *map;

	if (nr > BITMAP_MAX_BITS)
		return NULL;
	map = calloc(1, sizeof(*map) + (nr + 63) / 64 * sizeof(map->words[0]));
	if (map)
		map->nr = nr;
	return map;
}

void bitmap_free(struct bitmap *map)
{
	free(map);
}

void bitmap_copy(struct bitmap *dst, const struct bitmap *src)
{
	bitmap_and(dst, src, src);
}

void bitmap_zero(struct bitmap *map)
{
	memset(map->words, 0, nr_words(map) * sizeof(map->words[0]));
}

void bitmap_set(struct bitmap *map, unsigned int bit)
{
	if (bit < map->nr)
		map->words[bit / 64] |= UINT64_C(1) << bit % 64;
}

void bitmap_clear(struct bitmap *map, unsigned int bit)
{
	if (bit < map->nr)
		map->words[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

bool bitmap_test(const struct bitmap *map, unsigned int bit)
{
	return bit < map->nr && map->words[bit / 64] >> bit % 64 & 1;
}

bool bitmap_and(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < nr_words(dst); i++)
		dst->words[i] = word(a, i) & word(b, i);
	trim(dst);
	return !bitmap_empty(dst);
}

bool bitmap_andnot(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < nr_words(dst); i++)
		dst->words[i] = word(a, i) & ~word(b, i);
	trim(dst);
	return !bitmap_empty(dst);
}

void bitmap_or(struct bitmap *dst, const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < nr_words(dst); i++)
		dst->words[i] = word(a, i) | word(b, i);
	trim(dst);
}

static unsigned int max_words(const struct bitmap *a, const struct bitmap *b)
{
	return nr_words(a) > nr_words(b) ? nr_words(a) : nr_words(b);
}

bool bitmap_equal(const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < max_words(a, b); i++)
		if (word(a, i) != word(b, i))
			return false;
	return true;
}

bool bitmap_subset(const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < nr_words(a); i++)
		if (a->words[i] & ~word(b, i))
			return false;
	return true;
}

bool bitmap_intersects(const struct bitmap *a, const struct bitmap *b)
{
	for (unsigned int i = 0; i < nr_words(a); i++)
		if (a->words[i] & word(b, i))
			return true;
	return false;
}

bool bitmap_empty(const struct bitmap *map)
{
	for (unsigned int i = 0; i < nr_words(map); i++)
		if (map->words[i])
			return false;
	return true;
}

unsigned int bitmap_weight(const struct bitmap *map)
{
	unsigned int weight = 0;

	for (unsigned int i = 0; i < nr_words(map); i++)
		weight += __builtin_popcountll(map->words[i]);
	return weight;
}

unsigned int bitmap_next(const struct bitmap *map, unsigned int from)
{
	if (from >= map->nr)
		return map->nr;
	for (unsigned int i = from / 64; i < nr_words(map); i++) {
		uint64_t w = map->words[i];

		if (i == from / 64)
			w &= ~UINT64_C(0) << from % 64;
		if (w)
			return i * 64 + __builtin_ctzll(w);
	}
	return map->nr;
}

/* The first clear bit at or after from, nr when there is none. */
static unsigned int next_clear(const struct bitmap *map, unsigned int from)
{
	while (from < map->nr) {
		uint64_t clear = ~map->words[from / 64] >> from % 64;

		if (clear) {
			from += __builtin_ctzll(clear);
			break;
		}
		from = (from / 64 + 1) * 64;
	}
	return from < map->nr ? from : map->nr;
}

/* --- the grammar --- */

/* Text that ends at end or at a NUL, whichever comes first. */
struct cursor {
	const char *at, *end;
};

static char peek(const struct cursor *c)
{
	return c->at < c->end ? *c->at : '\0';
}

static bool ends_text(char c)
{
	return c == '\0' || c == '\n';
}

static bool separates(char c)
{
	return c == ',' || c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

/* start-end:used/group, all unsigned as in the kernel, which wraps where we wrap. */
struct region {
	unsigned int start, end, used, group;
};

/* bitmap_getnum() */
static int parse_number(struct cursor *c, unsigned int last, unsigned int *value)
{
	const char *digits = c->at;
	uint64_t v = 0;
	bool overflow = false;

	if (peek(c) == 'N') {
		c->at++;
		*value = last;
		return 0;
	}
	for (; peek(c) >= '0' && peek(c) <= '9'; c->at++) {
		v = v * 10 + (*c->at - '0');
		overflow |= v > UINT32_MAX;
		v &= UINT32_MAX;
	}
	if (c->at == digits)
		return -EINVAL;
	if (overflow)
		return -EOVERFLOW;
	*value = v;
	return 0;
}

/* bitmap_parse_region(): *done tells that nothing follows. */
static int parse_region(struct cursor *c, unsigned int last, struct region *r, bool *done)
{
	int error;

	if (c->end - c->at >= 3 && !strncasecmp(c->at, "all", 3)) {
		r->start = 0;
		r->end = last;
		c->at += 3;
	} else {
		if ((error = parse_number(c, last, &r->start)))
			return error;
		r->end = r->start;
		if (peek(c) == '-') {
			c->at++;
			if ((error = parse_number(c, last, &r->end)))
				return error;
		} else if (!separates(peek(c)) && !ends_text(peek(c))) {
			return -EINVAL;
		}
	}
	if (separates(peek(c)) || ends_text(peek(c))) {
		r->used = r->group = r->end + 1;
		*done = ends_text(peek(c));
		return 0;
	}
	*done = false;
	if (peek(c) != ':')
		return -EINVAL;
	c->at++;
	if ((error = parse_number(c, last, &r->used)))
		return error;
	if (peek(c) != '/')
		return -EINVAL;
	c->at++;
	return parse_number(c, last, &r->group);
}

/* bitmap_check_region() */
static int check_region(const struct region *r, unsigned int nr)
{
	if (r->start > r->end || r->group == 0 || r->used > r->group)
		return -EINVAL;
	return r->end >= nr ? -ERANGE : 0;
}

/* bitmap_set_region() */
static void set_region(const struct region *r, struct bitmap *map)
{
	for (unsigned int start = r->start; start <= r->end; start += r->group) {
		unsigned int left = r->end - start + 1;
		unsigned int used = left < r->used ? left : r->used;

		for (unsigned int i = 0; i < used; i++)
			bitmap_set(map, start + i);
	}
}

int bitmap_parselist_len(const char *text, size_t len, struct bitmap *map)
{
	struct cursor c = { text, text + len };
	struct region r;
	bool done = false;
	int error;

	bitmap_zero(map);
	while (!done) {
		while (separates(peek(&c)))
			c.at++;
		if (ends_text(peek(&c)))
			return 0;
		error = parse_region(&c, map->nr - 1, &r, &done);
		if (!error)
			error = check_region(&r, map->nr);
		if (error)
			return error;
		set_region(&r, map);
	}
	return 0;
}

int bitmap_parselist(const char *text, struct bitmap *map)
{
	return bitmap_parselist_len(text, strlen(text), map);
}

/* --- printing --- */

struct printer {
	char *text;
	size_t size, len;
};

static void put(struct printer *p, char c)
{
	if (p->len + 1 < p->size)
		p->text[p->len] = c;
	p->len++;
}

static void put_number(struct printer *p, unsigned int value)
{
	char digits[10];
	int n = 0;

	do
		digits[n++] = '0' + value % 10;
	while (value /= 10);
	while (n)
		put(p, digits[--n]);
}

size_t bitmap_print_list(const struct bitmap *map, char *text, size_t size)
{
	struct printer p = { text, size, 0 };
	unsigned int start, end;

	for (start = bitmap_next(map, 0); start < map->nr; start = bitmap_next(map, end)) {
		end = next_clear(map, start);
		if (p.len)
			put(&p, ',');
		put_number(&p, start);
		if (end - start > 1) {
			put(&p, '-');
			put_number(&p, end - 1);
		}
	}
	if (size)
		text[p.len < size ? p.len : size - 1] = '\0';
	return p.len;
}
