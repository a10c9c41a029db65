/* SPDX-License-Identifier: MIT */
/* A parent that forks: pages that a child has too are held once, whether or not the child is seen. */
#include "fixture.h"

#include "fake_accounting.h"

#define MB (1ul << 20)

struct family {
	struct fake_machine fake;
	struct machine *machine;
	struct accounting *accounting;
	struct source teller;
	struct group root, group, other;
	struct fake_task parent, child;
};

static void nothing(struct source *source)
{
	(void)source;
}

/* `anon` is all that the task has, `pss` its part of that; `shmem` is its part of other shared memory. */
static void put_memory(struct family *family, pid_t pid, uint64_t anon, uint64_t pss, uint64_t shmem)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%d/smaps_rollup", pid);
	snprintf(text, sizeof(text), "Rss: %lu kB\nPss: %lu kB\nPss_Anon: %lu kB\nPss_File: 0 kB\n"
				     "Pss_Shmem: %lu kB\nAnonymous: %lu kB\n",
		 anon >> 10, (pss + shmem) >> 10, pss >> 10, shmem >> 10, anon >> 10);
	fake_put(&family->fake, path, text);
}

/* The task has run, and has this memory now. */
static void put(struct family *family, struct fake_task *task, uint64_t anon, uint64_t pss)
{
	task->anon = anon;
	task->run += FAKE_TICK;
	fake_put_process(&family->fake, task, task->run, 1);
	fake_put_thread(&family->fake, task);
	put_memory(family, task->tid, anon, pss, 0);
}

static void tell_fork(struct family *family)
{
	struct task_id id = fake_id(&family->child);

	pthread_mutex_lock(&family->accounting->lock);
	assert_non_null(task_fork(family->accounting,
				  task_find(family->accounting, family->parent.tid), &id));
	pthread_mutex_unlock(&family->accounting->lock);
}

static void tell_exec(struct family *family)
{
	pthread_mutex_lock(&family->accounting->lock);
	task_exec(family->accounting, family->child.tgid);
	pthread_mutex_unlock(&family->accounting->lock);
}

static void tell_exit(struct family *family)
{
	pthread_mutex_lock(&family->accounting->lock);
	task_free(family->accounting, task_find(family->accounting, family->child.tid));
	pthread_mutex_unlock(&family->accounting->lock);
}

/* What the group holds, and its children; all is read anew, as if enough time had passed. */
static uint64_t held(struct family *family, struct group *group)
{
	struct memory_usage usage;

	fake_let_time_pass(family->accounting);
	if (group->usage)
		memset(group->usage->read_at, 0, sizeof(group->usage->read_at));
	assert_int_equal(group_memory_usage(group, NULL, &usage), 0);
	return usage.anon;
}

/* As if the second had passed in which strangers may show up. */
static void let_strangers_time_pass(struct family *family)
{
	fake_process(family->accounting, family->parent.tgid)->sharing.since -= 2000000000u;
}

static int set_up(void **state)
{
	struct family *family = calloc(1, sizeof(*family));

	*state = family;
	family->accounting = fake_accounting_new(&family->fake, &family->machine);
	fake_put(&family->fake, "proc/loadavg", "0.00 0.00 0.00 1/1 10\n");
	family->teller = (struct source){.name = "test",
					 .accounting = family->accounting,
					 .tells_exits = true,
					 .sync = nothing,
					 .wake = nothing,
					 .close = nothing};
	family->accounting->source = &family->teller;
	group_init(family->accounting, &family->root, 0, NULL);
	accounting_track(family->accounting, 0, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	group_init(family->accounting, &family->group, 0, &family->root);
	group_init(family->accounting, &family->other, 0, &family->root);
	family->parent = (struct fake_task){.tid = 10, .tgid = 10, .ppid = 1, .start = 100010};
	family->child = (struct fake_task){.tid = 11, .tgid = 11, .ppid = 10, .start = 100011};
	put(family, &family->parent, 0, 0); /* what it had before stays in the root */
	fake_move(family->accounting, &family->parent, &family->group);
	put(family, &family->parent, 10 * MB, 10 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	return 0;
}

static int tear_down(void **state)
{
	struct family *family = *state;

	group_retire(&family->other);
	group_retire(&family->group);
	group_retire(&family->root);
	fake_accounting_free(family->accounting, family->machine, &family->fake);
	free(family);
	return 0;
}

/* Forked after all forks were asked for, and before its parent was read. */
static void unknown_child(void **state)
{
	struct family *family = *state;

	put(family, &family->parent, 10 * MB, 5 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	put(family, &family->parent, 12 * MB, 7 * MB); /* it grows meanwhile */
	assert_int_equal(held(family, &family->group), 12 * MB);
	put(family, &family->parent, 6 * MB, 3 * MB); /* and frees */
	assert_int_equal(held(family, &family->group), 6 * MB);
}

static void child_that_execs(void **state)
{
	struct family *family = *state;

	tell_fork(family);
	put(family, &family->parent, 10 * MB, 5 * MB);
	put(family, &family->child, MB, MB); /* before it was read */
	assert_int_equal(held(family, &family->group), 11 * MB);
}

static void child_that_ends(void **state)
{
	struct family *family = *state;

	tell_fork(family);
	put(family, &family->parent, 10 * MB, 5 * MB);
	put(family, &family->child, 10 * MB, 5 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	assert_int_equal(fake_process(family->accounting, 10)->memory.held.anon, 5 * MB);
	tell_exit(family);
	assert_int_equal(held(family, &family->group), 10 * MB); /* the parent has not run since */
	assert_true(family->group.usage->peaks.of[MEMORY_PEAK_MEMORY] < 11 * MB);
}

/* What the parent's file said before its child's exec is what it said. */
static void child_that_execs_later(void **state)
{
	struct family *family = *state;

	tell_fork(family);
	put(family, &family->parent, 10 * MB, 5 * MB);
	put(family, &family->child, 10 * MB, 5 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	tell_exec(family);
	put(family, &family->child, MB, MB);
	assert_int_equal(held(family, &family->group), 11 * MB);
}

static void child_in_another_group(void **state)
{
	struct family *family = *state;

	tell_fork(family);
	put(family, &family->parent, 10 * MB, 5 * MB);
	put(family, &family->child, 10 * MB, 5 * MB);
	fake_move(family->accounting, &family->child, &family->other);
	assert_int_equal(held(family, &family->group), 10 * MB); /* its part stays here */
	assert_int_equal(held(family, &family->other), 0);
	tell_exec(family);
	put(family, &family->child, MB, MB);
	assert_int_equal(held(family, &family->other), MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
}

/* What is shared all the time, with nobody who is known, is a stranger's. */
static void stranger(void **state)
{
	struct family *family = *state;

	for (unsigned i = 0; i < 4; i++) {
		put(family, &family->parent, 10 * MB, 5 * MB);
		assert_int_equal(held(family, &family->group), 10 * MB);
	}
	let_strangers_time_pass(family);
	put(family, &family->parent, 10 * MB, 5 * MB);
	assert_int_equal(held(family, &family->group), 5 * MB);
	put(family, &family->parent, 10 * MB, 10 * MB); /* is gone */
	assert_int_equal(held(family, &family->group), 10 * MB);
	put(family, &family->parent, 10 * MB, 5 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
}

/* As if all had rested for so long that who shares memory is read anew when somebody's changes. */
static void let_all_rest(struct family *family)
{
	struct process *process;

	for (process = family->accounting->processes; process; process = process->hh.next)
		process->memory.mark.at -= 2000000000u;
	family->accounting->memory_changed_at -= 3000000000u;
}

/* What one frees, its sharer has more of: in this answer. */
static void sharer_at_rest(void **state)
{
	struct family *family = *state;

	tell_fork(family);
	put(family, &family->child, 0, 0);
	tell_exec(family);
	fake_put(&family->fake, "proc/11/statm", "1000 900 900 1 0 100 0\n"); /* it tells nothing later */
	put_memory(family, family->child.tid, 0, 0, 4 * MB);
	put_memory(family, family->parent.tid, 10 * MB, 10 * MB, 4 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	let_all_rest(family);
	assert_int_equal(held(family, &family->group), 10 * MB);
	assert_int_equal(family->group.usage->memory_total.shmem, 8 * MB);
	put(family, &family->parent, 10 * MB, 10 * MB); /* it has let its part go */
	put_memory(family, family->child.tid, 0, 0, 8 * MB);
	assert_int_equal(held(family, &family->group), 10 * MB);
	assert_int_equal(family->group.usage->memory_total.shmem, 8 * MB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_child, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_that_execs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_that_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_that_execs_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_in_another_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stranger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sharer_at_rest, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
