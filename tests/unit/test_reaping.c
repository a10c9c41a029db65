/* SPDX-License-Identifier: MIT */
/* Three generations found by scans: who ended unseen is counted once, whoever waited for it. */
#include "fixture.h"

#include "bytes.h"
#include "family.h"

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

static void adopt(struct family *family, struct fake_task *task, pid_t parent)
{
	task->ppid = parent;
	put(family, task);
}

/* A zombie whose parent ends is its adopter's to wait for: the grandparent's, if that is a subreaper. */
static void zombie_orphan(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->bottom, 20 * FAKE_TICK);
	adopt(family, &family->bottom, 10);
	end_as_zombie(family, &family->middle, 5 * FAKE_TICK);
	gone(family, &family->middle);
	wait_for(family, 5 * FAKE_TICK);
	wait_for(family, 3 * FAKE_TICK); /* another child, never seen */
	assert_int_equal(counted(family), (20 + 5 + 3 + 2) * FAKE_TICK);
	gone(family, &family->bottom);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 5 + 3 + 3) * FAKE_TICK);
}

/* The adopter is no member: the grandparent is not told of it, but of another child. */
static void zombie_adopted_by_stranger(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->bottom, 20 * FAKE_TICK);
	adopt(family, &family->bottom, 1);
	end_as_zombie(family, &family->middle, 5 * FAKE_TICK);
	gone(family, &family->middle);
	gone(family, &family->bottom);
	wait_for(family, 5 * FAKE_TICK);
	wait_for(family, 7 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 5 + 7 + 2) * FAKE_TICK);
}

/* The bottom one's child, a member too. */
static struct fake_task fourth(struct family *family)
{
	struct fake_task task = task_of(13, 12);

	put(family, &task);
	put_last_pid(family, 13);
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 4);
	return task;
}

/* The adopter is a member, but not the grandparent: it is told of it, and that once. */
static void zombie_adopted_by_ancestor(void **state)
{
	struct family *family = *state;
	struct fake_task last = fourth(family);

	end_as_zombie(family, &last, 20 * FAKE_TICK);
	adopt(family, &last, 10);
	end_as_zombie(family, &family->bottom, 5 * FAKE_TICK);
	gone(family, &last);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 5 + 1) * FAKE_TICK);
	gone(family, &family->bottom);
	family->middle.run = FAKE_TICK;
	family->middle.reaped = (5 + 7) * FAKE_TICK; /* and another child, never seen */
	put(family, &family->middle);
	measure_all(family);
	assert_int_equal(counted(family), (20 + 5 + 7 + 2) * FAKE_TICK);
}

/* It has run 20 ticks, and the top one has adopted it, as the bottom one ended. */
static struct fake_task adopted(struct family *family)
{
	struct fake_task last = fourth(family);

	last.run = 20 * FAKE_TICK;
	put(family, &last);
	measure_all(family);
	adopt(family, &last, 10);
	end_as_zombie(family, &family->bottom, 0);
	return last;
}

/* The same of an orphan that does not run any more, and so is not read. */
static void orphan_ends_without_running(void **state)
{
	struct family *family = *state;
	struct fake_task last = adopted(family);

	end_as_zombie(family, &last, 20 * FAKE_TICK);
	gone(family, &last);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 1) * FAKE_TICK);
}

/* It is gone when it is looked at, but who adopted it was seen when its parent ended. */
static void orphan_gone_unseen(void **state)
{
	struct family *family = *state;
	struct fake_task last = adopted(family);

	gone(family, &last);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (20 + 1) * FAKE_TICK);
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

/* What is kept of the top process and the middle one. */
struct kept {
	struct family *family;
	struct text processes[2];
};

static uint64_t number_of(void *context, const struct group *group)
{
	(void)context;
	return group->parent ? 2 : 1;
}

static void keep_group(void *context, const struct group *group, const struct text *bytes)
{
	(void)context;
	(void)group;
	(void)bytes;
}

static void keep_process(void *context, pid_t tgid, const struct text *bytes)
{
	struct kept *kept = context;

	if (tgid <= 11)
		text_add_bytes(&kept->processes[tgid - 10], bytes->data, bytes->len);
}

static struct group *group_of(void *context, uint64_t number)
{
	struct family *family = ((struct kept *)context)->family;

	return number == 2 ? &family->group : &family->root;
}

/* The next daemon knows of the zombie, that it was not waited for, and what it used. */
static void restart(struct family *family)
{
	struct kept kept = {.family = family};
	const struct accounting_keeper keeper = {.context = &kept, .number = number_of,
						 .group = keep_group, .process = keep_process};
	struct accounting_moment seen;

	assert_int_equal(accounting_export(family->accounting, &keeper, true, &seen), 0);
	group_retire(&family->group);
	group_retire(&family->root);
	accounting_free(family->accounting);
	family->accounting = accounting_new(family->machine);
	make_groups(family);
	for (int i = 0; i < 2; i++) {
		struct bytes bytes = {
			.data = kept.processes[i].data,
			.len = kept.processes[i].len,
		};

		assert_int_equal(accounting_import_process(family->accounting, &bytes, group_of,
							   &kept), 0);
		text_free(&kept.processes[i]);
	}
	accounting_import_moment(family->accounting, &seen);
	accounting_resume(family->accounting);
}

/* What the last daemon had seen is all that is told as seen while not everybody has been looked at. */
static void restart_that_cannot_look_at_all(void **state)
{
	struct family *family = *state;
	const struct accounting_moment last = {.ticks = 50, .last_pid = 300};

	fake_put(&family->fake, "proc/999/task/999/stat", "?\n"); /* no task's line: EINVAL */
	accounting_import_moment(family->accounting, &last);
	accounting_resume(family->accounting);
	assert_int_equal(moment_seen(family->accounting).ticks, last.ticks);
	assert_int_equal(moment_seen(family->accounting).last_pid, last.last_pid);
}

static void zombie_over_a_restart(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->middle, 20 * FAKE_TICK);
	restart(family);
	wait_for(family, 3 * FAKE_TICK); /* another child, never seen */
	assert_int_equal(counted(family), (3 + 1) * FAKE_TICK);
	gone(family, &family->middle);
	wait_for(family, 20 * FAKE_TICK);
	assert_int_equal(counted(family), (3 + 2) * FAKE_TICK);
}

static void zombie_reaped_in_a_restart(void **state)
{
	struct family *family = *state;

	end_as_zombie(family, &family->middle, 20 * FAKE_TICK);
	gone(family, &family->middle);
	restart(family);
	wait_for(family, (20 + 3) * FAKE_TICK); /* and another child, never seen */
	assert_int_equal(counted(family), (3 + 1) * FAKE_TICK);
}

static void move(struct family *family, struct group *group, const struct fake_task *task)
{
	struct task_id id = {.tid = task->tid, .tgid = task->tgid, .start_time = task->start};

	group_init(family->accounting, group, 0, &family->root);
	assert_int_equal(accounting_move(group, &id, 1), 0);
}

/* What ticks had cut off a child's own children's time is known at its end, and is its group's. */
static void rest_of_a_tick(void **state)
{
	struct family *family = *state;
	struct group elsewhere;

	move(family, &elsewhere, &family->middle);
	family->middle.reaped = 5 * FAKE_TICK;
	family->middle.run = FAKE_TICK;
	put(family, &family->middle);
	measure_all(family);
	gone(family, &family->middle);
	wait_for(family, (5 + 1 + 1) * FAKE_TICK);
	assert_int_equal(elsewhere.usage->total.user, (5 + 1 + 1) * FAKE_TICK);
	assert_int_equal(counted(family), FAKE_TICK);
	group_retire(&elsewhere);
}

/* A zombie has no part in what was owed before it was waited for, and loses none. */
static void rest_of_a_zombie(void **state)
{
	struct family *family = *state;
	struct group elsewhere;

	move(family, &elsewhere, &family->middle);
	family->middle.reaped = 5 * FAKE_TICK;
	family->middle.run = FAKE_TICK;
	put(family, &family->middle);
	measure_all(family);
	end_as_zombie(family, &family->middle, FAKE_TICK);
	measure_all(family);
	wait_for(family, 3 * FAKE_TICK); /* another child, never seen */
	assert_int_equal(counted(family), (3 + 1) * FAKE_TICK);
	gone(family, &family->middle);
	wait_for(family, (5 + 1 + 1) * FAKE_TICK);
	assert_int_equal(elsewhere.usage->total.user, (5 + 1 + 1) * FAKE_TICK);
	assert_int_equal(counted(family), (3 + 2) * FAKE_TICK);
	group_retire(&elsewhere);
}

static void put_threads(struct family *family, const struct fake_task *thread, uint64_t all)
{
	fake_put_status(&family->fake, thread, 2);
	fake_put_thread(&family->fake, thread);
	fake_put_process(&family->fake, &family->middle, all, 2);
}

/* A thread that is known ran by itself what it ran: what was lost before was another's. */
static void known_thread_explains_nothing(void **state)
{
	struct family *family = *state;
	struct fake_task thread = task_of(13, 10);
	struct group elsewhere;

	thread.tgid = 11;
	put_threads(family, &thread, 0);
	put_last_pid(family, 13);
	source_sync(family->accounting);
	move(family, &elsewhere, &thread);
	thread.run = 3 * FAKE_TICK;
	put_threads(family, &thread, 5 * FAKE_TICK);
	measure_all(family);
	assert_int_equal(counted(family), 2 * FAKE_TICK); /* of a thread that came and went */
	thread.run = 11 * FAKE_TICK;
	put_threads(family, &thread, 12 * FAKE_TICK); /* cut by one */
	measure_all(family);
	assert_int_equal(elsewhere.usage->total.user, 11 * FAKE_TICK);
	assert_int_equal(counted(family), 2 * FAKE_TICK);
	group_retire(&elsewhere);
}

/* A child whose fork and exit were told, and whose start time was not. */
static void tell_fork_and_exit(struct family *family, pid_t tid, uint64_t forked_at)
{
	struct accounting *accounting = family->accounting;
	const struct task_id id = {.tid = tid, .tgid = tid, .forked_at = forked_at};

	pthread_mutex_lock(&accounting->lock);
	task_fork(accounting, task_find(accounting, 10), &id);
	task_end(accounting, task_find(accounting, tid), NULL);
	pthread_mutex_unlock(&accounting->lock);
}

/* Whoever has the number of one that has ended, and was made later, is another. */
static void number_of_a_zombie_given_again(void **state)
{
	struct family *family = *state;
	struct fake_task stranger = task_of(13, 1);

	tell_fork_and_exit(family, 13, stranger.start - 50);
	put(family, &stranger);
	assert_int_equal(group_pids(&family->group), 3);
}

/* Where a task is says its number and when it started; who has the number later is in no group. */
static void number_of_a_member_given_again(void **state)
{
	struct family *family = *state;
	struct task_id id = fake_id(&family->middle);

	assert_ptr_equal(accounting_group_of(family->accounting, 0, &id), &family->group);
	assert_true(group_has_task(&family->group, &id));
	id.start_time++;
	assert_null(accounting_group_of(family->accounting, 0, &id));
	assert_false(group_has_task(&family->group, &id));
	assert_true(group_has_task(&family->root, &id));
	id.tid = 999;
	assert_null(accounting_group_of(family->accounting, 0, &id));
}

/* The exit is told before the state is: until its parent has waited it counts. */
static void exit_told_before_its_end(void **state)
{
	struct family *family = *state;
	struct fake_task child = task_of(13, 10);

	put(family, &child);
	tell_fork_and_exit(family, 13, child.start);
	assert_int_equal(group_pids(&family->group), 4);
	child.zombie = true;
	put(family, &child);
	assert_int_equal(group_pids(&family->group), 4);
	gone(family, &child);
	assert_int_equal(group_pids(&family->group), 3);
}

static void nothing(struct source *source)
{
	(void)source;
}

/* Where exits are told of, one that is gone stays until then: whom it forked is told of before. */
static void forks_told_after_its_end(void **state)
{
	struct family *family = *state;
	struct accounting *accounting = family->accounting;
	struct source source = {.tells_exits = true, .sync = nothing};
	const struct task_id child = {.tid = 13, .tgid = 13, .forked_at = task_of(13, 1).start};
	const struct fake_task orphan = task_of(13, 1);

	accounting->source = &source;
	gone(family, &family->bottom);
	put(family, &orphan);
	refresh(family, &family->bottom);
	pthread_mutex_lock(&accounting->lock);
	assert_non_null(task_find(accounting, 12));
	assert_non_null(task_fork(accounting, task_find(accounting, 12), &child));
	task_end(accounting, task_find(accounting, 12), NULL);
	pthread_mutex_unlock(&accounting->lock);
	assert_int_equal(group_pids(&family->group), 3);
	assert_non_null(fake_process(accounting, 13));
	accounting->source = NULL;
}

/* The exit should have been told since, and was not: it is forgotten all the same. */
static void exit_never_told(void **state)
{
	struct family *family = *state;
	struct accounting *accounting = family->accounting;
	struct source source = {.tells_exits = true, .sync = nothing};

	accounting->source = &source;
	gone(family, &family->bottom);
	refresh(family, &family->bottom);
	assert_int_equal(family->group.populated, 3);
	accounting->told_at = now_ns() + 1;
	refresh(family, &family->bottom);
	assert_int_equal(family->group.populated, 2);
	accounting->source = NULL;
}

static void tell_all(struct source *source)
{
	source->accounting->told_at = now_ns();
}

/* Who has ended is in no list, though his exit is told after he was looked at. */
static void no_list_has_the_dead(void **state)
{
	struct family *family = *state;
	struct source source = {.tells_exits = true, .sync = tell_all, .accounting = family->accounting};
	struct task_list list;

	family->accounting->source = &source;
	gone(family, &family->bottom);
	assert_int_equal(accounting_list(&family->group, &list), 0);
	assert_int_equal(list.count, 2);
	free(list.tasks);
	gone(family, &family->middle);
	gone(family, &family->top);
	assert_false(group_is_busy(&family->group));
	family->accounting->source = NULL;
}

/* It has read this much in all, and has run. */
static void put_read(struct family *family, struct fake_task *task, uint64_t bytes)
{
	task->read_bytes = bytes;
	task->run += FAKE_TICK;
	put(family, task);
}

/* The child is gone, waited for by the parent: what that is told of it, but for its bytes. */
static void is_waited_for(struct family *family, struct fake_task *parent,
			  const struct fake_task *child)
{
	gone(family, child);
	parent->reaped += child->run + child->reaped;
}

/* The bottom and the middle one have read, and were read. */
static void read_both(struct family *family)
{
	measure_all(family);
	put_read(family, &family->bottom, 1000);
	put_read(family, &family->middle, 100);
	measure_all(family);
}

/* A process' bytes have those of the children that it has waited for: who was read is not counted again. */
static void io_of_a_child(void **state)
{
	struct family *family = *state;

	read_both(family);
	assert_int_equal(counted_io(family), 1100);
	is_waited_for(family, &family->middle, &family->bottom);
	put_read(family, &family->middle, 100 + 1000 + 20 + 3); /* the last of the child, and its own */
	measure_all(family);
	assert_int_equal(counted_io(family), 1123);
	is_waited_for(family, &family->top, &family->middle);
	put_read(family, &family->top, 1123 + 400);
	measure_all(family);
	assert_int_equal(counted_io(family), 1523);
}

/* Both end unseen between two looks. */
static void io_of_a_grandchild(void **state)
{
	struct family *family = *state;

	read_both(family);
	is_waited_for(family, &family->middle, &family->bottom);
	is_waited_for(family, &family->top, &family->middle);
	put_read(family, &family->top, 1100 + 7);
	measure_all(family);
	measure_all(family);
	assert_int_equal(counted_io(family), 1107);
}

/* The wait is seen before, when only its time is asked for. */
static void io_of_a_child_later(void **state)
{
	struct family *family = *state;

	read_both(family);
	is_waited_for(family, &family->middle, &family->bottom);
	put_read(family, &family->middle, 1100);
	fake_measure_all(family->accounting, USAGE_CPU);
	put_read(family, &family->middle, 1107);
	measure_all(family);
	assert_int_equal(counted_io(family), 1107);
}

/* What a zombie read is not yet in what its parent did: that hides nothing of it. */
static void io_beside_a_zombie(void **state)
{
	struct family *family = *state;

	measure_all(family);
	put_read(family, &family->middle, 1000);
	measure_all(family);
	end_as_zombie(family, &family->middle, family->middle.run);
	put_read(family, &family->top, 30);
	measure_all(family);
	assert_int_equal(counted_io(family), 1030);
	is_waited_for(family, &family->top, &family->middle);
	put_read(family, &family->top, 30 + 1000 + 5);
	measure_all(family);
	assert_int_equal(counted_io(family), 1035);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unseen_grandchild, set_up, tear_down),
		cmocka_unit_test_setup_teardown(grandchild_seen_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orphan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_not_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_orphan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_adopted_by_stranger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_adopted_by_ancestor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orphan_ends_without_running, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orphan_gone_unseen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_gone_with_its_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_of_new_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads_gone_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(restart_that_cannot_look_at_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_over_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zombie_reaped_in_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rest_of_a_tick, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rest_of_a_zombie, set_up, tear_down),
		cmocka_unit_test_setup_teardown(known_thread_explains_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_of_a_zombie_given_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_of_a_member_given_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exit_told_before_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forks_told_after_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exit_never_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_list_has_the_dead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(io_of_a_child, set_up, tear_down),
		cmocka_unit_test_setup_teardown(io_of_a_grandchild, set_up, tear_down),
		cmocka_unit_test_setup_teardown(io_of_a_child_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(io_beside_a_zombie, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
