/* SPDX-License-Identifier: MIT */
/* /proc/vmstat */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
	const char *name;	/* in the same block */
	size_t len;
	uint64_t value;
};

/* One block: this, the counters, the slots, a copy of the text with NULs after the names. */
struct machine_vmstat {
	size_t nr;
	size_t mask;		/* slots - 1, a power of two minus 1 */
	uint32_t *slot;		/* open addressing: counter number + 1, 0 is free */
	struct counter counter[];
};

static uint64_t load(const char *bytes, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, bytes, len);
	return v;
}

/* The first and the last eight bytes tell the kernel's names apart nearly always. */
static size_t hash(const char *name, size_t len)
{
	uint64_t head = len < 8 ? load(name, len) : load(name, 8);
	uint64_t tail = len < 8 ? 0 : load(name + len - 8, 8);
	uint64_t h = (head ^ len) * UINT64_C(0x9e3779b97f4a7c15) ^ tail;

	h *= UINT64_C(0xff51afd7ed558ccd);
	return h >> 32;
}

/* The slot that has name, or the free one where it belongs. */
static uint32_t *find_slot(const struct machine_vmstat *vmstat, const char *name, size_t len)
{
	for (size_t i = hash(name, len) & vmstat->mask;; i = (i + 1) & vmstat->mask) {
		const struct counter *c;

		if (!vmstat->slot[i])
			return &vmstat->slot[i];
		c = &vmstat->counter[vmstat->slot[i] - 1];
		if (c->len == len && !memcmp(c->name, name, len))
			return &vmstat->slot[i];
	}
}

/* Room for one counter per line, at least half of the slots free, the text and a NUL. */
static struct machine_vmstat *allocate(size_t lines, size_t len, char **text)
{
	struct machine_vmstat *vmstat;
	size_t slots = 16;

	while (slots < lines * 2)
		slots *= 2;
	vmstat = malloc(sizeof(*vmstat) + lines * sizeof(vmstat->counter[0]) +
			slots * sizeof(vmstat->slot[0]) + len + 1);
	if (!vmstat)
		return NULL;
	vmstat->nr = 0;
	vmstat->mask = slots - 1;
	vmstat->slot = (uint32_t *)(vmstat->counter + lines);
	memset(vmstat->slot, 0, slots * sizeof(vmstat->slot[0]));
	*text = (char *)(vmstat->slot + slots);
	return vmstat;
}

/* At least as many as there are. */
static size_t count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	size_t lines = 1;

	while (text < end && (text = memchr(text, '\n', end - text))) {
		lines++;
		text++;
	}
	return lines;
}

/* "NAME VALUE" and whatever follows; leaves rest at the next line. False: not such a line. */
static bool parse_line(struct span *rest, struct span *name, uint64_t *value)
{
	const char *newline;
	bool ok;

	span_skip_blanks(rest);
	name->at = rest->at;
	while (rest->at < rest->end && (unsigned char)*rest->at > ' ')
		rest->at++;
	name->end = rest->at;
	ok = name->end > name->at && span_u64(rest, value);
	/* Not past the end: there is a NUL. */
	if (*rest->at == '\n') {
		rest->at++;
		return ok;
	}
	newline = memchr(rest->at, '\n', rest->end - rest->at);
	rest->at = newline ? newline + 1 : rest->end;
	return ok;
}

int machine_parse_vmstat(const char *text, size_t len, struct machine_vmstat **result)
{
	size_t lines = count_lines(text, len);
	struct machine_vmstat *vmstat;
	struct span rest, name;
	char *copy;

	if (lines >= UINT32_MAX)
		return -EINVAL;
	vmstat = allocate(lines, len, &copy);
	if (!vmstat)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	rest = (struct span){ copy, copy + len };
	while (rest.at < rest.end) {
		struct counter *c = &vmstat->counter[vmstat->nr];
		uint32_t *slot;

		if (!parse_line(&rest, &name, &c->value))
			continue;
		c->len = name.end - name.at;
		slot = find_slot(vmstat, name.at, c->len);
		if (*slot)
			continue;
		c->name = name.at;
		copy[name.end - copy] = '\0';
		*slot = ++vmstat->nr;
	}
	*result = vmstat;
	return 0;
}

int machine_vmstat(const struct machine *machine, struct machine_vmstat **vmstat)
{
	struct file file;
	int error = file_read_kept(machine, KEPT_VMSTAT, FILE_RECORDS, &file);

	if (error)
		return error;
	error = machine_parse_vmstat(file.text, file.len, vmstat);
	file_free(&file);
	return error;
}

void machine_vmstat_free(struct machine_vmstat *vmstat)
{
	free(vmstat);
}

bool machine_vmstat_get(const struct machine_vmstat *vmstat, const char *name, uint64_t *value)
{
	uint32_t slot = vmstat ? *find_slot(vmstat, name, strlen(name)) : 0;

	if (!slot)
		return false;
	*value = vmstat->counter[slot - 1].value;
	return true;
}

uint64_t machine_vmstat_value(const struct machine_vmstat *vmstat, const char *name)
{
	uint64_t value = 0;

	machine_vmstat_get(vmstat, name, &value);
	return value;
}

size_t machine_vmstat_count(const struct machine_vmstat *vmstat)
{
	return vmstat ? vmstat->nr : 0;
}

const char *machine_vmstat_at(const struct machine_vmstat *vmstat, size_t i, uint64_t *value)
{
	*value = vmstat->counter[i].value;
	return vmstat->counter[i].name;
}
