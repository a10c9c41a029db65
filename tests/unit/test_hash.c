/* SPDX-License-Identifier: MIT */
/* Tables by key (hash.h), when memory is short. */
#include "fixture.h"

#include "failing.h"
#include "hash.h"

#define ELEMENTS 2000 /* a table grows several times */

struct element {
	int key;
	UT_hash_handle hh;
};

static struct element elements[ELEMENTS];

static struct element *find(struct element *table, int key)
{
	struct element *found;

	HASH_FIND_INT(table, &key, found);
	return found;
}

/* Adds all; that allocation fails. How many of them are not in. */
static unsigned add_all(struct element **table, unsigned allocation)
{
	unsigned lacking = 0;

	*table = NULL;
	has_failed = false;
	which = ENOMEM;
	left = allocation;
	for (int i = 0; i < ELEMENTS; i++) {
		elements[i] = (struct element){.key = i};
		HASH_ADD_INT(*table, key, &elements[i]);
		lacking += !HASH_HAS(hh, &elements[i]);
	}
	left = 0;
	return lacking;
}

static void test_who_has_no_room_is_left_out(void **state)
{
	struct element *table, *found;
	unsigned lacking;

	(void)state;
	for (unsigned number = 1;; number++) {
		lacking = add_all(&table, number);
		assert_int_equal(lacking, has_failed);
		assert_int_equal(HASH_COUNT(table), ELEMENTS - lacking);
		for (int i = 0; i < ELEMENTS; i++) {
			found = find(table, i);
			assert_ptr_equal(found, HASH_HAS(hh, &elements[i]) ? &elements[i] : NULL);
		}
		HASH_CLEAR(hh, table);
		if (!has_failed)
			break;
		assert_true(number < 100);
	}
}

/* One that is alone, and each of many, gets another key without any memory. */
static void test_last_needs_no_memory(void **state)
{
	struct element *table = NULL, *last;
	int count = 0;

	(void)state;
	for (int i = 0; i < ELEMENTS; i++) {
		elements[i] = (struct element){.key = i};
		HASH_ADD_INT(table, key, &elements[i]);
		which = ENOMEM;
		left = 1;
		elements[0].key = ELEMENTS + i;
		HASH_PUT_LAST(hh, table, &elements[0].key, sizeof(int), &elements[0]);
		left = 0;
		assert_int_equal(HASH_COUNT(table), i + 1);
		assert_ptr_equal(find(table, ELEMENTS + i), &elements[0]);
		assert_null(find(table, i ? ELEMENTS + i - 1 : 0));
	}
	for (last = table; last->hh.next; last = last->hh.next)
		count++;
	assert_ptr_equal(last, &elements[0]);
	assert_int_equal(count, ELEMENTS - 1);
	HASH_CLEAR(hh, table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_has_no_room_is_left_out),
		cmocka_unit_test(test_last_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
