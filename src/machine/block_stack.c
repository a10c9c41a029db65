/* SPDX-License-Identifier: MIT */
/* What a block device is made of: /sys/dev/block/MAJ:MIN/slaves of dm and md, and a loop device's file. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "internal.h"
#include "machine_block.h"
#include "machine_device.h"

struct stack {
	const struct machine *machine;
	struct machine_block *below;
	unsigned int nr, max;
};

bool machine_parse_block(const char *text, size_t len, struct machine_block *block)
{
	struct span rest = {text, text + len};
	uint64_t major, minor;

	if (!span_digits(&rest, &major) || rest.at == rest.end || *rest.at++ != ':' ||
	    !span_digits(&rest, &minor) || major > UINT_MAX || minor > UINT_MAX)
		return false;
	*block = (struct machine_block){major, minor};
	return true;
}

static bool read_numbers(const struct machine *machine, const char *path, struct machine_block *block)
{
	struct file file;
	bool found;

	if (file_read(machine->sys, path, FILE_RECORD, &file))
		return false;
	found = machine_parse_block(file.text, file.len, block);
	file_free(&file);
	return found;
}

/* Adds the disk, that of a partition. */
static void add_disk(struct stack *stack, struct machine_block block)
{
	struct machine_block disk;
	char path[64];

	snprintf(path, sizeof(path), "dev/block/%u:%u/../dev", block.major, block.minor);
	if (machine_block_is_partition(stack->machine, block.major, block.minor) &&
	    read_numbers(stack->machine, path, &disk))
		block = disk;
	if (stack->nr < stack->max)
		stack->below[stack->nr++] = block;
}

static int visit_slave(const char *name, void *arg)
{
	struct stack *stack = arg;
	struct machine_block block;
	char path[32 + NAME_MAX];

	snprintf(path, sizeof(path), "class/block/%s/dev", name);
	if (read_numbers(stack->machine, path, &block))
		add_disk(stack, block);
	return 0;
}

/* The path is the one by which whoever set the loop device up knew the file: it may be none of ours. */
static void add_backing_file(struct stack *stack, unsigned int major, unsigned int minor)
{
	char path[64], name[PATH_MAX + 2];
	struct span rest, line;
	struct file file;
	struct stat st;
	int len = 0;

	snprintf(path, sizeof(path), "dev/block/%u:%u/loop/backing_file", major, minor);
	if (file_read(stack->machine->sys, path, FILE_RECORD, &file))
		return;
	rest = (struct span){file.text, file.text + file.len};
	if (span_line(&rest, &line))
		len = snprintf(name, sizeof(name), "..%.*s", (int)(line.end - line.at), line.at);
	file_free(&file);
	if (len > 0 && len < (int)sizeof(name) &&
	    !fstatat(stack->machine->sys, name, &st, 0) && major(st.st_dev))
		add_disk(stack, (struct machine_block){major(st.st_dev), minor(st.st_dev)});
}

unsigned int machine_block_below(const struct machine *machine, unsigned int major,
				 unsigned int minor, struct machine_block *below, unsigned int max)
{
	struct stack stack = {.machine = machine, .below = below, .max = max};
	char path[64];

	snprintf(path, sizeof(path), "dev/block/%u:%u/slaves", major, minor);
	dir_visit(machine->sys, path, visit_slave, &stack);
	add_backing_file(&stack, major, minor);
	return stack.nr;
}
