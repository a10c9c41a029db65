/* SPDX-License-Identifier: MIT */
/*
 * The freezer on a machine whose /proc says what the test wants, with processes that are real: signals reach
 * them.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake_accounting.h"
#include "small_tree.h"

#define BORN 100000u /* tick in which the first process starts: after the machine was looked at first */

static const struct controller *const list[] = {&freezer_controller, NULL};

struct freezing {
	struct fake_machine fake;
	struct small_tree small;
	struct fake_task tasks[4];
	unsigned count;
};

/* A file as it was or as it is, whoever reads it meanwhile. */
static void put_at_once(struct freezing *freezing, const char *path, const char *text)
{
	char new[160], from[256], to[256];

	snprintf(new, sizeof(new), "%s.new", path);
	fake_put(&freezing->fake, new, text);
	snprintf(from, sizeof(from), "%s/%s", freezing->fake.root, new);
	snprintf(to, sizeof(to), "%s/%s", freezing->fake.root, path);
	assert_int_equal(rename(from, to), 0);
}

/* What /proc says of it: R, S, D or T. */
static void show(struct freezing *freezing, const struct fake_task *task, char state)
{
	char path[64], text[256];

	snprintf(text, sizeof(text), "%d (fake) %c %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %lu 0 0\n",
		 task->tid, state, task->ppid, task->start);
	snprintf(path, sizeof(path), "proc/%d/stat", task->tid);
	put_at_once(freezing, path, text);
	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", task->tid, task->tid);
	put_at_once(freezing, path, text);
}

/* A process that waits for signals; `parent` is what /proc says. */
static struct fake_task *born(struct freezing *freezing, pid_t parent)
{
	struct fake_task *task = &freezing->tasks[freezing->count];
	pid_t pid = fork();

	if (!pid) {
		while (getppid() != 1)
			pause();
		_exit(0);
	}
	assert_true(pid > 0);
	*task = (struct fake_task){.tid = pid, .tgid = pid, .ppid = parent,
				   .start = BORN + freezing->count++};
	fake_put_process(&freezing->fake, task, 0, 1);
	fake_put_thread(&freezing->fake, task);
	show(freezing, task, 'S');
	return task;
}

static void join(struct freezing *freezing, const char *cgroup, const struct fake_task *task)
{
	char number[16], path[64];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(number, sizeof(number), "%d", task->tid);
	assert_int_equal(small_write(&freezing->small, path, number), 0);
}

/* What has become of it since it was asked last; waits for that. */
static bool is_stopped(const struct fake_task *task)
{
	int status;

	assert_int_equal(waitpid(task->tid, &status, WUNTRACED | WCONTINUED), task->tid);
	return WIFSTOPPED(status);
}

static bool is_untouched(const struct fake_task *task)
{
	int status;

	return !waitpid(task->tid, &status, WUNTRACED | WCONTINUED | WNOHANG);
}

static void assert_state(struct freezing *freezing, const char *cgroup, const char *wanted)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/freezer.state", cgroup);
	assert_string_equal(small_read(&freezing->small, path), wanted);
}

static int set_up(void **state)
{
	struct freezing *freezing = calloc(1, sizeof(*freezing));

	*state = freezing;
	alarm(60); /* who waits for a signal that is not sent */
	fake_open(&freezing->fake);
	fake_put(&freezing->fake, "proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n");
	small_tree_open(&freezing->small, freezing->fake.root, list);
	assert_int_equal(small_mkdir(&freezing->small, "/freezer/a"), 0);
	assert_int_equal(small_mkdir(&freezing->small, "/freezer/a/b"), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct freezing *freezing = *state;

	for (unsigned i = 0; i < freezing->count; i++) {
		kill(freezing->tasks[i].tid, SIGKILL);
		waitpid(freezing->tasks[i].tid, NULL, 0);
	}
	small_tree_close(&freezing->small);
	fake_close(&freezing->fake);
	free(freezing);
	return 0;
}

/* update_if_frozen(): what is below counts, and what stands counts only once it does. */
static void frozen_when_all_stand(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *above = born(freezing, 1), *below = born(freezing, 1);

	join(freezing, "/freezer/a", above);
	join(freezing, "/freezer/a/b", below);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(above) && is_stopped(below));
	assert_state(freezing, "/freezer/a", "FREEZING\n");
	show(freezing, above, 'T');
	assert_state(freezing, "/freezer/a", "FREEZING\n"); /* the child runs */
	assert_state(freezing, "/freezer/a/b", "FREEZING\n");
	show(freezing, below, 'D');
	assert_state(freezing, "/freezer/a", "FREEZING\n");
	show(freezing, below, 'T');
	assert_state(freezing, "/freezer/a/b", "FROZEN\n");
	assert_state(freezing, "/freezer/a", "FROZEN\n");
	show(freezing, below, 'R'); /* somebody sent SIGCONT */
	assert_state(freezing, "/freezer/a", "FREEZING\n");
	show(freezing, below, 'T');
	assert_state(freezing, "/freezer/a", "FROZEN\n");
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "THAWED"), 0);
	assert_false(is_stopped(above));
	assert_false(is_stopped(below));
	assert_state(freezing, "/freezer/a", "THAWED\n");
}

/* Its parent was not stopped yet, and nobody reads the state any more. */
static void forked_while_it_freezes(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *parent = born(freezing, 1), *child;
	char loadavg[64];

	snprintf(loadavg, sizeof(loadavg), "0.00 0.00 0.00 1/1 %d\n", parent->tid);
	fake_put(&freezing->fake, "proc/loadavg", loadavg);
	join(freezing, "/freezer/a", parent);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(parent));
	show(freezing, parent, 'T');
	assert_state(freezing, "/freezer/a", "FROZEN\n");
	child = born(freezing, parent->tid);
	snprintf(loadavg, sizeof(loadavg), "0.00 0.00 0.00 1/1 %d\n", child->tid);
	fake_put(&freezing->fake, "proc/loadavg", loadavg);
	/* that it is there is learnt by this */
	assert_non_null(small_read(&freezing->small, "/freezer/a/tasks"));
	assert_true(is_stopped(child));
	show(freezing, child, 'T');
	assert_state(freezing, "/freezer/a", "FROZEN\n");
}

/* Who was stopped before is let alone; who leaves is let go, and so is who is left when the daemon ends. */
static void only_ours_go_on(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *other = born(freezing, 1), *leaver = born(freezing, 1), *last = born(freezing, 1);

	kill(other->tid, SIGSTOP);
	assert_true(is_stopped(other));
	show(freezing, other, 'T');
	join(freezing, "/freezer/a", other);
	join(freezing, "/freezer/a", leaver);
	join(freezing, "/freezer/a", last);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(leaver) && is_stopped(last));
	show(freezing, leaver, 'T');
	show(freezing, last, 'T');
	join(freezing, "/freezer", leaver);
	assert_false(is_stopped(leaver));
	show(freezing, leaver, 'S');
	join(freezing, "/freezer/a", leaver);
	assert_true(is_stopped(leaver));
	show(freezing, leaver, 'T');
	assert_true(is_untouched(other) && is_untouched(last));
	small_tree_close(&freezing->small);
	assert_false(is_stopped(leaver) || is_stopped(last));
	assert_true(is_untouched(other));
	small_tree_open(&freezing->small, freezing->fake.root, list);
}

/* A number that is another's now: the one who was stopped has ended. */
static void numbers_are_given_anew(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *task = born(freezing, 1);

	join(freezing, "/freezer/a", task);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(task));
	task->start++;
	show(freezing, task, 'T');
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "THAWED"), 0);
	assert_true(is_untouched(task));
	task->start--;
}

/* Until the process, which was stopped, has in truth been let go. */
static void await_going_on(const struct fake_task *task)
{
	char path[32], state;

	alarm(60); /* the test's is not that of who waits for it here */
	snprintf(path, sizeof(path), "/proc/%d/stat", task->tid);
	do {
		FILE *file = fopen(path, "re");

		usleep(1000);
		assert_true(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
		fclose(file);
	} while (state == 'T');
}

/* /proc says that the task goes on a moment after it does. */
static pid_t show_later(struct freezing *freezing, struct fake_task *task)
{
	pid_t pid = fork();

	if (!pid) {
		await_going_on(task);
		show(freezing, task, 'S');
		_exit(0);
	}
	return pid;
}

/* Ancestors that ran when one below was stopped are let go when they stop; the others are not. */
static void ancestors_go_on(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *above = born(freezing, 1), *parent = born(freezing, above->tid);
	struct fake_task *child = born(freezing, parent->tid), *other = born(freezing, 1);
	pid_t helper;

	kill(other->tid, SIGSTOP);
	assert_true(is_stopped(other));
	show(freezing, other, 'T');
	join(freezing, "/freezer/a", child);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(child));
	kill(above->tid, SIGSTOP);
	kill(parent->tid, SIGSTOP);
	assert_true(is_stopped(above) && is_stopped(parent));
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "THAWED"), 0);
	assert_false(is_stopped(child));
	assert_true(is_untouched(parent) && is_untouched(above)); /* /proc has them asleep */
	show(freezing, child, 'S');
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "FROZEN"), 0);
	assert_true(is_stopped(child));
	show(freezing, child, 'T');
	show(freezing, parent, 'T');
	helper = show_later(freezing, parent);
	assert_int_equal(small_write(&freezing->small, "/freezer/a/freezer.state", "THAWED"), 0);
	waitpid(helper, NULL, 0);
	assert_false(is_stopped(child) || is_stopped(parent));
	assert_true(is_untouched(above) && is_untouched(other));
}

static void freeze_or_thaw(struct freezing *freezing, const char *cgroup, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/freezer.state", cgroup);
	assert_int_equal(small_write(&freezing->small, path, state), 0);
}

/* A parent that two stops were told to goes on with the second one's end. */
static void needed_by_another(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *parent = born(freezing, 1), *one = born(freezing, parent->tid);
	struct fake_task *two = born(freezing, parent->tid);
	pid_t helper;

	assert_int_equal(small_mkdir(&freezing->small, "/freezer/c"), 0);
	join(freezing, "/freezer/a", one);
	join(freezing, "/freezer/c", two);
	freeze_or_thaw(freezing, "/freezer/a", "FROZEN");
	freeze_or_thaw(freezing, "/freezer/c", "FROZEN");
	assert_true(is_stopped(one) && is_stopped(two));
	kill(parent->tid, SIGSTOP);
	assert_true(is_stopped(parent));
	for (unsigned i = 0; i < 3; i++)
		show(freezing, &freezing->tasks[i], 'T');
	freeze_or_thaw(freezing, "/freezer/a", "THAWED");
	assert_false(is_stopped(one));
	assert_true(is_untouched(parent) && is_untouched(two));
	show(freezing, one, 'S');
	helper = show_later(freezing, parent);
	freeze_or_thaw(freezing, "/freezer/c", "THAWED");
	waitpid(helper, NULL, 0);
	assert_false(is_stopped(two) || is_stopped(parent));
}

/* The parent is on its way to stop itself, and his own parent does so after him. */
static void one_after_another(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *above = born(freezing, 1), *parent = born(freezing, above->tid);
	struct fake_task *child = born(freezing, parent->tid);
	pid_t helper;

	join(freezing, "/freezer/a", child);
	freeze_or_thaw(freezing, "/freezer/a", "FROZEN");
	assert_true(is_stopped(child));
	kill(above->tid, SIGSTOP);
	kill(parent->tid, SIGSTOP);
	assert_true(is_stopped(above) && is_stopped(parent));
	show(freezing, parent, 'R');
	helper = fork();
	if (!helper) {
		usleep(5000);
		show(freezing, parent, 'T');
		show(freezing, above, 'T');
		await_going_on(parent);
		show(freezing, parent, 'S');
		await_going_on(above);
		show(freezing, above, 'S');
		_exit(0);
	}
	freeze_or_thaw(freezing, "/freezer/a", "THAWED");
	waitpid(helper, NULL, 0);
	assert_false(is_stopped(parent) || is_stopped(above) || is_stopped(child));
}

/* Of a parent whose state cannot be read for a moment it is not known that it runs: it is looked at again. */
static void parent_that_is_not_read(void **state)
{
	struct freezing *freezing = *state;
	struct fake_task *parent = born(freezing, 1), *child = born(freezing, parent->tid);
	char path[128];
	pid_t helper;

	join(freezing, "/freezer/a", child);
	freeze_or_thaw(freezing, "/freezer/a", "FROZEN");
	assert_true(is_stopped(child));
	kill(parent->tid, SIGSTOP);
	assert_true(is_stopped(parent));
	show(freezing, child, 'T');
	snprintf(path, sizeof(path), "%s/proc/%d/stat", freezing->fake.root, parent->tid);
	assert_int_equal(unlink(path) || symlink("stat", path), 0); /* ELOOP */
	helper = fork();
	if (!helper) {
		usleep(5000);
		show(freezing, parent, 'T');
		await_going_on(parent);
		show(freezing, parent, 'S');
		_exit(0);
	}
	freeze_or_thaw(freezing, "/freezer/a", "THAWED");
	waitpid(helper, NULL, 0);
	assert_false(is_stopped(child) || is_stopped(parent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frozen_when_all_stand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forked_while_it_freezes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_ours_go_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_are_given_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ancestors_go_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(needed_by_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_after_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(parent_that_is_not_read, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("freezer", tests, NULL, NULL);
}
