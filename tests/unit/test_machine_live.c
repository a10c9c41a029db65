/* SPDX-License-Identifier: MIT */
/* What is read of live tasks: this process and its children, whose figures libc tells. */
#include "machines.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine_task.h"

static bool holds(const struct machine_ids *ids, pid_t id)
{
	for (size_t i = 0; i < ids->nr; i++) {
		if (i)
			assert_true(ids->id[i - 1] < ids->id[i]);
		if (ids->id[i] == id)
			return true;
	}
	return false;
}

static void burn(void)
{
	struct rusage use;

	do
		getrusage(RUSAGE_SELF, &use);
	while (use.ru_utime.tv_sec * 100 + use.ru_utime.tv_usec / 10000 +
	       use.ru_stime.tv_sec * 100 + use.ru_stime.tv_usec / 10000 < 20);
}

static void self_stat(void **state)
{
	struct machine_task_stat stat;
	struct machine_task_schedstat sched;
	struct rusage use;
	uint64_t ticks;
	int error;

	(void)state;
	burn();
	prctl(PR_SET_NAME, ") ( \n)");
	assert_int_equal(machine_task_stat(live_machine, getpid(), 0, &stat), 0);
	getrusage(RUSAGE_SELF, &use);
	ticks = use.ru_utime.tv_sec * 100 + use.ru_utime.tv_usec / 10000 + use.ru_stime.tv_sec * 100 +
		use.ru_stime.tv_usec / 10000;
	assert_string_equal(stat.comm, ") ( \n)");
	assert_int_equal(stat.pid, getpid());
	assert_int_equal(stat.ppid, getppid());
	assert_int_equal(stat.pgrp, getpgrp());
	assert_int_equal(stat.session, getsid(0));
	assert_int_equal(stat.state, 'R');
	assert_in_range(stat.utime + stat.stime, ticks - 3, ticks + 1);
	assert_in_range(stat.minflt, use.ru_minflt / 2, use.ru_minflt + 1);
	error = machine_task_schedstat(live_machine, getpid(), 0, &sched);
	if (error == -ENOENT)
		return;
	assert_int_equal(error, 0);
	assert_in_range(sched.run_ns / MACHINE_TICK_NS, ticks - 3, ticks + 3);
}

static void self_status(void **state)
{
	struct machine_task_status s;
	struct machine_task_statm m;

	(void)state;
	assert_int_equal(machine_task_status(live_machine, getpid(), 0, &s), 0);
	assert_int_equal(s.pid, getpid());
	assert_int_equal(s.uid[1], geteuid());
	assert_int_equal(s.gid[0], getgid());
	assert_int_equal(machine_task_statm(live_machine, getpid(), 0, &m), 0);
	assert_in_range(m.resident * number_page_size(), s.vm_rss / 2, s.vm_rss * 2);
}

/* What the file says between two readings of ours lies between them. */
static void self_io(void **state)
{
	struct machine_task_io before, after;
	uint64_t read_bytes = 0, write_bytes = 0;
	char line[100];
	FILE *file = fopen("/proc/self/io", "re");

	(void)state;
	assert_non_null(file);
	assert_int_equal(machine_task_io(live_machine, getpid(), 0, &before), 0);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "read_bytes: %" SCNu64, &read_bytes);
		sscanf(line, "write_bytes: %" SCNu64, &write_bytes);
	}
	assert_int_equal(machine_task_io(live_machine, getpid(), 0, &after), 0);
	fclose(file);
	assert_in_range(read_bytes, before.read_bytes, after.read_bytes);
	assert_in_range(write_bytes, before.write_bytes, after.write_bytes);
}

/* pthread_join(3) returns when the thread has let go of its memory: it is gone a little later. */
static void assert_soon_gone(pid_t pid, pid_t tid)
{
	for (int i = 0; i < 10000 && !machine_task_is_gone(live_machine, pid, tid); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_true(machine_task_is_gone(live_machine, pid, tid));
}

static pthread_barrier_t barrier;

static void *hold_thread(void *tid)
{
	*(pid_t *)tid = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void self_threads(void **state)
{
	struct machine_ids ids = { 0 };
	struct machine_task_stat stat;
	pthread_t thread;
	pid_t tid;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, hold_thread, &tid);
	pthread_barrier_wait(&barrier);
	assert_int_equal(machine_tids(live_machine, getpid(), &ids), 0);
	assert_true(holds(&ids, getpid()) && holds(&ids, tid));
	assert_int_equal(machine_task_stat(live_machine, getpid(), tid, &stat), 0);
	assert_int_equal(stat.pid, tid);
	assert_false(machine_task_is_gone(live_machine, getpid(), tid));
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	assert_soon_gone(getpid(), tid);
	assert_int_equal(machine_pids(live_machine, &ids), 0);
	assert_true(holds(&ids, getpid()));
	machine_ids_free(&ids);
}

/* A child that lives, is a zombie, is gone. */
static void a_life(void **state)
{
	struct machine_ids ids = { 0 };
	struct machine_task_stat stat;
	struct machine_task_status status;
	struct machine_task_smaps smaps;
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (!pid) {
		pause();
		_exit(0);
	}
	assert_int_equal(machine_children(live_machine, getpid(), 0, &ids), 0);
	assert_true(holds(&ids, pid));
	assert_int_equal(machine_task_smaps(live_machine, pid, &smaps), 0);
	assert_true(smaps.rss);
	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	assert_int_equal(machine_task_stat(live_machine, pid, 0, &stat), 0);
	assert_int_equal(stat.state, 'Z');
	assert_false(machine_task_is_gone(live_machine, pid, 0));
	assert_false(machine_task_is_gone(live_machine, pid, pid));
	assert_int_equal(machine_task_status(live_machine, pid, 0, &status), 0);
	assert_false(status.has_mm && status.vm_rss);
	waitpid(pid, NULL, 0);
	assert_int_equal(machine_task_stat(live_machine, pid, 0, &stat), -ESRCH);
	assert_int_equal(machine_task_status(live_machine, pid, 0, &status), -ESRCH);
	assert_int_equal(machine_task_smaps(live_machine, pid, &smaps), -ESRCH);
	assert_int_equal(machine_task_smaps_rollup(live_machine, pid, &smaps), -ESRCH);
	assert_int_equal(machine_tids(live_machine, pid, &ids), -ESRCH);
	assert_int_equal(machine_children(live_machine, pid, 0, &ids), -ESRCH);
	assert_false(machine_task_exists(live_machine, pid, 0));
	assert_true(machine_task_is_gone(live_machine, pid, 0));
	assert_true(machine_task_is_gone(live_machine, pid, pid));
	assert_false(machine_task_is_gone(linux_machine, pid, 0));
	machine_ids_free(&ids);
}

/* Where /proc is of another pid namespace than we, kill(2) knows nothing of its numbers. */
static void another_pid_namespace(void **state)
{
	pid_t outer = getpid(), pid = fork();
	int status;

	(void)state;
	if (!pid) {
		struct machine *machine;

		if (unshare(CLONE_NEWPID))
			_exit(2);
		pid = fork();
		if (pid) {
			waitpid(pid, &status, 0);
			_exit(WEXITSTATUS(status));
		}
		machine = machine_open("/");
		_exit(!machine || !machine_task_exists(machine, outer, 0) ||
		      machine_task_is_gone(machine, outer, 0));
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 2) {
		print_message("a pid namespace needs root\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_stat),
		cmocka_unit_test(self_status),
		cmocka_unit_test(self_io),
		cmocka_unit_test(self_threads),
		cmocka_unit_test(a_life),
		cmocka_unit_test(another_pid_namespace),
	};

	return cmocka_run_group_tests(tests, open_machines, close_machines);
}
