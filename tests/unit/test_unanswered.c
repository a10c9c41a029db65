/* SPDX-License-Identifier: MIT */
/*
 * Processes whose files are not told in time, on a machine that is patient: what they use is counted once
 * all the same.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "family.h"

#define BOTTOM "proc/12/task/12/stat"
#define THREAD "proc/10/task/13/stat"
#define PATIENCE 20000 /* ms */

static int start(void **state)
{
	set_up(state);
	machine_be_patient(((struct family *)*state)->machine);
	return 0;
}

/* Whoever reads the file waits until somebody comes. */
static void put_fifo(const struct family *family, const char *name)
{
	char path[256], held[256];

	snprintf(path, sizeof(path), "%s/%s", family->fake.root, name);
	snprintf(held, sizeof(held), "%s/held", family->fake.root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(held, 0600), 0);
	assert_int_equal(link(held, path), 0);
}

/* The file is to be put anew. */
static void come(const struct family *family, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", family->fake.root, name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/held", family->fake.root);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
}

static void measure(struct family *family, const struct fake_task *task)
{
	struct task_id id = fake_id(task);
	const struct task_list list = {.tasks = &id, .count = 1};

	assert_int_equal(tasks_measure(family->accounting, &list, USAGE_CPU), 0);
}

/* It was being looked at when it ended, and its parent has waited for it since. */
static void gone_while_it_is_asked(void **state)
{
	struct family *family = *state;

	family->bottom.run = 20 * FAKE_TICK;
	put(family, &family->bottom);
	measure_all(family);
	put_fifo(family, BOTTOM);
	refresh(family, &family->bottom);
	gone(family, &family->bottom);
	family->middle.run += FAKE_TICK;
	family->middle.reaped += 23 * FAKE_TICK;
	put(family, &family->middle);
	measure(family, &family->middle);
	assert_int_equal(counted(family), (23 + 1) * FAKE_TICK);
	come(family, BOTTOM);
}

/* Who adopted it, no member, is not told at first: it is asked for until it is. */
static void orphan_that_is_told_later(void **state)
{
	struct family *family = *state;
	struct process *orphan = fake_process(family->accounting, 12);

	family->bottom.ppid = 1;
	put(family, &family->bottom);
	put_fifo(family, BOTTOM);
	end_as_zombie(family, &family->middle, FAKE_TICK);
	assert_int_equal(orphan->parent->tgid, 10);
	come(family, BOTTOM);
	put(family, &family->bottom);
	for (unsigned i = 0; i < PATIENCE && orphan->parent; i++) {
		usleep(1000);
		orphans_refresh(family->accounting);
	}
	assert_null(orphan->parent);
}

static uint64_t run_of(struct family *family, pid_t tid)
{
	guard(&family->accounting->lock);
	return task_find(family->accounting, tid)->run;
}

/* A thread's own file is not told in time, its process' is. */
static void thread_that_is_told_later(void **state)
{
	struct family *family = *state;
	struct fake_task thread = task_of(13, 1);
	uint64_t before;

	thread.tgid = 10;
	thread.run = 2 * FAKE_TICK;
	fake_put_process(&family->fake, &family->top, 2 * FAKE_TICK, 2);
	fake_put_thread(&family->fake, &thread);
	fake_move(family->accounting, &thread, &family->group);
	measure_all(family);
	before = counted(family);
	thread.run = 9 * FAKE_TICK;
	fake_put_process(&family->fake, &family->top, 9 * FAKE_TICK, 2);
	fake_put_thread(&family->fake, &thread);
	put_fifo(family, THREAD);
	measure_all(family);
	come(family, THREAD);
	fake_put_thread(&family->fake, &thread);
	for (unsigned i = 0; i < PATIENCE && run_of(family, 13) != thread.run; i++) {
		usleep(1000);
		measure_all(family);
	}
	assert_int_equal(counted(family) - before, 7 * FAKE_TICK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gone_while_it_is_asked, start, tear_down),
		cmocka_unit_test_setup_teardown(orphan_that_is_told_later, start, tear_down),
		cmocka_unit_test_setup_teardown(thread_that_is_told_later, start, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
