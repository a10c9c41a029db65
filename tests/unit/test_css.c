/* SPDX-License-Identifier: MIT */
/* A controller's state on v2 that is taken away and made anew while a handler runs without the tree lock. */
#include "fixture.h"

#include "small_machine.h"

struct state {
	unsigned number; /* in the order in which they were made */
};

extern const struct controller test_controller;

static unsigned made, freed;

static int state_init(struct cgroup *cgroup, void *state)
{
	(void)cgroup;
	((struct state *)state)->number = ++made;
	return 0;
}

static void state_exit(void *state)
{
	(void)state;
	freed++;
}

static void make_anew(void)
{
	assert_int_equal(small_write(&small, "/cgroup.subtree_control", "-test"), 0);
	assert_int_equal(small_write(&small, "/cgroup.subtree_control", "+test"), 0);
}

/* What it finds first is the second one already, which is gone from its place when it is looked at. */
static int measure(const struct request *request, struct text *out)
{
	const struct state *found;

	make_anew();
	found = cgroup_css(request->cgroup, &test_controller);
	make_anew();
	make_anew();
	assert_int_equal(freed, 0);
	text_printf(out, "%u\n", found->number);
	return 0;
}

static const struct cftype files[] = {
	{.name = "measured", .flags = CFTYPE_NOT_ON_ROOT, .measure = measure},
	{0},
};

const struct controller test_controller = {
	.name = "test",
	.dfl_files = files,
	.css_size = sizeof(struct state),
	.css_init = state_init,
	.css_exit = state_exit,
};

static const struct controller *const test_controllers[] = {&test_controller, NULL};

static int set_up(void **state)
{
	(void)state;
	made = freed = 0;
	copy_machine();
	small = (struct small_tree){.machine = machine_open(machine)};
	small.accounting = accounting_new(small.machine);
	small.tree = tree_new_unified(test_controllers, small.machine, small.accounting);
	assert_non_null(small.tree);
	assert_int_equal(small_mkdir(&small, "/a"), 0);
	assert_int_equal(small_write(&small, "/cgroup.subtree_control", "+test"), 0);
	return 0;
}

static void test_all_that_a_handler_finds_stays(void **state)
{
	(void)state;
	assert_int_equal(made, 2); /* the root's, and the child's first */
	assert_string_equal(small_read(&small, "/a/test.measured"), "3\n");
	assert_int_equal(made, 5);
	assert_int_equal(freed, 3);
	make_anew(); /* while nobody reads, the one before goes at once */
	assert_int_equal(freed, 4);
	assert_int_equal(small_rmdir(&small, "/a"), 0);
	assert_int_equal(freed, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_that_a_handler_finds_stays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
