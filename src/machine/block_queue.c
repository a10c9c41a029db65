/* SPDX-License-Identifier: MIT */
/* /sys/dev/block/MAJ:MIN/queue */
#include <stdio.h>

#include "internal.h"
#include "machine_block.h"

bool machine_parse_scheduler(const char *text, size_t len, const char *name)
{
	struct span rest = { text, text + len }, word;
	size_t name_len = strlen(name);

	while (span_word(&rest, &word)) {
		if (*word.at == '[' && (size_t)(word.end - word.at) == name_len + 2)
			return !memcmp(word.at + 1, name, name_len) && word.end[-1] == ']';
	}
	return false;
}

bool machine_block_is_rotational(const struct machine *machine, unsigned int major, unsigned int minor)
{
	struct file file;
	char path[64];
	bool rotational;

	snprintf(path, sizeof(path), "dev/block/%u:%u/queue/rotational", major, minor);
	if (file_read(machine->sys, path, FILE_RECORD, &file))
		return false;
	rotational = file.len && file.text[0] == '1';
	file_free(&file);
	return rotational;
}

bool machine_block_has_scheduler(const struct machine *machine, unsigned int major,
				 unsigned int minor, const char *name)
{
	struct file file;
	char path[64];
	bool found;

	snprintf(path, sizeof(path), "dev/block/%u:%u/queue/scheduler", major, minor);
	if (file_read(machine->sys, path, FILE_RECORD, &file))
		return false;
	found = machine_parse_scheduler(file.text, file.len, name);
	file_free(&file);
	return found;
}
