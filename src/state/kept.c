/* SPDX-License-Identifier: MIT */
/* The format of a state file: writing its parts, and reading all of it. */
#include "kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD (3 * sizeof(uint64_t))

void kept_put_magic(struct text *out)
{
	text_printf(out, STATE_MAGIC "%d\n", STATE_VERSION);
}

static uint64_t head_hash(uint64_t len, uint64_t hash)
{
	const uint64_t head[] = {len, hash};

	return bytes_hash(head, sizeof(head));
}

void kept_put_record(struct text *out, const struct text *content)
{
	uint64_t hash = bytes_hash(content->data, content->len);

	if (content->error)
		out->error = content->error;
	bytes_put_u64(out, content->len);
	bytes_put_u64(out, hash);
	bytes_put_u64(out, head_hash(content->len, hash));
	text_add_bytes(out, content->data, content->len);
}

void kept_put_entry(struct text *content, enum entry_kind kind, uint64_t number,
		    const struct text *bytes)
{
	static const struct text nothing;

	bytes_put_u64(content, kind);
	bytes_put_u64(content, number);
	bytes_put_text(content, bytes ? bytes : &nothing);
}

/* --- reading --- */

static const char out_of_memory[] = "out of memory";

static struct kept_cgroup *get_cgroup(struct kept *kept, uint64_t number)
{
	struct kept_cgroup *cgroup;

	HASH_FIND(hh, kept->cgroups, &number, sizeof(number), cgroup);
	if (cgroup)
		return cgroup;
	cgroup = calloc(1, sizeof(*cgroup));
	if (!cgroup)
		return NULL;
	cgroup->number = number;
	HASH_ADD(hh, kept->cgroups, number, sizeof(cgroup->number), cgroup);
	return HASH_KEPT(hh, cgroup);
}

/* A rename puts a cgroup behind its siblings. */
static void set_place(struct kept *kept, struct kept_cgroup *cgroup, struct bytes place)
{
	struct bytes before = cgroup->place, after = place;
	struct bytes old_name, new_name;

	cgroup->place = place;
	if (!before.len)
		return;
	bytes_get_u64(&before);
	bytes_get_u64(&after);
	old_name = bytes_get(&before);
	new_name = bytes_get(&after);
	if (old_name.wrong || new_name.wrong ||
	    (old_name.len == new_name.len && !memcmp(old_name.data, new_name.data, old_name.len)))
		return;
	HASH_PUT_LAST(hh, kept->cgroups, &cgroup->number, sizeof(cgroup->number), cgroup);
}

static const char *take_cgroup(struct kept *kept, uint64_t kind, uint64_t number,
			       struct bytes bytes)
{
	struct kept_cgroup *cgroup = get_cgroup(kept, number);

	if (!cgroup)
		return out_of_memory;
	if (kind == ENTRY_CGROUP) {
		set_place(kept, cgroup, bytes);
	} else if (kind == ENTRY_VALUES) {
		cgroup->values = bytes;
	} else if (kind == ENTRY_USAGE) {
		cgroup->usage = bytes;
	} else {
		HASH_DEL(kept->cgroups, cgroup);
		free(cgroup);
	}
	return NULL;
}

static const char *take_process(struct kept *kept, uint64_t kind, uint64_t pid, struct bytes bytes)
{
	struct kept_process *process;

	HASH_FIND(hh, kept->processes, &pid, sizeof(pid), process);
	if (kind == ENTRY_GONE) {
		if (process)
			HASH_DEL(kept->processes, process);
		free(process);
		return NULL;
	}
	if (!process) {
		process = calloc(1, sizeof(*process));
		if (!process)
			return out_of_memory;
		process->pid = pid;
		HASH_ADD(hh, kept->processes, pid, sizeof(process->pid), process);
		if (!HASH_KEPT(hh, process))
			return out_of_memory;
	}
	process->bytes = bytes;
	return NULL;
}

static const char *take_entry(struct kept *kept, struct bytes *content)
{
	uint64_t kind = bytes_get_u64(content), number = bytes_get_u64(content);
	struct bytes bytes = bytes_get(content);

	if (content->wrong)
		return "it is damaged";
	switch (kind) {
	case ENTRY_BOOT:
		kept->boot = bytes;
		return NULL;
	case ENTRY_CGROUP:
	case ENTRY_VALUES:
	case ENTRY_USAGE:
	case ENTRY_REMOVED:
		return take_cgroup(kept, kind, number, bytes);
	case ENTRY_PROCESS:
	case ENTRY_GONE:
		return take_process(kept, kind, number, bytes);
	case ENTRY_SEEN:
		kept->seen.ticks = number;
		kept->seen.last_pid = (pid_t)bytes_get_u64(&bytes);
		return bytes.wrong ? "it is damaged" : NULL;
	}
	return "it is damaged";
}

static bool all_zero(const struct bytes *bytes)
{
	for (size_t i = 0; i < bytes->len; i++) {
		if (bytes->data[i])
			return false;
	}
	return true;
}

/*
 * The next record. A last one that is not all there was cut off with the
 * daemon (or, with nothing but zeros, with the machine): nobody was told that
 * it was done, and it does not count.
 */
static const char *take_record(struct kept *kept, struct bytes *file)
{
	struct bytes head = *file, content;
	uint64_t len = bytes_get_u64(&head), hash = bytes_get_u64(&head);
	uint64_t check = bytes_get_u64(&head);
	const char *problem = NULL;

	if (head.wrong || all_zero(file)) {
		kept->torn = true;
		file->len = 0;
		return NULL;
	}
	if (check != head_hash(len, hash))
		return "it is damaged";
	if (len > head.len) {
		kept->torn = true;
		file->len = 0;
		return NULL;
	}
	content = (struct bytes){.data = head.data, .len = len};
	file->data = head.data + len;
	file->len = head.len - len;
	if (hash != bytes_hash(content.data, content.len)) {
		kept->torn = !file->len;
		return file->len ? "it is damaged" : NULL;
	}
	while (content.len && !problem)
		problem = take_entry(kept, &content);
	return problem;
}

static const char *take_magic(struct bytes *file)
{
	const char *end = memchr(file->data, '\n', file->len < 64 ? file->len : 64);
	size_t magic = strlen(STATE_MAGIC);
	char expected[64];
	int len = snprintf(expected, sizeof(expected), STATE_MAGIC "%d", STATE_VERSION);

	if (!end || (size_t)(end - file->data) < magic || memcmp(file->data, STATE_MAGIC, magic))
		return "it is not a state file of fuse_cgroupfs";
	if (end - file->data != len || memcmp(file->data, expected, (size_t)len))
		return "it was written by another version of fuse_cgroupfs";
	file->len -= (size_t)(end + 1 - file->data);
	file->data = end + 1;
	return NULL;
}

const char *kept_read(struct kept *kept, const char *data, size_t len)
{
	struct bytes file = {.data = data, .len = len};
	const char *problem;

	*kept = (struct kept){0};
	problem = len ? take_magic(&file) : "it is empty";
	while (file.len && !problem)
		problem = take_record(kept, &file);
	if (!problem && !kept->boot.len)
		problem = "it is damaged"; /* a file starts with a whole record */
	kept->is_short = problem == out_of_memory;
	return problem;
}

void kept_free(struct kept *kept)
{
	struct kept_cgroup *cgroup, *next_cgroup;
	struct kept_process *process, *next_process;

	HASH_ITER(hh, kept->cgroups, cgroup, next_cgroup) {
		HASH_DEL(kept->cgroups, cgroup);
		free(cgroup);
	}
	HASH_ITER(hh, kept->processes, process, next_process) {
		HASH_DEL(kept->processes, process);
		free(process);
	}
	*kept = (struct kept){0};
}
