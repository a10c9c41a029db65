/* SPDX-License-Identifier: MIT */
/* What would be too large to be read again is not written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/state/file.h"
#include "temporary.h"

static char path[TEMPORARY_MAX];

static off_t size_of_state(const struct state_file *file)
{
	struct stat st;

	assert_int_equal(fstatat(file->directory, "state", &st, 0), 0);
	return st.st_size;
}

static void open_new(struct state_file *file)
{
	struct text content = {0};

	text_add(&content, "first");
	assert_null(state_file_open(file, path));
	assert_int_equal(state_file_replace(file, &content), 0);
	text_free(&content);
}

static void appended(void **state)
{
	struct text record = {.data = "12345", .len = 5};
	struct state_file file;

	(void)state;
	open_new(&file);
	assert_int_equal(state_file_append(&file, &record), 0);
	assert_int_equal(file.size, 10);
	file.size = STATE_FILE_MAX - 4;
	assert_int_equal(state_file_append(&file, &record), -EFBIG);
	assert_int_equal(size_of_state(&file), 10);
	state_file_close(&file);
}

static void replaced(void **state)
{
	struct text content = {.data = "", .len = STATE_FILE_MAX + 1};
	struct state_file file;

	(void)state;
	open_new(&file);
	assert_int_equal(state_file_replace(&file, &content), -EFBIG);
	assert_int_equal(size_of_state(&file), 5);
	state_file_close(&file);
}

static int make_directory(void **state)
{
	(void)state;
	return !mkdtemp(temporary(path, "/tmp/fcg-state"));
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"state", "lock"};
	char file[sizeof(path) + 16];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]);
		unlink(file);
	}
	return rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(appended, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(replaced, make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
