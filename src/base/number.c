/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* lib/ctype.c: the locale must not matter, and 0xa0 counts. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return UINT_MAX;
}

char *text_strip(char *text)
{
	char *end = text + strlen(text);

	while (end > text && is_space(end[-1]))
		end--;
	*end = '\0';
	while (is_space(*text))
		text++;
	return text;
}

const char *text_skip_spaces(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

/* _parse_integer_fixup_radix() */
static const char *skip_radix(const char *text, unsigned int *base)
{
	bool prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (*base == 0) {
		if (prefix && digit_value(text[2]) < 16)
			*base = 16;
		else
			*base = text[0] == '0' ? 8 : 10;
	}
	return *base == 16 && prefix ? text + 2 : text;
}

/* _parse_integer(): the value wraps, *overflow tells. Returns the first character not used. */
static const char *parse_digits(const char *text, unsigned int base, uint64_t *value,
				bool *overflow)
{
	uint64_t v = 0;
	unsigned int digit;

	*overflow = false;
	for (; (digit = digit_value(*text)) < base; text++) {
		*overflow |= __builtin_mul_overflow(v, base, &v);
		*overflow |= __builtin_add_overflow(v, digit, &v);
	}
	*value = v;
	return text;
}

/* _kstrtoull(): after the sign. */
static int parse_unsigned(const char *text, unsigned int base, uint64_t *value)
{
	const char *digits = skip_radix(text, &base);
	bool overflow;
	uint64_t v;
	const char *end = parse_digits(digits, base, &v, &overflow);

	if (overflow)
		return -ERANGE;
	if (end == digits)
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	*value = v;
	return 0;
}

int number_parse_u64(const char *text, unsigned int base, uint64_t *value)
{
	return parse_unsigned(*text == '+' ? text + 1 : text, base, value);
}

int number_parse_s64(const char *text, unsigned int base, int64_t *value)
{
	bool negative = *text == '-';
	uint64_t v;
	int error;

	if (negative)
		error = parse_unsigned(text + 1, base, &v);
	else
		error = number_parse_u64(text, base, &v);
	if (error)
		return error;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*value = negative ? (int64_t)-v : (int64_t)v;
	return 0;
}

int number_parse_u32(const char *text, unsigned int base, uint32_t *value)
{
	uint64_t v;
	int error = number_parse_u64(text, base, &v);

	if (error)
		return error;
	if (v > UINT32_MAX)
		return -ERANGE;
	*value = v;
	return 0;
}

int number_parse_int(const char *text, unsigned int base, int *value)
{
	int64_t v;
	int error = number_parse_s64(text, base, &v);

	if (error)
		return error;
	if (v < INT_MIN || v > INT_MAX)
		return -ERANGE;
	*value = v;
	return 0;
}

uint64_t number_simple_u64(const char *text, unsigned int base, const char **end)
{
	bool overflow;
	uint64_t v;

	text = skip_radix(text, &base);
	text = parse_digits(text, base, &v, &overflow);
	if (end)
		*end = text;
	return v;
}

uint64_t number_memparse(const char *text, const char **end)
{
	static const char suffixes[] = "KMGTPE";
	uint64_t v = number_simple_u64(text, 0, &text);
	const char *suffix = NULL;

	if ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
		suffix = strchr(suffixes, *text & ~0x20);
	if (suffix) {
		v <<= 10 * (suffix - suffixes + 1);
		text++;
	}
	if (end)
		*end = text;
	return v;
}

static int scan_decimal(const char **text, uint64_t *value)
{
	const char *digits = text_skip_spaces(*text);

	if (digit_value(*digits) >= 10)
		return -EINVAL;
	*value = number_simple_u64(digits, 10, text);
	return 0;
}

int number_scan_u64(const char *text, uint64_t *value)
{
	return scan_decimal(&text, value);
}

int number_scan_dev(const char **text, unsigned int *major, unsigned int *minor)
{
	const char *at = *text;
	uint64_t maj, min;

	if (scan_decimal(&at, &maj) || *at++ != ':' || scan_decimal(&at, &min) || !is_space(*at))
		return -EINVAL;
	*major = maj;	/* truncated, as "%u" does */
	*minor = min;
	*text = text_skip_spaces(at);
	return 0;
}

uint64_t number_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

uint64_t number_pages_max(void)
{
	return INT64_MAX / number_page_size();
}

int number_parse_pages(const char *text, const char *max, uint64_t *pages)
{
	uint64_t bytes, limit = number_pages_max();

	if (!strcmp(text, max)) {
		*pages = limit;
		return 0;
	}
	bytes = number_memparse(text, &text);
	if (*text)
		return -EINVAL;
	bytes /= number_page_size();
	*pages = bytes < limit ? bytes : limit;
	return 0;
}

uint64_t number_pages_to_bytes(uint64_t pages)
{
	uint64_t limit = number_pages_max();

	return (pages < limit ? pages : limit) * number_page_size();
}

static bool scan_s64(const char **text, int64_t *value)
{
	const char *at = text_skip_spaces(*text), *end;
	bool negative = *at == '-';
	uint64_t magnitude;

	at += negative;
	if (!isdigit((unsigned char)*at))
		return false;
	magnitude = number_simple_u64(at, 10, &end);
	*value = (int64_t)(negative ? -magnitude : magnitude);
	*text = end;
	return true;
}

static uint64_t power_of_ten(size_t power)
{
	uint64_t value = 1;

	while (power--)
		value *= 10;
	return value;
}

int number_parse_hundredths(const char *text, int64_t *value)
{
	int64_t whole, part = 0;
	const char *start;
	size_t digits = 0;

	if (!scan_s64(&text, &whole))
		return -EINVAL;
	if (*text == '.') {
		start = ++text;
		if (scan_s64(&text, &part))
			digits = (size_t)(text - start);
	}
	if (part < 0)
		return -EINVAL;
	if (digits < 2)
		part = (int64_t)((uint64_t)part * power_of_ten(2 - digits));
	else
		part = (int64_t)number_divide_to_closest((uint64_t)part, power_of_ten(digits - 2));
	*value = (int64_t)((uint64_t)whole * 100 + (uint64_t)part);
	return 0;
}
