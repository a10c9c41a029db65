/* SPDX-License-Identifier: MIT */
/*
 * What one daemon tells of a group and of a process is what the next one knows: each figure, with a value
 * of its own.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "family.h"

#define SIZE_MAX_TOLD 4096

/* What was told last. */
struct told {
	struct family *family;
	char group[SIZE_MAX_TOLD], process[SIZE_MAX_TOLD];
	size_t group_len, process_len;
};

static uint64_t number_of(void *context, const struct group *group)
{
	return group == &((struct told *)context)->family->group ? 2 : 1;
}

static struct group *group_of(void *context, uint64_t number)
{
	struct family *family = ((struct told *)context)->family;

	return number == 2 ? &family->group : number == 1 ? &family->root : NULL;
}

static void keep_group(void *context, const struct group *group, const struct text *bytes)
{
	struct told *told = context;

	assert_ptr_equal(group, &told->family->group);
	assert_in_range(bytes->len, 8, SIZE_MAX_TOLD);
	memcpy(told->group, bytes->data, told->group_len = bytes->len);
}

static void keep_process(void *context, pid_t tgid, const struct text *bytes)
{
	struct told *told = context;

	if (tgid == 10 && bytes)
		memcpy(told->process, bytes->data, told->process_len = bytes->len);
}

static void tell(struct family *family, struct told *told, bool everything)
{
	const struct accounting_keeper keeper = {.context = told, .number = number_of, .group = keep_group,
						 .process = keep_process};
	struct accounting_moment seen;

	*told = (struct told){.family = family};
	assert_int_equal(accounting_export(family->accounting, &keeper, everything, &seen), 0);
}

/* The next daemon, which knows nothing yet. */
static void start_anew(struct family *family)
{
	group_retire(&family->group);
	group_retire(&family->root);
	accounting_free(family->accounting);
	family->accounting = accounting_new(family->machine);
	make_groups(family);
	accounting_keep(family->accounting);
}

/* --- values --- */

static uint64_t get_word(const char *data, size_t at)
{
	uint64_t word;

	memcpy(&word, data + at, sizeof(word));
	return word;
}

static void set_word(char *data, size_t at, uint64_t word)
{
	memcpy(data + at, &word, sizeof(word));
}

/* From here to there each has a value of its own. */
static void number(char *data, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += 8)
		set_word(data, at, 1000 + at);
}

static void assert_same(const char *data, size_t len, const char *other, size_t other_len)
{
	assert_int_equal(len, other_len);
	assert_memory_equal(data, other, len);
}

/* --- groups --- */

#define DISK_WORDS (sizeof(struct disk_usage) / 8)

/* Its figures, of each processor and of two disks. */
static void groups_figures(void **state)
{
	struct family *family = *state;
	struct told before, after;
	struct bytes bytes;
	size_t cpus, disks;

	/* It has figures from then on. */
	fake_measure_all(family->accounting, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	tell(family, &before, true);
	disks = before.group_len - 8;
	assert_int_equal(get_word(before.group, disks), 0);
	cpus = disks - 2 * 8 - 8;
	/* A number of processors, and two figures of each. */
	while (get_word(before.group, cpus) != (disks - cpus - 8) / 16) {
		cpus -= 8;
		assert_in_range(cpus, 8, disks);
	}
	number(before.group, 0, cpus);
	number(before.group, cpus + 8, disks);
	set_word(before.group, disks, 2);
	before.group_len += 2 * DISK_WORDS * 8;
	assert_in_range(before.group_len, 0, SIZE_MAX_TOLD);
	number(before.group, disks + 8, before.group_len);

	start_anew(family);
	bytes = (struct bytes){before.group, before.group_len, false};
	assert_int_equal(accounting_import_group(&family->group, &bytes), 0);
	assert_int_equal(bytes.len, 0);
	tell(family, &after, true);
	assert_same(before.group, before.group_len, after.group, after.group_len);
}

/* Cut short anywhere it is none. */
static void half_a_group(void **state)
{
	struct family *family = *state;
	struct told told;
	struct bytes bytes;

	tell(family, &told, true);
	for (size_t len = 0; len < told.group_len; len++) {
		start_anew(family);
		bytes = (struct bytes){told.group, len, false};
		assert_int_equal(accounting_import_group(&family->group, &bytes), -EINVAL);
	}
}

/* --- processes --- */

/* Where the name ends, with which all else begins. */
static size_t after_name(const struct told *told)
{
	return 7 * 8 + get_word(told->process, 6 * 8);
}

/* Where its one task begins, after the number of tasks. */
static size_t find_task(const struct told *told)
{
	size_t at = after_name(told);

	while (get_word(told->process, at) != 1 || get_word(told->process, at + 8) != 10 ||
	       get_word(told->process, at + 16) != 100010) {
		at += 8;
		assert_in_range(at, 0, told->process_len - 24);
	}
	return at + 8;
}

static void processes_figures(void **state)
{
	enum { PARENT = 8, FLAGS = 16, PGRP = 24 };
	enum { TASK_FORKED = 16, TASK_FLAGS = 24, TASK_RUN = 32, TASK_CPU = 40 };
	struct family *family = *state;
	struct told before, after = {.family = family};
	struct bytes bytes;
	size_t task;

	tell(family, &before, true);
	task = find_task(&before);
	set_word(before.process, PARENT, 77);
	set_word(before.process, FLAGS, 7);
	number(before.process, PGRP, 6 * 8);
	number(before.process, after_name(&before), task - 8);
	number(before.process, task + TASK_FORKED, task + TASK_FLAGS);
	set_word(before.process, task + TASK_FLAGS, 2);
	set_word(before.process, task + TASK_RUN, 78);
	set_word(before.process, task + TASK_CPU, 1);

	start_anew(family);
	bytes = (struct bytes){before.process, before.process_len, false};
	assert_int_equal(accounting_import_process(family->accounting, &bytes, group_of, &after), 0);
	assert_int_equal(bytes.len, 0);
	tell(family, &after, true);
	assert_same(before.process, before.process_len, after.process, after.process_len);
}

static void half_a_process(void **state)
{
	struct family *family = *state;
	struct told told;
	struct bytes bytes;

	tell(family, &told, true);
	for (size_t len = 0; len < told.process_len; len++) {
		start_anew(family);
		bytes = (struct bytes){told.process, len, false};
		assert_int_equal(accounting_import_process(family->accounting, &bytes, group_of, &told),
				 -EINVAL);
	}
}

/* --- what is told when --- */

/* A change is told once; all is told whenever it is asked for. */
static void changes_alone(void **state)
{
	struct family *family = *state;
	struct told told;

	tell(family, &told, true);
	start_anew(family);
	family->top.run = 0;
	fake_move(family->accounting, &family->top, &family->group);
	assert_true(accounting_has_changed(family->accounting));
	tell(family, &told, false);
	assert_true(told.process_len);
	tell(family, &told, false);
	assert_false(told.process_len || told.group_len);
	assert_false(accounting_has_changed(family->accounting));
	accounting_changed(&family->group);
	assert_true(accounting_has_changed(family->accounting));
	tell(family, &told, false);
	assert_true(told.group_len && !told.process_len);
	tell(family, &told, true);
	assert_true(told.group_len && told.process_len);
}

static void fork_another(struct family *family, pid_t pid)
{
	const struct fake_task child = task_of(pid, 10);

	put(family, &child);
	put_last_pid(family, pid);
	source_sync(family->accounting);
}

/* A fork over a limit above changes what a group is known for, with no more members than it had before. */
static void forks_over_the_limit(void **state)
{
	enum { PEAK = 0, OVER = 8 };
	struct family *family = *state;
	const struct fake_task child = task_of(13, 10);
	struct told told;

	fork_another(family, 13);
	accounting_keep(family->accounting);
	gone(family, &child);
	measure_all(family);
	assert_int_equal(group_pids(&family->group), 3);
	tell(family, &told, true);
	assert_int_equal(get_word(told.group, PEAK), 4);
	assert_int_equal(get_word(told.group, OVER), 0);
	group_pids_limit(&family->root, 1);
	fork_another(family, 14);
	tell(family, &told, false);
	assert_in_range(told.group_len, 16, SIZE_MAX_TOLD);
	assert_int_equal(get_word(told.group, PEAK), 4);
	assert_int_equal(get_word(told.group, OVER), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(groups_figures),
		TEST(half_a_group),
		TEST(processes_figures),
		TEST(half_a_process),
		TEST(changes_alone),
		TEST(forks_over_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
