/* SPDX-License-Identifier: MIT */
/* What -d tells: changes in our own terms, beside libfuse's trace of the requests. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "operations.h"
#include "text.h"

#define VALUE_MAX 64 /* bytes of a written value that are told */

void trace_fuse_log(enum fuse_log_level level, const char *format, va_list args)
{
	char line[512];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	if (level <= FUSE_LOG_WARNING)
		log_warning("%s", line);
	else if (level <= FUSE_LOG_INFO)
		log_info("libfuse: %s", line);
	else
		log_debug("libfuse: %s", line);
}

/* As one word of one line, whatever a client wrote or named. */
static void print_word(char *word, size_t size, const char *bytes, size_t len)
{
	while (len && (bytes[len - 1] == '\n' || !bytes[len - 1]))
		len--;
	if (len > size - 1)
		len = size - 1;
	memcpy(word, bytes, len);
	text_make_printable(word, len);
	word[len] = '\0';
}

static void tell(const char *what, const char *path, size_t path_len, const char *value, size_t len,
		 int error)
{
	struct caller caller = current_caller();
	char name[512], word[VALUE_MAX + 1];

	print_word(name, sizeof(name), path, path_len);
	print_word(word, sizeof(word), value, len);
	log_debug("%s %s%s%s%s by task %d of user %u: %s", what, name, len ? " \"" : "", word,
		  len ? "\"" : "", caller.tid, caller.uid, error ? strerror(-error) : "done");
}

void trace_change(const char *what, const char *path, const char *value, int error)
{
	if (log_is_debug())
		tell(what, path, strlen(path), value, strlen(value), error);
}

/* libfuse does not say where an open file is: its cgroup knows. */
void trace_write(const struct node *node, const char *bytes, size_t size, int error)
{
	const struct hierarchy *hierarchy = node->cgroup->hierarchy;
	struct text path = {0};

	if (!log_is_debug())
		return;
	tree_read_lock(hierarchy->tree);
	text_printf(&path, "%s%s", *hierarchy->name ? "/" : "", hierarchy->name);
	cgroup_add_path(node->cgroup, &path);
	tree_unlock(hierarchy->tree);
	text_printf(&path, "%s%s", path.len && path.data[path.len - 1] == '/' ? "" : "/", node->file->name);
	tell("write", path.data ? path.data : "", path.len, bytes, size, error);
	text_free(&path);
}
