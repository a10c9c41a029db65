/* SPDX-License-Identifier: MIT */
/* What happens while the files of /proc are read, one after the other. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "orphans.h"

#define PATIENCE 200000000 /* ns, for another thread to go as far as it can */

/* Called before the library opens a file that ends so. */
static struct {
	const char *path;
	void (*happen)(struct family *family);
	struct family *family;
} before;

static pthread_t other;
static atomic_uint looks; /* how often 12/stat was opened */
static _Thread_local bool is_other;
static sem_t is_there, may_go_on;

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* In place of the C library's. */
int openat(int dir, const char *path, int flags, ...)
{
	void (*happen)(struct family *family) = before.happen;
	mode_t mode = 0;
	va_list list;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	looks += ends_with(path, "12/stat");
	if (is_other && ends_with(path, "11/stat")) {
		sem_post(&is_there);
		sem_wait(&may_go_on);
	} else if (!is_other && happen && ends_with(path, before.path)) {
		before.happen = NULL;
		happen(before.family);
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* What openat() is where its arguments are checked (FORTIFY_SOURCE). */
int __openat_2(int dir, const char *path, int flags)
{
	return openat(dir, path, flags, 0);
}

static void when_opened(struct family *family, const char *path, void (*happen)(struct family *))
{
	before.path = path;
	before.family = family;
	before.happen = happen;
}

static void happened(void)
{
	assert_null(before.happen);
}

static int set_up_both(void **state)
{
	alarm(60); /* who waits for ever */
	sem_init(&is_there, 0, 0);
	sem_init(&may_go_on, 0, 0);
	return set_up(state);
}

/* A thread 13 of the middle process. */
static struct fake_task second_thread(struct family *family)
{
	struct fake_task thread = task_of(13, 10);

	thread.tgid = 11;
	fake_put_status(&family->fake, &thread, 2);
	fake_put_thread(&family->fake, &thread);
	fake_put_process(&family->fake, &family->middle, 0, 2);
	put_last_pid(family, 13);
	source_sync(family->accounting);
	assert_int_equal(family->group.populated, 4);
	return thread;
}

static void end_thread(struct family *family)
{
	const struct counters final = {{[COUNTER_RUN] = 20 * FAKE_TICK}};
	struct accounting *accounting = family->accounting;

	pthread_mutex_lock(&accounting->lock);
	task_end(accounting, task_find(accounting, 13), &final);
	pthread_mutex_unlock(&accounting->lock);
}

/* It is read while it lives, and known to have ended when that is counted. */
static void thread_ends(void **state)
{
	struct family *family = *state;
	struct fake_task thread = second_thread(family);

	thread.run = 20 * FAKE_TICK;
	fake_put_thread(&family->fake, &thread);
	fake_put_process(&family->fake, &family->middle, thread.run, 2);
	when_opened(family, "11/task/13/stat", end_thread);
	measure_all(family);
	happened();
	assert_int_equal(counted(family), 20 * FAKE_TICK);
}

static void run_on(struct family *family)
{
	struct fake_task thread = task_of(13, 10);

	thread.tgid = 11;
	thread.run = 20 * FAKE_TICK;
	fake_put_thread(&family->fake, &thread);
}

/* What a thread runs after its own time was read, and before its process' was, is not the leader's. */
static void thread_runs_on(void **state)
{
	struct family *family = *state;
	struct fake_task thread = second_thread(family);
	struct task_id id = {.tid = 13, .tgid = 11, .start_time = thread.start};
	struct group elsewhere;

	group_init(family->accounting, &elsewhere, 0, &family->root);
	assert_int_equal(accounting_move(&elsewhere, &id, 1), 0);
	thread.run = 3 * FAKE_TICK;
	fake_put_thread(&family->fake, &thread);
	fake_put_process(&family->fake, &family->middle, 20 * FAKE_TICK, 2);
	when_opened(family, "11/stat", run_on);
	measure_all(family);
	happened();
	assert_int_equal(elsewhere.usage->total.user, 20 * FAKE_TICK);
	assert_int_equal(counted(family), 0);
	group_retire(&elsewhere);
}

/* One that nobody has told of yet when its process is about to move is where that is. */
static void thread_is_not_told_of(void **state)
{
	struct family *family = *state;
	struct fake_task thread = task_of(13, 10);
	struct task_id ids[2];

	thread.tgid = 11;
	fake_put_status(&family->fake, &thread, 2);
	fake_put_thread(&family->fake, &thread);
	fake_put_process(&family->fake, &family->middle, 0, 2);
	ids[0] = fake_id(&family->middle);
	ids[1] = fake_id(&thread);
	assert_int_equal(accounting_settle(family->accounting, ids, 2), 0);
	assert_int_equal(family->group.populated, 4);
}

static void *measure_others(void *arg)
{
	struct family *family = arg;
	uint64_t round = UINT64_MAX; /* however new what is known is */
	bool ran;

	is_other = true;
	accounting_measure_next(family->accounting, USAGE_MEMORY, &round, &ran);
	sem_post(&is_there);
	return NULL;
}

static void *ask_for_group(void *arg)
{
	struct family *family = arg;
	struct cpu_usage usage;

	is_other = true;
	group_cpu_usage(&family->group, &usage);
	cpu_usage_free(&usage);
	return NULL;
}

/* Another thread reads; it is done, or goes no further, when this returns. */
static void start_thread(struct family *family, void *(*run)(void *family))
{
	struct timespec until;

	fake_let_time_pass(family->accounting);
	pthread_create(&other, NULL, run, family);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PATIENCE;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (sem_timedwait(&is_there, &until) && errno == EINTR)
		;
}

static void start_other(struct family *family)
{
	start_thread(family, measure_others);
}

static void end_other(void)
{
	for (int i = 0; i < 10; i++)
		sem_post(&may_go_on);
	pthread_join(other, NULL);
}

static void reap(struct family *family, const struct fake_task *child)
{
	gone(family, child);
	family->top.reaped += 20 * FAKE_TICK;
	family->top.run += FAKE_TICK;
	put(family, &family->top);
	start_other(family);
}

static void reap_middle(struct family *family)
{
	reap(family, &family->middle);
}

/* One reading must not pay what another has heard of and is about to find explained. */
static void two_readings(void **state)
{
	struct family *family = *state;

	measure_all(family);
	measure_all(family); /* who rests is not looked at, but when it may have ended */
	end_as_zombie(family, &family->middle, 20 * FAKE_TICK);
	family->bottom.ppid = 10;
	put(family, &family->bottom);
	refresh(family, &family->bottom);
	family->top.reaped = 3 * FAKE_TICK; /* another child, never seen */
	family->top.run = FAKE_TICK;
	put(family, &family->top);
	when_opened(family, "12/stat", reap_middle);
	measure_all(family);
	happened();
	end_other();
	assert_int_equal(counted(family), (20 + 3 + 2) * FAKE_TICK);
}

static void reap_last(struct family *family)
{
	struct fake_task last = task_of(13, 10);

	reap(family, &last);
}

/* A zombie that is found is not paid for as a child that was never seen. */
static void zombie_is_found(void **state)
{
	struct family *family = *state;
	struct fake_task last = task_of(13, 10);

	last.run = 20 * FAKE_TICK;
	last.zombie = true;
	put(family, &last);
	put_last_pid(family, 13);
	when_opened(family, "13/io", reap_last);
	source_sync(family->accounting);
	happened();
	end_other();
	measure_all(family);
	assert_int_equal(counted(family), (20 + 1) * FAKE_TICK);
}

/* What was used until a reset is not shown after it, though it was read a moment ago. */
static void reset(void **state)
{
	struct family *family = *state;
	struct cpu_usage usage;

	family->middle.run = 5 * FAKE_TICK;
	put(family, &family->middle);
	assert_int_equal(group_cpu_usage(&family->group, &usage), 0);
	cpu_usage_free(&usage);
	family->middle.run = 7 * FAKE_TICK;
	put(family, &family->middle);
	assert_int_equal(group_cpu_reset(&family->group), 0);
	measure_all(family);
	assert_int_equal(counted(family), 0);
}

static void ask(struct group *group)
{
	struct cpu_usage usage;

	assert_int_equal(group_cpu_usage(group, &usage), 0);
	cpu_usage_free(&usage);
}

/* 13, with what it has run: in a group of its own. */
static void put_elsewhere(struct family *family, struct group *elsewhere)
{
	struct fake_task stranger = task_of(13, 1);

	group_init(family->accounting, elsewhere, 0, &family->root);
	put(family, &stranger);
	put_last_pid(family, 13);
	fake_move(family->accounting, &stranger, elsewhere);
	stranger.run = 5 * FAKE_TICK;
	put(family, &stranger);
}

/* Who hangs in a reading that another group was asked for keeps nobody: not even from its own kind. */
static void no_group_waits_for_another(void **state)
{
	struct family *family = *state;
	struct group elsewhere;

	put_elsewhere(family, &elsewhere);
	start_thread(family, ask_for_group);
	ask(&elsewhere);
	assert_int_equal(elsewhere.usage->total.user, 5 * FAKE_TICK);
	end_other();
	group_retire(&elsewhere);
}

/* Nor does a reading of the daemon's own accord, of everybody. */
static void nobody_waits_for_a_round(void **state)
{
	struct family *family = *state;

	family->bottom.run = 5 * FAKE_TICK;
	put(family, &family->bottom);
	start_other(family);
	ask(&family->group);
	assert_int_equal(counted(family), 5 * FAKE_TICK);
	end_other();
	assert_int_equal(counted(family), 5 * FAKE_TICK);
}

static void *ask_too(void *arg)
{
	struct family *family = arg;

	ask(&family->group);
	return counted(family) == 5 * FAKE_TICK ? family : NULL;
}

/* Who asks for what is being read waits for it, and does not read it beside. */
static void one_reading_for_two(void **state)
{
	struct family *family = *state;
	pthread_t second;
	void *has_seen;

	family->bottom.run = 5 * FAKE_TICK;
	put(family, &family->bottom);
	start_thread(family, ask_for_group);
	looks = 0;
	pthread_create(&second, NULL, ask_too, family);
	nanosleep(&(struct timespec){.tv_nsec = PATIENCE / 4}, NULL);
	assert_int_equal(looks, 0);
	end_other();
	pthread_join(second, &has_seen);
	assert_non_null(has_seen);
}

static void scan_and_wait(struct family *family)
{
	sync_to(family, 11);
	wait_for_child(family);
}

/* A reading that began before a scan tells of what a member waited for after it. */
static void waits_while_it_is_read(void **state)
{
	struct family *family = *state;

	wait_for_child(family); /* it has run: its stat is read */
	when_opened(family, "10/stat", scan_and_wait);
	measure_all(family);
	happened();
	put_orphan(family, 12);
	assert_int_equal(family->group.populated, 2);
}

static void bury_child(struct family *family)
{
	wait_for_child(family);
	refresh(family, &family->middle);
}

/* The orphan's parent has ended, and is forgotten before the orphan is given to it. */
static void parent_is_forgotten(void **state)
{
	struct family *family = *state;

	family->middle = in_group(11, MEMBER);
	put(family, &family->middle);
	sync_to(family, 11);
	assert_int_equal(family->group.populated, 2);
	gone(family, &family->middle);
	when_opened(family, "11/stat", bury_child);
	put_orphan(family, 12);
	happened();
	assert_int_equal(family->group.populated, 2);
}

static void first_newcomer_goes(struct family *family)
{
	const struct fake_task first = task_of(13, 10);

	gone(family, &first);
}

/* One scan finds two of whom one ends before the other is looked at: there were never both. */
static void newcomers_in_turn(void **state)
{
	struct family *family = *state;
	const struct fake_task first = task_of(13, 10), second = task_of(14, 10);

	accounting_track_pids(family->accounting, 0);
	put(family, &first);
	put(family, &second);
	put_last_pid(family, 14);
	when_opened(family, "14/stat", first_newcomer_goes);
	source_sync(family->accounting);
	happened();
	assert_int_equal(family->group.populated, 4);
	assert_int_equal(group_pids_peak(&family->group), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(thread_ends, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(thread_runs_on, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(thread_is_not_told_of, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(two_readings, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(zombie_is_found, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(reset, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(no_group_waits_for_another, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(nobody_waits_for_a_round, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(one_reading_for_two, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(newcomers_in_turn, set_up_both, tear_down),
		cmocka_unit_test_setup_teardown(waits_while_it_is_read, set_up_group, tear_down),
		cmocka_unit_test_setup_teardown(parent_is_forgotten, set_up_group, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
