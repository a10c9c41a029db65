/* SPDX-License-Identifier: MIT */
/*
 * Whose an orphan is that a scan finds in a process group which a stranger leads: a
 * member's that may have waited for the orphan's ancestor, or an ended member's.
 */
#include "fixture.h"

#include "orphans.h"

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

/* Init is of the session that all are in, as what a container without an init of its own starts is. */
static void put_init_in_session(struct family *family)
{
	struct fake_task init = in_group(1, 0);

	init.pgrp = 1;
	put(family, &init);
}

static void adopted_in_its_session(void **state)
{
	struct family *family = *state;

	put_init_in_session(family);
	put_orphan(family, 12);
	assert_int_equal(family->group.populated, 1);
	wait_for_child(family);
	put_orphan(family, 13);
	assert_int_equal(family->group.populated, 2);
}

/* Init itself forks into its own process group. */
static void child_of_init(void **state)
{
	struct family *family = *state;
	struct fake_task child = in_group(12, 1);

	put_init_in_session(family);
	fake_process(family->accounting, MEMBER)->origin.pgrp = 1; /* the member is there too */
	wait_for_child(family);
	child.pgrp = 1;
	put(family, &child);
	sync_to(family, 12);
	assert_int_equal(family->group.populated, 1);
}

/* A member's own process group tells, also where init is of its session. */
static void group_of_a_member(void **state)
{
	struct family *family = *state;
	struct fake_task leader = in_group(11, MEMBER), orphan = in_group(12, 1);

	put_init_in_session(family);
	leader.pgrp = orphan.pgrp = 11;
	put(family, &leader);
	sync_to(family, 11);
	put(family, &orphan);
	sync_to(family, 12);
	assert_int_equal(family->group.populated, 3);
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
		cmocka_unit_test_setup_teardown(adopted_in_its_session, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(child_of_init, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(group_of_a_member, set_up_group, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
