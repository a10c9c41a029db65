/* SPDX-License-Identifier: MIT */
/* Three generations of processes on a fake machine, found by a scan, all in one group. */
#ifndef FAMILY_H
#define FAMILY_H

#include "fake_accounting.h"

struct family {
	struct fake_machine fake;
	struct machine *machine;
	struct accounting *accounting;
	struct group root, group;
	struct fake_task top, middle, bottom;
};

static inline void put(struct family *family, const struct fake_task *task)
{
	fake_put_process(&family->fake, task, task->run, 1);
	fake_put_thread(&family->fake, task);
}

static inline void put_last_pid(struct family *family, pid_t last)
{
	char text[64];

	snprintf(text, sizeof(text), "0.00 0.00 0.00 1/1 %d\n", last);
	fake_put(&family->fake, "proc/loadavg", text);
}

static inline void gone(struct family *family, const struct fake_task *task)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d", task->tgid, task->tid);
	fake_remove_dir(&family->fake, path);
	snprintf(path, sizeof(path), "proc/%d", task->tid);
	fake_remove_dir(&family->fake, path);
}

static inline struct fake_task task_of(pid_t tid, pid_t parent)
{
	return (struct fake_task){.tid = tid, .tgid = tid, .ppid = parent, .start = 100000u + tid};
}

static inline void make_groups(struct family *family)
{
	fake_put(&family->fake, "proc/diskstats", "8 0 sda 0 0 0 0 0 0 0 0 0 0 0\n");
	group_init(family->accounting, &family->root, 0, NULL);
	accounting_track(family->accounting, 0, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	group_init(family->accounting, &family->group, 0, &family->root);
}

static inline int set_up(void **state)
{
	struct family *family = calloc(1, sizeof(*family));

	*state = family;
	family->accounting = fake_accounting_new(&family->fake, &family->machine);
	make_groups(family);
	family->top = task_of(10, 1);
	family->middle = task_of(11, 10);
	family->bottom = task_of(12, 11);
	put(family, &family->top);
	put_last_pid(family, 10);
	fake_move(family->accounting, &family->top, &family->group);
	put(family, &family->middle);
	put(family, &family->bottom);
	put_last_pid(family, 12);
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 3);
	return 0;
}

static inline int tear_down(void **state)
{
	struct family *family = *state;

	group_retire(&family->group);
	group_retire(&family->root);
	fake_accounting_free(family->accounting, family->machine, &family->fake);
	free(family);
	return 0;
}

static inline void measure_all(struct family *family)
{
	fake_measure_all(family->accounting, USAGE_CPU | USAGE_IO);
}

static inline uint64_t counted(struct family *family)
{
	return family->group.usage->total.user + family->group.usage->total.system;
}

static inline uint64_t counted_io(struct family *family)
{
	const struct usage *usage = family->group.usage;
	uint64_t bytes = 0;

	for (size_t i = 0; i < usage->disk_count; i++)
		bytes += usage->disks[i].local.read_bytes;
	return bytes;
}

static inline void refresh(struct family *family, const struct fake_task *task)
{
	struct task_id id = fake_id(task);
	struct task_list list = {.tasks = &id, .count = 1};

	tasks_refresh(family->accounting, &list);
}

static inline void end_as_zombie(struct family *family, struct fake_task *task, uint64_t run)
{
	task->run = run;
	task->zombie = true;
	put(family, task);
	refresh(family, task);
}

#endif
