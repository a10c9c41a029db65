/* SPDX-License-Identifier: MIT */
/* The state of a cgroup of cpuset, and its masks as text and as bytes. */
#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "cpuset_state.h"

struct cpuset *cpuset_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &cpuset_controller);
}

struct cpuset_top *cpuset_top(const struct cgroup *cgroup)
{
	return cpuset_of(cgroup->hierarchy->root)->top;
}

int cpuset_add_list(struct text *out, const struct bitmap *map)
{
	char small[256], *list = small;
	size_t len = bitmap_print_list(map, small, sizeof(small));

	if (len >= sizeof(small)) {
		list = malloc(len + 1);
		if (!list)
			return -ENOMEM;
		bitmap_print_list(map, list, len + 1);
	}
	text_add_bytes(out, list, len);
	text_add(out, "\n");
	if (list != small)
		free(list);
	return 0;
}

void cpuset_put_mask(struct text *out, const struct bitmap *map)
{
	struct text list = {0};

	if (cpuset_add_list(&list, map))
		out->error = -ENOMEM;
	bytes_put_text(out, &list);
	text_free(&list);
}

int cpuset_get_mask(struct bytes *in, struct bitmap *map)
{
	struct bitmap *wanted __attribute__((cleanup(bitmap_freep))) = bitmap_new(map->nr);
	struct bytes list = bytes_get(in);
	char *text = list.wrong ? NULL : strndup(list.data, list.len);
	int error = wanted && text ? 0 : -ENOMEM;

	if (!error && !bitmap_parselist(text_strip(text), wanted))
		bitmap_copy(map, wanted);
	free(text);
	return list.wrong ? -EINVAL : error;
}
