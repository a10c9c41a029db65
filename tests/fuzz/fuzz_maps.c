/* SPDX-License-Identifier: MIT */
/* A task's mountinfo, fdinfo and mappings of huge pages: whatever is there, what is told of it is sound. */
#include "fuzz.h"

#include "machine_fd.h"
#include "machine_hugetlb.h"

static int check_mount(const struct machine_mount *mount, void *arg)
{
	size_t *count = arg;

	CHECK(mount->root && mount->point && mount->type);
	CHECK(!strchr(mount->type, ' ') && !strchr(mount->type, '\n'));
	return ++*count == 1000 ? 42 : 0;
}

static int check_map(const struct machine_hugetlb_map *map, void *arg)
{
	size_t *count = arg;

	CHECK(map->page_size);
	return ++*count == 1000 ? 42 : 0;
}

/* A line of our own after any text is found again, as that text's last mount. */
static int last_mount(const struct machine_mount *mount, void *arg)
{
	*(bool *)arg = mount->id == 77 && !strcmp(mount->root, "/a b") &&
		       !strcmp(mount->point, "/m\n") && !strcmp(mount->type, "fuse.x");
	return 0;
}

static void check_appended(const char *text, size_t size)
{
	static const char line[] = "\n77 1 0:1 /a\\040b /m\\012 rw shared:1 - fuse.x none rw\n";
	char *longer = malloc(size + sizeof(line));
	bool found = false;

	memcpy(longer, text, size);
	memcpy(longer + size, line, sizeof(line));
	CHECK(!machine_parse_mounts(longer, size + sizeof(line) - 1, last_mount, &found));
	CHECK(found);
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct machine_fd fd = {0};
	size_t count = 0;
	int result;

	result = machine_parse_mounts(text, size, check_mount, &count);
	CHECK(result == (count == 1000 ? 42 : 0));
	check_appended(text, size);
	machine_parse_fdinfo(text, size, &fd);
	count = 0;
	result = machine_parse_hugetlb(text, size, check_map, &count);
	CHECK(result == (count == 1000 ? 42 : 0));
	return 0;
}
