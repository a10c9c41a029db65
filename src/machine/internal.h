/* SPDX-License-Identifier: MIT */
/* What the files of this room share: reading whole files, and scanning their text. */
#ifndef MACHINE_INTERNAL_H
#define MACHINE_INTERNAL_H

#include <string.h>

#include "machine.h"

struct machine {
	int proc;	/* O_PATH of ROOT/proc */
	int sys;	/* of ROOT/sys, -1: there is none */
	bool is_own;	/* the one we run on, not a test's, and pids are those of our namespace */
	bool lacks_schedstat; /* it is our own, and its tasks have no such file: gVisor's have not */
	struct patient *patient; /* who asks for what may never come: patient.c */
	bool is_patient;
	_Atomic int *kept;	/* KEPT_NR descriptors that nobody reads now, -1: none */
	/* What a kernel keeps until it ends: nr_cpu_ids and MAX_NUMNODES. */
	unsigned int cpu_bits, node_bits;
};

/* Fills cpu_bits and node_bits, once: topology.c. 0 or a negative errno. */
int measure_topology(struct machine *machine);

/* --- reading: file.c --- */

/* A file's content. Most files fit the stack; only the larger ones cost an allocation. */
struct file {
	const char *text;
	size_t len;
	char *heap;
	char stack[12288];
};

/*
 * A file that the kernel makes as one record (single_open() or sysfs) is complete with the first
 * read that comes short, which saves the read that says 0. One of many records comes in pieces.
 */
enum file_kind { FILE_RECORD, FILE_RECORDS };

/* Reads path below dir (-1: -ENOENT). 0: to be freed by file_free(); else nothing to free. */
int file_read(int dir, const char *path, enum file_kind kind, struct file *file);
void file_free(struct file *file);

/* Files of /proc that are read often. Opening one costs about half of what reading it does. */
enum kept { KEPT_STAT, KEPT_MEMINFO, KEPT_VMSTAT, KEPT_LOADAVG, KEPT_NR };

/* file_read() of one of them, mostly without opening it. */
int file_read_kept(const struct machine *machine, enum kept which, enum file_kind kind,
		   struct file *file);

/* Calls visit for each name in the directory but . and .., until it returns other than 0, which is
 * then the result. */
int dir_visit(int dir, const char *path, int (*visit)(const char *name, void *arg), void *arg);

/* A whole file that is one decimal number. 0; -EINVAL: it is something else; -ENOENT and others. */
int file_read_u64(int dir, const char *path, uint64_t *value);

/* --- scanning --- */

/* The text from at up to end. A scan that fails may have moved at. */
struct span {
	const char *at, *end;
};

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline void span_skip_blanks(struct span *s)
{
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
}

/* The next line, without its newline; false at the end. */
static inline bool span_line(struct span *s, struct span *line)
{
	const char *newline;

	if (s->at >= s->end)
		return false;
	newline = memchr(s->at, '\n', s->end - s->at);
	line->at = s->at;
	line->end = newline ? newline : s->end;
	s->at = newline ? newline + 1 : s->end;
	return true;
}

/* Digits only, here and now. False: none, or past 64 bits. */
static inline bool span_digits(struct span *s, uint64_t *value)
{
	const char *start = s->at;
	uint64_t v = 0;

	for (; s->at < s->end; s->at++) {
		unsigned int digit = (unsigned char)*s->at - '0';

		if (digit > 9)
			break;
		/* 19 digits always fit. */
		if (s->at - start < 19)
			v = v * 10 + digit;
		else if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*value = v;
	return s->at > start;
}

/* A number after blanks that ends at a blank, a newline or the end. */
static inline bool span_u64(struct span *s, uint64_t *value)
{
	span_skip_blanks(s);
	return span_digits(s, value) && (s->at == s->end || is_blank(*s->at) || *s->at == '\n');
}

/* The same with an optional minus. Negative ones come as two's complement: cast to int64_t. */
static inline bool span_number(struct span *s, uint64_t *value)
{
	bool negative;

	span_skip_blanks(s);
	negative = s->at < s->end && *s->at == '-';
	s->at += negative;
	if (!span_u64(s, value))
		return false;
	if (negative)
		*value = -*value;
	return true;
}

/* A word after blanks: not empty. */
static inline bool span_word(struct span *s, struct span *word)
{
	span_skip_blanks(s);
	word->at = s->at;
	while (s->at < s->end && !is_blank(*s->at) && *s->at != '\n')
		s->at++;
	word->end = s->at;
	return word->end > word->at;
}

/* "NAME: REST": false without a colon. */
static inline bool span_key(struct span *line, struct span *name)
{
	const char *colon = memchr(line->at, ':', line->end - line->at);

	if (!colon)
		return false;
	name->at = line->at;
	name->end = colon;
	line->at = colon + 1;
	return true;
}

/* A number of kB as bytes, or one without unit as it is. */
static inline bool span_bytes(struct span *s, uint64_t *value)
{
	struct span unit;

	if (!span_u64(s, value))
		return false;
	if (!span_word(s, &unit))
		return true;
	if (unit.end - unit.at != 2 || memcmp(unit.at, "kB", 2) || *value > UINT64_MAX / 1024)
		return false;
	*value *= 1024;
	return true;
}

/* --- names of fields --- */

struct field {
	const char *name;
	unsigned short len;	/* of name */
	unsigned short at;	/* where its value goes; what that means is the table's */
};

/*
 * The row called name, NULL if none has it. The files have their lines in the order of our tables,
 * so the search goes on where the last one ended (*hint, starts as 0): one comparison is the rule.
 */
static inline const struct field *field_find(const struct field *table, unsigned int nr,
					     unsigned int *hint, const struct span *name)
{
	size_t len = name->end - name->at;

	for (unsigned int i = 0, row = *hint; i < nr; i++, row++) {
		if (row >= nr)
			row = 0;
		if (table[row].len == len && !memcmp(table[row].name, name->at, len)) {
			*hint = row + 1;
			return &table[row];
		}
	}
	return NULL;
}

#endif
