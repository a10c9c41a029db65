/* SPDX-License-Identifier: MIT */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * A growing buffer that a file's content is written into (the kernel's
 * struct seq_file). The first failed allocation sticks in `error`; later
 * additions do nothing, so writers need not check each call.
 * Not thread-safe; {0} is an empty buffer.
 */
struct text {
	char *data; /* not NUL-terminated; NULL while nothing was added */
	size_t len; /* bytes used */
	size_t capacity; /* bytes allocated */
	int error; /* 0 or -ENOMEM */
};

/* Forgets the content and the error, keeps the memory for the next use. */
void text_clear(struct text *text);

/* Frees the memory; the buffer may be used again. */
void text_free(struct text *text);

/* Appends `len` bytes. */
void text_add_bytes(struct text *text, const char *bytes, size_t len);

/* Appends a NUL-terminated string (seq_puts). */
void text_add(struct text *text, const char *string);

/* Appends a number in decimal; much faster than text_printf. */
void text_add_u64(struct text *text, uint64_t value);
void text_add_s64(struct text *text, int64_t value);

/* Appends "NAME VALUE\n", the line of every flat-keyed cgroup file. */
void text_add_pair(struct text *text, const char *name, uint64_t value);

/*
 * A word of the mount tables: "\\040" and the like become the character they stand for, in place (mangle() of
 * fs/proc_namespace.c).
 */
void text_unescape(char *word);

/*
 * What others wrote or named, as a word of one line that a terminal only shows: each byte that is no
 * printable character of ASCII becomes '?', in place.
 */
void text_make_printable(char *bytes, size_t len);

/* Appends as printf does (seq_printf). */
void text_printf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
