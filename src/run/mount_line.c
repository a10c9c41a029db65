/* SPDX-License-Identifier: MIT */
/* Reading the kernel's mount tables. */
#include "mount_line.h"

bool slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) && !memcmp(slice.data, text, slice.len);
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

bool slice_is_below(struct slice path, struct slice directory)
{
	if (directory.len == 1) /* "/" */
		return path.len && path.data[0] == '/';
	return path.len >= directory.len && !memcmp(path.data, directory.data, directory.len) &&
	       (path.len == directory.len || path.data[directory.len] == '/');
}

bool mount_take_line(struct slice *text, struct slice *line)
{
	const char *newline;

	if (!text->len)
		return false;
	newline = memchr(text->data, '\n', text->len);
	line->data = text->data;
	line->len = newline ? (size_t)(newline + 1 - text->data) : text->len;
	text->data += line->len;
	text->len -= line->len;
	return true;
}

/* Takes the first word, and the blank after it, off the line. */
static struct slice take_word(struct slice *line)
{
	struct slice word = {line->data, 0};
	size_t taken;

	while (word.len < line->len && word.data[word.len] != ' ' && word.data[word.len] != '\n')
		word.len++;
	taken = word.len < line->len ? word.len + 1 : word.len;
	line->data += taken;
	line->len -= taken;
	return word;
}

bool mount_parse(struct slice line, struct mount *mount)
{
	const char *optional;
	struct slice word;

	mount->line = line;
	mount->id = take_word(&line);
	mount->parent = take_word(&line);
	mount->device = take_word(&line);
	mount->root = take_word(&line);
	mount->point = take_word(&line);
	mount->options = take_word(&line);
	optional = mount->options.data + mount->options.len;
	do {
		word = take_word(&line);
	} while (word.len && !slice_is(word, "-"));
	mount->optional = (struct slice){optional, (size_t)(word.data - 1 - optional)};
	mount->type = take_word(&line);
	mount->source = take_word(&line);
	mount->super_options = take_word(&line);
	return mount->super_options.len;
}

bool mount_take_of_mounts(struct slice *table, struct slice *record, struct slice *point)
{
	struct slice words;

	if (!mount_take_line(table, record))
		return false;
	words = *record;
	take_word(&words);
	*point = take_word(&words);
	return true;
}

static bool starts_record(struct slice text)
{
	static const char device[] = "device ", no_device[] = "no device ";

	return (text.len >= strlen(device) && !memcmp(text.data, device, strlen(device))) ||
	       (text.len >= strlen(no_device) && !memcmp(text.data, no_device, strlen(no_device)));
}

/* "device X mounted on Y with fstype Z", and lines of statistics that some filesystems have. */
bool mount_take_of_mountstats(struct slice *table, struct slice *record, struct slice *point)
{
	struct slice words, line;

	if (!mount_take_line(table, record))
		return false;
	words = *record;
	while (words.len && !slice_is(take_word(&words), "on"))
		;
	*point = take_word(&words);
	while (table->len && !starts_record(*table) && mount_take_line(table, &line))
		record->len += line.len;
	return true;
}

void mount_add_path(struct text *out, const char *path)
{
	for (; *path; path++) {
		if (strchr(" \t\n\\", *path))
			text_printf(out, "\\%03o", (unsigned char)*path);
		else
			text_add_bytes(out, path, 1);
	}
}
