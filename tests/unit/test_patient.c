/* SPDX-License-Identifier: MIT */
/* Questions that may never be answered, and the threads that are lost to them. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "machine.h"
#include "machine_fd.h"
#include "machine_patient.h"

#define HUNG 1000 /* from this number on tasks hang until they are let go */
#define ASKERS 24

struct question {
	struct patient_head head;
	int answer;
};

static atomic_int asked, dropped;
static atomic_bool let_go;

static void ask(const struct machine *machine, void *question)
{
	struct question *own = question;

	(void)machine;
	asked++;
	while (own->head.pid >= HUNG && !let_go)
		usleep(1000);
	own->answer = 2 * own->head.pid;
}

static void drop(void *question)
{
	(void)question;
	dropped++;
}

static atomic_bool threads_are_short;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg)
{
	return threads_are_short ? EAGAIN : __real_pthread_create(thread, attributes, run, arg);
}

static const struct patient_kind kind = {.size = sizeof(struct question), .ask = ask, .drop = drop};

struct world {
	struct fake_machine fake;
	struct machine *machine;
};

static int set_up(void **state)
{
	static struct world world;

	fake_open(&world.fake);
	world.machine = machine_open(world.fake.root);
	machine_be_patient(world.machine);
	asked = dropped = 0;
	let_go = false;
	*state = &world;
	return world.machine ? 0 : -1;
}

/* Those that are lost come back before the machine goes. */
static int tear_down(void **state)
{
	struct world *world = *state;
	struct question question;

	let_go = true;
	for (int pid = HUNG; pid < HUNG + 200; pid++) {
		do {
			question = (struct question){.head.pid = pid};
			patient_ask(world->machine, &kind, &question, 1);
		} while (!question.head.answered);
	}
	machine_close(world->machine);
	fake_close(&world->fake);
	return 0;
}

static bool go_on(void *arg)
{
	(void)arg;
	return true;
}

static void put_user(const struct world *world, pid_t pid, unsigned uid)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%d/status", pid);
	snprintf(text, sizeof(text), "State:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nUid:\t%u\t%u\t%u\t%u\n", pid,
		 pid, uid, uid, uid, uid);
	fake_put(&world->fake, path, text);
}

static bool is_answered(const struct world *world, pid_t pid)
{
	struct question question = {.head.pid = pid};

	patient_ask(world->machine, &kind, &question, 1);
	assert_int_equal(question.answer, question.head.answered ? 2 * pid : 0);
	return question.head.answered;
}

static void all_are_answered(void **state)
{
	const struct world *world = *state;
	struct question questions[100];

	for (int i = 0; i < 100; i++)
		questions[i] = (struct question){.head.pid = i + 1};
	patient_ask(world->machine, &kind, questions, 100);
	for (int i = 0; i < 100; i++) {
		assert_true(questions[i].head.answered);
		assert_int_equal(questions[i].answer, 2 * (i + 1));
	}
}

static void others_are_answered_beside_one_that_hangs(void **state)
{
	const struct world *world = *state;
	struct question questions[] = {{.head.pid = 1}, {.head.pid = HUNG}, {.head.pid = 2},
				       {.head.pid = HUNG}};

	patient_ask(world->machine, &kind, questions, 4);
	assert_true(questions[0].head.answered && questions[2].head.answered);
	assert_false(questions[1].head.answered || questions[3].head.answered);
	assert_int_equal(questions[1].answer, 0);
	assert_int_equal(asked, 3); /* the second time it is known to hang */
}

static void it_is_asked_again_once_it_came_back(void **state)
{
	const struct world *world = *state;

	assert_false(is_answered(world, HUNG));
	assert_false(is_answered(world, HUNG));
	assert_int_equal(asked, 1);
	assert_int_equal(dropped, 0);
	let_go = true;
	while (!dropped)
		usleep(1000);
	while (!is_answered(world, HUNG))
		;
	assert_int_equal(asked, 2);
	assert_int_equal(dropped, 1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Asked one by one, as a scan does: 50 ms each would be 3 s. */
static void many_at_once_keep_nobody_long(void **state)
{
	const struct world *world = *state;
	double begin = seconds();

	for (int i = 0; i < 60; i++)
		assert_false(is_answered(world, HUNG + i));
	assert_int_equal(asked, 60);
	assert_true(seconds() - begin < 2);
}

static struct question crowd[ASKERS][4];

static void *ask_crowd(void *arg)
{
	const struct world *world = arg;
	static atomic_int number;
	int own = number++;

	patient_ask(world->machine, &kind, crowd[own % ASKERS], 4);
	return NULL;
}

/* 96 tasks of one user hang; 64 threads are lost to them, and none to the next one. */
static void a_user_has_a_share(void **state)
{
	struct world *world = *state;
	pthread_t threads[ASKERS];

	for (int i = 0; i < ASKERS * 4; i++) {
		put_user(world, HUNG + i, 1);
		crowd[i / 4][i % 4] = (struct question){.head.pid = HUNG + i};
	}
	put_user(world, 1, 1);
	put_user(world, 2, 2);
	for (int rounds = 0; rounds < 2; rounds++) {
		for (int i = 0; i < ASKERS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, ask_crowd, world), 0);
		for (int i = 0; i < ASKERS; i++)
			pthread_join(threads[i], NULL);
	}
	/* Those that were asked before the share was used up may be a few more. */
	assert_in_range(asked, 64, 64 + ASKERS);
	assert_false(is_answered(world, 1));
	assert_true(is_answered(world, 2));
}

/* Who is not asked for want of a thread does not hang, and no eventfd is taken for closed. */
static void a_want_of_threads_is_told(void **state)
{
	const struct world *world = *state;
	struct question questions[] = {{.head.pid = 1}, {.head.pid = 2}};
	struct machine_eventfd eventfd = {.id = 5, .tid = 1, .fd = 3};

	threads_are_short = true;
	assert_int_equal(patient_ask(world->machine, &kind, questions, 2), -EAGAIN);
	assert_false(questions[0].head.answered || questions[1].head.answered);
	machine_eventfds_held(world->machine, &eventfd, 1, true, go_on, NULL);
	assert_true(eventfd.held);
	threads_are_short = false;
	assert_int_equal(patient_ask(world->machine, &kind, questions, 2), 0);
	assert_true(questions[0].head.answered && questions[1].head.answered);
}

/* A question within a question, and a machine that was not told to be patient. */
static void one_may_ask_oneself(void **state)
{
	const struct world *world = *state;
	struct machine *machine = machine_open(world->fake.root);
	struct question question = {.head.pid = 7};

	patient_ask(machine, &kind, &question, 1);
	assert_true(question.head.answered);
	assert_int_equal(question.answer, 14);
	machine_close(machine);
}

static int no_mount(const struct machine_mount *mount, void *arg)
{
	(void)mount;
	(void)arg;
	return 0;
}

/* A file of the fake /proc that is waited for until somebody comes: its path is in `path`. */
static void put_fifo(const struct world *world, const char *name, char path[256])
{
	fake_put(&world->fake, name, "");
	snprintf(path, 256, "%s/%s", world->fake.root, name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void come(const char *fifo)
{
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
}

/* In gVisor both wait for requests to us. */
static void files_and_mounts_are_not_waited_for(void **state)
{
	const struct world *world = *state;
	char mounts[256], fdinfo[256], link[300];
	struct machine_fd fd;

	put_fifo(world, "proc/1100/mountinfo", mounts);
	put_fifo(world, "proc/1101/fdinfo/3", fdinfo);
	fake_put(&world->fake, "proc/1101/fd/4", "");
	snprintf(link, sizeof(link), "%s/proc/1101/fd/3", world->fake.root);
	assert_int_equal(symlink("/somewhere", link), 0);
	assert_int_equal(machine_task_mounts(world->machine, 1100, no_mount, NULL), -EBUSY);
	assert_int_equal(machine_task_fd(world->machine, 1101, 3, &fd), 0);
	assert_string_equal(fd.path, "/somewhere");
	assert_int_equal(fd.mount, -1);
	come(mounts);
	come(fdinfo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_are_answered_beside_one_that_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_asked_again_once_it_came_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_at_once_keep_nobody_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_user_has_a_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_and_mounts_are_not_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_want_of_threads_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_may_ask_oneself, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
