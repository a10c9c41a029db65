/* SPDX-License-Identifier: MIT */
/* Files of /proc whose descriptor is kept: each read is of its moment, and nothing is left open. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>

#include "fake_machine.h"
#include "machine.h"

static unsigned int count_descriptors(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void expect_ctxt(const struct machine *machine, uint64_t expected)
{
	struct machine_stat stat;

	assert_int_equal(machine_stat(machine, &stat), 0);
	assert_int_equal(stat.ctxt, expected);
	machine_stat_free(&stat);
}

/* Each read is of that moment, and what is kept goes with the machine. */
static void kept_files(void **state)
{
	unsigned int before = count_descriptors();
	struct fake_machine fake;
	struct machine *machine;

	(void)state;
	fake_open(&fake);
	machine = machine_open(fake.root);
	assert_non_null(machine);
	fake_put(&fake, "proc/stat", "cpu 1 2 3 4\nctxt 1000\n");
	expect_ctxt(machine, 1000);
	fake_put(&fake, "proc/stat", "cpu 1 2 3 4\nctxt 2000000\n");
	expect_ctxt(machine, 2000000);
	fake_put(&fake, "proc/stat", "cpu 1 2 3 4\nctxt 3\n");
	expect_ctxt(machine, 3);
	machine_close(machine);
	fake_close(&fake);
	assert_int_equal(count_descriptors(), before);
}

/* Many at once: each reads for itself, and no descriptor is left over. */
static void *read_often(void *machine)
{
	for (int i = 0; i < 500; i++)
		expect_ctxt(machine, 42);
	return NULL;
}

static void kept_files_in_parallel(void **state)
{
	unsigned int before = count_descriptors();
	struct fake_machine fake;
	struct machine *machine;
	pthread_t readers[4];

	(void)state;
	fake_open(&fake);
	fake_put(&fake, "proc/stat", "cpu 1 2 3 4\nctxt 42\n");
	machine = machine_open(fake.root);
	assert_non_null(machine);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_often, machine), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(readers[i], NULL);
	machine_close(machine);
	fake_close(&fake);
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_files),
		cmocka_unit_test(kept_files_in_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
