/* SPDX-License-Identifier: MIT */
/* Users and groups, where requests tell them as the first user namespace knows them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon.h"

#define NOBODY 65534 /* of who is not in our namespace: fs.overflowuid and fs.overflowgid of proc_sys_fs(5) */

/* A line of /proc/PID/uid_map: `count` ids from `inner` on, which are `outer` and so on outside. */
struct range {
	id_t inner, outer, count;
};

/* Written by ids_learn() alone. Empty: all are the same. */
struct map {
	struct range *ranges;
	size_t count;
};

static struct map users, groups;

static void read_map(const char *path, struct map *map)
{
	FILE *table = fopen(path, "re");
	struct range range, *ranges;

	while (table && fscanf(table, "%u %u %u", &range.inner, &range.outer, &range.count) == 3) {
		ranges = reallocarray(map->ranges, map->count + 1, sizeof(range));
		if (!ranges)
			break;
		map->ranges = ranges;
		ranges[map->count++] = range;
	}
	if (table)
		fclose(table);
}

void ids_learn(void)
{
	read_map("/proc/self/uid_map", &users);
	read_map("/proc/self/gid_map", &groups);
}

static id_t enter(const struct map *map, id_t id)
{
	if (id == (id_t)-1)
		return id; /* chown(2): as it is */
	for (size_t i = 0; i < map->count; i++) {
		const struct range *range = &map->ranges[i];

		if (id >= range->outer && id - range->outer < range->count)
			return range->inner + (id - range->outer);
	}
	return map->count ? NOBODY : id;
}

static id_t leave(const struct map *map, id_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct range *range = &map->ranges[i];

		if (id >= range->inner && id - range->inner < range->count)
			return range->outer + (id - range->inner);
	}
	return map->count ? NOBODY : id;
}

uid_t ids_user(uid_t told)
{
	return enter(&users, told);
}

gid_t ids_group(gid_t told)
{
	return enter(&groups, told);
}

void ids_tell(struct stat *st)
{
	st->st_uid = leave(&users, st->st_uid);
	st->st_gid = leave(&groups, st->st_gid);
}
