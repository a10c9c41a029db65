/* SPDX-License-Identifier: MIT */
/* A tree on a machine of the test's own, with processes that only its /proc has. */
#ifndef SMALL_WORLD_H
#define SMALL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_tasks.h"
#include "small_tree.h"

struct small_world {
	struct fake_machine fake;
	struct small_tree small;
};

#define ONE_CPU "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"

/* The machine alone, to put files there before the tree is made. */
static inline struct small_world *world_new(const char *stat)
{
	struct small_world *world = calloc(1, sizeof(*world));

	fake_open(&world->fake);
	fake_put(&world->fake, "proc/stat", stat);
	return world;
}

static inline struct small_world *world_open(const struct controller *const *list, const char *stat)
{
	struct small_world *world = world_new(stat);

	small_tree_open(&world->small, world->fake.root, list);
	return world;
}

static inline void world_close(struct small_world *world)
{
	small_tree_close(&world->small);
	fake_close(&world->fake);
	free(world);
}

/* The newest number that was given. */
static inline void world_last_pid(struct small_world *world, pid_t last)
{
	char text[64];

	snprintf(text, sizeof(text), "0.00 0.00 0.00 1/1 %d\n", last);
	fake_put(&world->fake, "proc/loadavg", text);
}

/* A process of one thread. */
static inline struct fake_task world_put(struct small_world *world, pid_t pid, pid_t parent, uint64_t anon)
{
	struct fake_task task = {.tid = pid, .tgid = pid, .ppid = parent,
				 .start = 100000u + (unsigned)pid, .anon = anon};

	fake_put_process(&world->fake, &task, 0, 1);
	fake_put_thread(&world->fake, &task);
	return task;
}

static inline void world_join(struct small_world *world, const char *cgroup, pid_t pid)
{
	char path[128], number[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(number, sizeof(number), "%d", pid);
	assert_int_equal(small_write(&world->small, path, number), 0);
}

static inline void world_reads(struct small_world *world, const char *path, const char *wanted)
{
	const char *content = small_read(&world->small, path);

	assert_non_null(content);
	assert_string_equal(content, wanted);
}

#endif
