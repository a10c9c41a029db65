/* SPDX-License-Identifier: MIT */
/* /sys/kernel/mm/hugepages and /sys/devices/system/node/nodeN/hugepages */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine_device.h"

uint64_t machine_parse_hugepage_dir(const char *name, size_t len)
{
	struct span s = { name, name + len };
	uint64_t kb;

	if (len < 10 || memcmp(name, "hugepages-", 10))
		return 0;
	s.at += 10;
	if (!span_digits(&s, &kb) || s.end - s.at != 2 || memcmp(s.at, "kB", 2) ||
	    kb > UINT64_MAX / 1024)
		return 0;
	return kb * 1024;
}

void machine_hugepage_name(uint64_t size, char text[24])
{
	unsigned int shift = size >= 1 << 30 ? 30 : size >= 1 << 20 ? 20 : 10;

	/* At most 17 digits of 2^64 >> 10 and two letters. */
	snprintf(text, 24, "%llu%cB", (unsigned long long)size >> shift,
		 shift == 30 ? 'G' : shift == 20 ? 'M' : 'K');
}

static int visit_size(const char *name, void *arg)
{
	uint64_t size = machine_parse_hugepage_dir(name, strlen(name));
	struct machine_hugepages *pages = arg;
	struct machine_hugepage *grown;

	if (!size)
		return 0;
	grown = reallocarray(pages->size, pages->nr + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pages->size = grown;
	grown[pages->nr++] = (struct machine_hugepage){ .size = size };
	return 0;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct machine_hugepage *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static int read_counts(const struct machine *machine, const char *dir,
			struct machine_hugepage *page)
{
	const struct {
		const char *name;
		uint64_t *value;
	} files[] = {
		{ "nr_hugepages", &page->nr },
		{ "free_hugepages", &page->free },
		{ "resv_hugepages", &page->resv },
		{ "surplus_hugepages", &page->surplus },
		{ "nr_overcommit_hugepages", &page->overcommit },
	};
	char path[160];
	int error = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !error; i++) {
		snprintf(path, sizeof(path), "%s/hugepages-%llukB/%s", dir,
			 (unsigned long long)page->size / 1024, files[i].name);
		error = file_read_u64(machine->sys, path, files[i].value);
		if (error == -ENOENT || error == -EINVAL)
			error = 0;
	}
	return error;
}

static int read_hugepages(const struct machine *machine, const char *dir,
			  struct machine_hugepages *pages)
{
	struct machine_hugepages found = { 0 };
	int error = dir_visit(machine->sys, dir, visit_size, &found);

	if (!error && found.nr)
		qsort(found.size, found.nr, sizeof(found.size[0]), compare_sizes);
	for (size_t i = 0; i < found.nr && !error; i++) {
		machine_hugepage_name(found.size[i].size, found.size[i].name);
		error = read_counts(machine, dir, &found.size[i]);
	}
	if (error)
		machine_hugepages_free(&found);
	else
		*pages = found;
	return error;
}

int machine_hugepages(const struct machine *machine, struct machine_hugepages *pages)
{
	return read_hugepages(machine, "kernel/mm/hugepages", pages);
}

int machine_node_hugepages(const struct machine *machine, unsigned int node,
			   struct machine_hugepages *pages)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "devices/system/node/node%u/hugepages", node);
	return read_hugepages(machine, dir, pages);
}

void machine_hugepages_free(struct machine_hugepages *pages)
{
	free(pages->size);
	*pages = (struct machine_hugepages){ 0 };
}
