/* SPDX-License-Identifier: MIT */
#ifndef SMALL_MACHINE_H
#define SMALL_MACHINE_H

/* A tree on a copy of the recorded Linux machine, whose files a test may change. Include fixture.h first. */

#include "small_tree.h"
#include "temporary.h"

static struct small_tree small;
static char machine[TEMPORARY_MAX]; /* the copy's directory */

/* Runs a command, with the copy's directory for its one %s. */
static void shell(const char *format)
{
	char command[512];

	snprintf(command, sizeof(command), format, machine);
	assert_int_equal(system(command), 0);
}

/* The first part of a set_up: `machine` has /proc and /sys. */
static void copy_machine(void)
{
	assert_non_null(mkdtemp(temporary(machine, "/tmp/fcg-machine")));
	shell("cp -r " FIXTURES "/linux/proc " FIXTURES "/linux/sys %s");
}

static int tear_down(void **state)
{
	(void)state;
	small_tree_close(&small);
	shell("rm -r %s");
	return 0;
}

#endif
