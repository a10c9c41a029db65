/* SPDX-License-Identifier: MIT */
/* smaps: the mappings of huge pages. */
#include "machine_hugetlb.h"

#include <errno.h>
#include <stdlib.h>

#include "task.h"

#define ROW(name, member) { name, sizeof(name) - 1, offsetof(struct machine_hugetlb_map, member) }

static const struct field rows[] = {
	ROW("Size", size),
	ROW("KernelPageSize", page_size),
	ROW("Shared_Hugetlb", shared_bytes),
	ROW("Private_Hugetlb", private_bytes),
};

/* Digits and letters up to c: of addresses, flags, and device numbers. */
static bool span_hex(struct span *s, char end, uint64_t *value)
{
	const char *start = s->at;

	*value = 0;
	for (; s->at < s->end && *s->at != end; s->at++) {
		char c = *s->at;
		unsigned int digit = c >= '0' && c <= '9'   ? c - '0'
				     : c >= 'a' && c <= 'f' ? c - 'a' + 10
							    : 16;

		if (digit > 15)
			return false;
		*value = *value << 4 | digit;
	}
	return s->at > start;
}

/* "7f01c0000000-7f01c0400000 rw-s 00000000 00:0f 1234 /path": false when it is no such line. */
static bool parse_header(struct span line, struct machine_hugetlb_map *map)
{
	struct span addresses, flags, offset, device;
	uint64_t major, minor, inode;

	if (!span_word(&line, &addresses) || !memchr(addresses.at, '-', addresses.end - addresses.at))
		return false;
	if (!span_word(&line, &flags) || flags.end - flags.at != 4 || !span_word(&line, &offset) ||
	    !span_word(&line, &device))
		return false;
	if (!span_hex(&device, ':', &major))
		return false;
	device.at++;
	if (!span_hex(&device, ' ', &minor) || !span_u64(&line, &inode))
		return false;
	*map = (struct machine_hugetlb_map){
		.major = major,
		.minor = minor,
		.inode = inode,
		.shared = flags.at[3] == 's',
		.reserved = true,
	};
	return true;
}

/* "VmFlags: rd wr mr mw me dc de ht sd": ht is VM_HUGETLB, nr VM_NORESERVE. */
static void parse_flags(struct span line, struct machine_hugetlb_map *map, bool *huge)
{
	struct span flag;

	while (span_word(&line, &flag)) {
		if (flag.end - flag.at != 2)
			continue;
		if (!memcmp(flag.at, "ht", 2))
			*huge = true;
		else if (!memcmp(flag.at, "nr", 2))
			map->reserved = false;
	}
}

int machine_parse_hugetlb(const char *text, size_t len,
			  int (*visit)(const struct machine_hugetlb_map *map, void *arg), void *arg)
{
	struct span rest = { text, text + len }, line, name;
	struct machine_hugetlb_map map = { 0 };
	const struct field *field;
	bool huge = false;
	unsigned int hint = 0;
	uint64_t value;
	int result = 0;

	while (!result && span_line(&rest, &line)) {
		if (line.at == line.end || *line.at < 'A' || *line.at > 'Z') {
			if (parse_header(line, &map))
				huge = false;
			continue;
		}
		if (!span_key(&line, &name))
			continue;
		if (name.end - name.at == 7 && !memcmp(name.at, "VmFlags", 7)) {
			/* The last line of a mapping. */
			parse_flags(line, &map, &huge);
			if (huge && map.page_size)
				result = visit(&map, arg);
			continue;
		}
		field = field_find(rows, sizeof(rows) / sizeof(rows[0]), &hint, &name);
		if (field && span_bytes(&line, &value))
			*(uint64_t *)((char *)&map + field->at) = value;
	}
	return result;
}

int machine_task_hugetlb(const struct machine *machine, pid_t pid,
			 int (*visit)(const struct machine_hugetlb_map *map, void *arg), void *arg)
{
	size_t len;
	char *text;
	int result = task_read_patiently(machine, pid, "smaps", &text, &len);

	if (result)
		return result;
	result = machine_parse_hugetlb(text, len, visit, arg);
	free(text);
	return result;
}
