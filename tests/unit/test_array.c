/* SPDX-License-Identifier: MIT */
/* Arrays that grow. */
#include "fixture.h"

#include "array.h"

static void grows(void **state)
{
	size_t capacity = 0, moves = 0;
	unsigned *numbers = NULL;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		size_t before = capacity;

		numbers = array_room(numbers, i, &capacity, sizeof(*numbers));
		assert_non_null(numbers);
		assert_true(capacity > i);
		moves += capacity != before;
		numbers[i] = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	assert_in_range(moves, 2, 10);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
