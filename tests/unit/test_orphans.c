/*
 * Whose an orphan is that a scan finds in a process group which a stranger leads: a
 * member's that may have waited for the orphan's ancestor, or an ended member's.
 */
#include "fixture.h"

#include "family.h"

#define STRANGER 9
#define MEMBER 10 /* family->top */

/* A task in the stranger's process group and session. */
static struct fake_task in_group(pid_t tid, pid_t parent)
{
	struct fake_task task = task_of(tid, parent);

	task.pgrp = task.session = STRANGER;
	return task;
}

static int set_up_group(void **state)
{
	struct family *family = calloc(1, sizeof(*family));
	const struct fake_task init = task_of(1, 0), stranger = in_group(STRANGER, 1);

	*state = family;
	family->accounting = fake_accounting_new(&family->fake, &family->machine);
	make_groups(family);
	family->top = in_group(MEMBER, 1);
	put(family, &init);
	put(family, &stranger);
	put(family, &family->top);
	put_last_pid(family, MEMBER);
	fake_move(family->accounting, &family->top, &family->group);
	assert_int_equal(family->group.populated, 1);
	return 0;
}

static void sync_to(struct family *family, pid_t last)
{
	put_last_pid(family, last);
	source_sync(family->accounting);
}

static void put_orphan(struct family *family, pid_t tid)
{
	const struct fake_task orphan = in_group(tid, 1);

	put(family, &orphan);
	sync_to(family, tid);
}

static void wait_for_child(struct family *family)
{
	family->top.reaped += FAKE_TICK;
	family->top.run += FAKE_TICK;
	put(family, &family->top);
}

static void nobody_waited(void **state)
{
	struct family *family = *state;

	put_orphan(family, 12);
	assert_int_equal(family->group.populated, 1);
}

static void waited(void **state)
{
	struct family *family = *state;

	wait_for_child(family);
	put_orphan(family, 12);
	assert_int_equal(family->group.populated, 2);
}

/* Reading the member tells no less of it. */
static void waited_and_was_read(void **state)
{
	struct family *family = *state;

	wait_for_child(family);
	measure_all(family);
	put_orphan(family, 12);
	assert_int_equal(family->group.populated, 2);
}

/* Whom it waited for before the last scans is no ancestor of an orphan that is new now. */
static void waited_long_ago(void **state)
{
	struct family *family = *state;

	wait_for_child(family);
	measure_all(family);
	sync_to(family, 11);
	sync_to(family, 12);
	put_orphan(family, 13);
	assert_int_equal(family->group.populated, 1);
}

static void put_child(struct family *family)
{
	family->middle = in_group(11, MEMBER);
	put(family, &family->middle);
	sync_to(family, 11);
	assert_int_equal(family->group.populated, 2);
}

static void parent_ended(void **state)
{
	struct family *family = *state;

	put_child(family);
	gone(family, &family->middle);
	put_orphan(family, 12);
	source_sync(family->accounting);
	refresh(family, &family->middle);
	assert_int_equal(family->group.populated, 2);
}

static void parent_is_zombie(void **state)
{
	struct family *family = *state;

	put_child(family);
	family->middle.zombie = true;
	put(family, &family->middle);
	put_orphan(family, 12);
	refresh(family, &family->middle);
	assert_int_equal(family->group.populated, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_waited, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(waited, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(waited_and_was_read, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(waited_long_ago, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(parent_ended, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(parent_is_zombie, set_up_group, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
