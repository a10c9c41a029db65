/* SPDX-License-Identifier: MIT */
/* What gVisor's callers repeat within a second of its success is forgiven, once, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/daemon/retry.c"

static const struct platform interrupted = {.retries_after_interrupt = true}, uninterrupted;

static void repeated(void **state)
{
	(void)state;
	retry_remember(&interrupted, "/cpu/a", 5);
	usleep(20000); /* the caller is told of EINTR, and tries again */
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 5, -EEXIST), 0);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 5, -EEXIST), -EEXIST);
}

static void not_repeated(void **state)
{
	(void)state;
	retry_remember(&interrupted, "/cpu/a", 5);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/b", 5, -EEXIST), -EEXIST);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 6, -EEXIST), -EEXIST);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 5 + SLOTS, -EEXIST), -EEXIST);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 5, -EEXIST), 0);
}

static void too_late(void **state)
{
	(void)state;
	retry_remember(&interrupted, "/cpu/a", 5);
	memories[5].when -= FORGIVEN_NS;
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 5, -EEXIST), -EEXIST);
}

/* Linux interrupts nothing that was done. */
static void on_linux(void **state)
{
	(void)state;
	retry_remember(&uninterrupted, "/cpu/a", 7);
	assert_int_equal(retry_forgive(&interrupted, "/cpu/a", 7, -EEXIST), -EEXIST);
	retry_remember(&interrupted, "/cpu/a", 7);
	assert_int_equal(retry_forgive(&uninterrupted, "/cpu/a", 7, -EEXIST), -EEXIST);
}

static void long_paths(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	retry_remember(&interrupted, path, 8);
	assert_int_equal(retry_forgive(&interrupted, path, 8, -EEXIST), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeated), cmocka_unit_test(not_repeated), cmocka_unit_test(too_late),
		cmocka_unit_test(on_linux), cmocka_unit_test(long_paths),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
