/* Three generations found by scans: who ended unseen is counted once, whoever waited for it. */
#include "fixture.h"

#include "fake_tasks.h"
#include "../../src/accounting/internal.h"

struct family {
	struct fake_machine fake;
	struct machine *machine;
	struct accounting *accounting;
	struct group root, group;
	struct fake_task top, middle, bottom;
};

static void put(struct family *family, const struct fake_task *task)
{
	fake_put_process(&family->fake, task, task->run, 1);
	fake_put_thread(&family->fake, task);
}

static void put_last_pid(struct family *family, pid_t last)
{
	char text[64];

	snprintf(text, sizeof(text), "0.00 0.00 0.00 1/1 %d\n", last);
	fake_put(&family->fake, "proc/loadavg", text);
}

static void gone(struct family *family, const struct fake_task *task)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d", task->tgid, task->tid);
	fake_remove_dir(&family->fake, path);
	snprintf(path, sizeof(path), "proc/%d", task->tid);
	fake_remove_dir(&family->fake, path);
}

static struct fake_task task_of(pid_t tid, pid_t parent)
{
	return (struct fake_task){.tid = tid, .tgid = tid, .ppid = parent, .start = 100000u + tid};
}

static int set_up(void **state)
{
	struct family *family = calloc(1, sizeof(*family));
	struct task_id id = {.tid = 10, .tgid = 10, .start_time = 100010};

	*state = family;
	fake_open(&family->fake);
	fake_put(&family->fake, "proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n");
	family->machine = machine_open(family->fake.root);
	family->accounting = accounting_new(family->machine);
	group_init(family->accounting, &family->root, 0, NULL);
	accounting_track(family->accounting, 0, USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	group_init(family->accounting, &family->group, 0, &family->root);
	family->top = task_of(10, 1);
	family->middle = task_of(11, 10);
	family->bottom = task_of(12, 11);
	put(family, &family->top);
	put_last_pid(family, 10);
	assert_int_equal(accounting_settle(family->accounting, &id, 1), 0);
	assert_int_equal(accounting_move(&family->group, &id, 1), 0);
	put(family, &family->middle);
	put(family, &family->bottom);
	put_last_pid(family, 12);
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 3);
	return 0;
}

static int tear_down(void **state)
{
	struct family *family = *state;

	group_retire(&family->group);
	group_retire(&family->root);
	accounting_free(family->accounting);
	machine_close(family->machine);
	fake_close(&family->fake);
	free(family);
	return 0;
}

/* As if enough time had passed for everything to be read anew. */
static void measure_all(struct family *family)
{
	struct process *process;
	bool ran;

	for (process = family->accounting->processes; process; process = process->hh.next) {
		memset(process->measured_at, 0, sizeof(process->measured_at));
		process->run_at = 0;
	}
	assert_int_equal(accounting_measure_all(family->accounting, USAGE_CPU | USAGE_IO, &ran), 0);
}

static uint64_t counted(struct family *family)
{
	return family->group.usage->total.user + family->group.usage->total.system;
}

/* Both run, are read, run on, and end before the next look. */
static void end_unseen(struct family *family)
{
	family->bottom.run = 50 * FAKE_TICK;
	put(family, &family->bottom);
	measure_all(family);
	family->bottom.run += 10 * FAKE_TICK;
	family->middle.run += FAKE_TICK;
	gone(family, &family->bottom);
	gone(family, &family->middle);
	family->top.reaped = family->bottom.run + family->middle.run;
	family->top.run += FAKE_TICK;
	put(family, &family->top);
}

static void unseen_grandchild(void **state)
{
	struct family *family = *state;

	end_unseen(family);
	measure_all(family);
	measure_all(family);
	assert_int_equal(counted(family), 62 * FAKE_TICK);
}

/* The middle one's end is seen first: its child is not forgotten. */
static void grandchild_seen_later(void **state)
{
	struct family *family = *state;
	struct task_id middle = {.tid = 11, .tgid = 11, .start_time = 100011};
	struct task_list list = {.tasks = &middle, .count = 1};

	end_unseen(family);
	tasks_refresh(family->accounting, &list);
	measure_all(family);
	assert_int_equal(counted(family), 62 * FAKE_TICK);
}

/* An orphan's time is its own: its grandparent will not be told of it. */
static void orphan(void **state)
{
	struct family *family = *state;

	family->bottom.run = 50 * FAKE_TICK;
	put(family, &family->bottom);
	measure_all(family);
	gone(family, &family->middle);
	family->bottom.ppid = 1;
	family->bottom.run += FAKE_TICK;
	put(family, &family->bottom);
	family->top.reaped = 3 * FAKE_TICK; /* the middle one's, never read */
	family->top.run += FAKE_TICK;
	put(family, &family->top);
	measure_all(family);
	measure_all(family);
	family->bottom.run += FAKE_TICK;
	put(family, &family->bottom);
	measure_all(family);
	gone(family, &family->bottom);
	family->top.reaped += 7 * FAKE_TICK; /* another child */
	family->top.run += FAKE_TICK;
	put(family, &family->top);
	measure_all(family);
	assert_int_equal(counted(family), (52 + 3 + 7 + 2) * FAKE_TICK);
}

static void refresh(struct family *family, const struct fake_task *task)
{
	struct task_id id = {.tid = task->tid, .tgid = task->tgid, .start_time = task->start};
	struct task_list list = {.tasks = &id, .count = 1};

	tasks_refresh(family->accounting, &list);
}

static void end_as_zombie(struct family *family, struct fake_task *task, uint64_t run)
{
	task->run = run;
	task->zombie = true;
	put(family, task);
	refresh(family, task);
}

/* The top one waits for a child that used so much. */
static void wait_for(struct family *family, uint64_t used)
{
	family->top.reaped += used;
	family->top.run += FAKE_TICK;
	put(family, &family->top);
	measure_all(family);
}

/* What a zombie used is not in what its parent was told of other children. */
static void zombie_not_waited_for(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->middle, 20 * FAKE_TICK);
	wait_for(family, 3 * FAKE_TICK); /* another child, never seen */
	assert_int_equal(counted(family), (20 + 3 + 1) * FAKE_TICK);
	gone(family, &family->middle);
	wait_for(family, 20 * FAKE_TICK);
	wait_for(family, 4 * FAKE_TICK); /* another one */
	assert_int_equal(counted(family), (20 + 3 + 4 + 3) * FAKE_TICK);
}

/* A zombie whose parent ends is the grandparent's to wait for. */
static void zombie_orphan(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->bottom, 20 * FAKE_TICK);
	end_as_zombie(family, &family->middle, 5 * FAKE_TICK);
	gone(family, &family->middle);
	wait_for(family, 5 * FAKE_TICK);
	wait_for(family, 3 * FAKE_TICK); /* another child, never seen */
	assert_int_equal(counted(family), (20 + 5 + 3 + 2) * FAKE_TICK);
	gone(family, &family->bottom);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 5 + 3 + 3) * FAKE_TICK);
}

/* All the middle one's end is seen of is that it is gone, and so is who was its zombie. */
static void zombie_gone_with_its_parent(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->bottom, 20 * FAKE_TICK);
	gone(family, &family->middle);
	gone(family, &family->bottom);
	wait_for(family, 25 * FAKE_TICK);
	assert_int_equal(counted(family), (25 + 1) * FAKE_TICK);
}

/* A zombie that was a member before its parent is: the parent's child all the same. */
static void zombie_of_new_member(void **state)
{
	struct family *family = *state;
	struct fake_task parent = task_of(20, 1), child = task_of(21, 20);
	struct task_id parent_id = {.tid = 20, .tgid = 20, .start_time = parent.start};
	struct task_id child_id = {.tid = 21, .tgid = 21, .start_time = child.start};

	put(family, &parent);
	put(family, &child);
	fake_put_children(&family->fake, 20, "21 ");
	assert_int_equal(accounting_settle(family->accounting, &child_id, 1), 0);
	assert_int_equal(accounting_move(&family->group, &child_id, 1), 0);
	end_as_zombie(family, &child, 2 * FAKE_TICK);
	assert_int_equal(accounting_settle(family->accounting, &parent_id, 1), 0);
	assert_int_equal(accounting_move(&family->group, &parent_id, 1), 0);
	gone(family, &child);
	refresh(family, &child);
	parent.reaped = (2 + 3) * FAKE_TICK; /* and another child, never seen */
	parent.run = FAKE_TICK;
	put(family, &parent);
	measure_all(family);
	assert_int_equal(counted(family), (2 + 3 + 1) * FAKE_TICK);
}

/* Its parent was told of it, and it is known to have ended only when all its threads are. */
static void threads_gone_at_once(void **state)
{
	struct family *family = *state;
	struct fake_task thread = task_of(13, 10);

	thread.tgid = 11;
	fake_put_status(&family->fake, &thread, 2);
	fake_put_thread(&family->fake, &thread);
	put_last_pid(family, 13);
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 4);
	family->middle.run = 20 * FAKE_TICK;
	put(family, &family->middle);
	measure_all(family);
	gone(family, &thread);
	gone(family, &family->middle);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 1) * FAKE_TICK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unseen_grandchild, set_up, tear_down),
		cmocka_unit_test_setup_teardown(grandchild_seen_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orphan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_not_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_orphan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_gone_with_its_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_of_new_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads_gone_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
