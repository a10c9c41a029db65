/* SPDX-License-Identifier: MIT */
/* Who has to go when there is no room. */
#include "fixture.h"

#include "fair.h"

struct place {
	unsigned number;
	uid_t user;
};

static unsigned victim_of(const char *users)
{
	struct place places[FAIR_MAX];
	unsigned count = 0;

	for (; users[count]; count++)
		places[count] = (struct place){count, (uid_t)users[count]};
	return fair_victim(&places[0].user, sizeof(places[0]), count);
}

static void test_the_oldest_of_who_has_most(void **state)
{
	(void)state;
	assert_int_equal(victim_of("a"), 0);
	assert_int_equal(victim_of("abb"), 1);
	assert_int_equal(victim_of("bab"), 0);
	assert_int_equal(victim_of("cbabacac"), 2);
	assert_int_equal(victim_of("abcbabb"), 1);
	assert_int_equal(victim_of("zbaa"), 2);
}

/* Of as many as there can be, of which one user has all but three. */
static void test_nobody_loses_to_who_has_more(void **state)
{
	static uid_t users[FAIR_MAX];

	(void)state;
	for (unsigned i = 0; i < FAIR_MAX; i++)
		users[i] = 1000;
	users[0] = users[7] = 1;
	users[1] = (uid_t)-1;
	assert_int_equal(fair_victim(users, sizeof(users[0]), FAIR_MAX), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_oldest_of_who_has_most),
		cmocka_unit_test(test_nobody_loses_to_who_has_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
