/* SPDX-License-Identifier: MIT */
/*
 * While no file can be opened nobody is gone: what cannot be read is not known, and nothing is done for it.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounting.h"
#include "cgroup.h"
#include "machine.h"
#include "machine_device.h"
#include "machine_sched.h"
#include "machine_sysctl.h"
#include "machine_task.h"
#include "pid_namespace.h"
#include "small_tree.h"

extern const struct controller cpuset_controller, freezer_controller, pids_controller;

static struct rlimit allowed;

/* From here on open(2) fails with EMFILE, as every number is too high. */
static void run_short(void)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = allowed.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void have_enough(void)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &allowed), 0);
}

/* A member that forks for each byte, and tells whom. */
struct forker {
	pid_t pid;
	int ask[2], answer[2];
};

static void serve(const struct forker *forker)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
	while (read(forker->ask[0], &byte, 1) == 1) {
		pid_t child = fork();

		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
		}
		if (write(forker->answer[1], &child, sizeof(child)) != sizeof(child))
			break;
	}
	_exit(0);
}

static void start(struct forker *forker)
{
	assert_int_equal(pipe(forker->ask) | pipe(forker->answer), 0);
	forker->pid = fork();
	if (!forker->pid)
		serve(forker);
}

static pid_t ask(const struct forker *forker)
{
	pid_t child = 0;

	assert_int_equal(write(forker->ask[1], "", 1), 1);
	assert_int_equal(read(forker->answer[0], &child, sizeof(child)), sizeof(child));
	return child;
}

static void end(const struct forker *forker)
{
	kill(forker->pid, SIGKILL);
	waitpid(forker->pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(forker->ask[i]);
		close(forker->answer[i]);
	}
}

static void test_errors_are_what_they_are(void **state)
{
	struct machine *machine = machine_open("/");
	struct bitmap *map = NULL;
	struct machine_task_stat stat;
	struct machine_rt_limits limits;
	struct machine_netdevs devs;
	struct machine_ids ids = {0};
	struct pid_namespace space;
	unsigned swappiness;
	uint64_t now = 0;

	(void)state;
	assert_non_null(machine);
	run_short();
	assert_true(machine_task_exists(machine, getppid(), 0));
	assert_false(machine_task_is_gone(machine, getppid(), 0));
	assert_int_equal(machine_task_stat(machine, getppid(), 0, &stat), -EMFILE);
	assert_int_equal(machine_pids(machine, &ids), -EMFILE);
	assert_int_equal(machine_tids(machine, getppid(), &ids), -EMFILE);
	assert_int_equal(machine_cpus(machine, MACHINE_CPUS_ONLINE, &map), -EMFILE);
	assert_int_equal(machine_nodes(machine, MACHINE_NODES_MEMORY, &map), -EMFILE);
	assert_int_equal(machine_swappiness(machine, &swappiness), -EMFILE);
	assert_int_equal(machine_rt_limits(machine, &limits), -EMFILE);
	assert_int_equal(machine_netdevs(machine, &devs), -EMFILE);
	assert_int_equal(machine_uptime(machine, &now), 0);
	assert_true(now > 0);
	space = pid_namespace_of(machine, getppid()); /* ours, perhaps: then 1 is process 1 */
	assert_int_equal(pid_namespace_find(machine, &space, 1), 0);
	have_enough();
	machine_close(machine);
}

static void test_members_stay(void **state)
{
	static const struct controller *const list[] = {&pids_controller, NULL};
	struct small_tree small;
	struct forker forker;
	struct request request = {0};
	struct group *group;
	struct task_list tasks;
	uint64_t before;
	char text[16];

	(void)state;
	small_tree_open(&small, "/", list);
	start(&forker);
	ask(&forker); /* once it answers it has the thread that a sanitizer gives it, too */
	assert_int_equal(small_mkdir(&small, "/pids/a"), 0);
	snprintf(text, sizeof(text), "%d", forker.pid);
	assert_int_equal(small_write(&small, "/pids/a/cgroup.procs", text), 0);
	assert_int_equal(small_find(&small, "/pids/a/cgroup.procs", 0, &request), 0);
	group = &request.cgroup->group;
	before = group_pids(group);
	assert_true(before >= 1);

	run_short();
	ask(&forker); /* nobody sees it now */
	assert_int_equal(small_write(&small, "/pids/cgroup.procs", text), -EMFILE);
	assert_int_equal(small_rmdir(&small, "/pids/a"), -EBUSY);
	assert_int_equal(group_pids(group), before);
	assert_int_equal(accounting_list(group, &tasks), 0);
	assert_int_equal(tasks.count, before);
	free(tasks.tasks);
	have_enough();

	assert_true(group_pids(group) > before); /* but now */
	assert_int_equal(accounting_list(group, &tasks), 0);
	assert_true(tasks.count > before);
	kill(tasks.tasks[tasks.count - 1].tid, SIGKILL);
	free(tasks.tasks);
	end(&forker);
	cgroup_put(request.cgroup);
	small_tree_close(&small);
}

static char state_of(pid_t pid)
{
	struct machine *machine = machine_open("/");
	struct machine_task_stat stat = {0};

	machine_task_stat(machine, pid, 0, &stat);
	machine_close(machine);
	return stat.state;
}

static void test_frozen_is_who_stands_still(void **state)
{
	static const struct controller *const list[] = {&freezer_controller, NULL};
	struct small_tree small;
	struct forker forker;
	char text[16];

	(void)state;
	small_tree_open(&small, "/", list);
	start(&forker);
	assert_int_equal(small_mkdir(&small, "/freezer/a"), 0);
	snprintf(text, sizeof(text), "%d", forker.pid);
	assert_int_equal(small_write(&small, "/freezer/a/cgroup.procs", text), 0);
	run_short();
	small_write(&small, "/freezer/a/freezer.state", "FROZEN");
	assert_string_equal(small_read(&small, "/freezer/a/freezer.state"), "FREEZING\n");
	have_enough();
	while (strcmp(small_read(&small, "/freezer/a/freezer.state"), "FROZEN\n"))
		usleep(1000);
	assert_int_equal(state_of(forker.pid), 'T');
	run_short();
	small_write(&small, "/freezer/a/freezer.state", "THAWED");
	have_enough();
	assert_int_equal(small_write(&small, "/freezer/a/freezer.state", "THAWED"), 0);
	while (state_of(forker.pid) == 'T')
		usleep(1000);
	end(&forker);
	small_tree_close(&small);
}

static void test_no_cpuset_loses_its_share(void **state)
{
	static const struct controller *const list[] = {&cpuset_controller, NULL};
	struct small_tree small;
	char cpus[128];

	(void)state;
	small_tree_open(&small, "/", list);
	assert_int_equal(small_mkdir(&small, "/cpuset/a"), 0);
	snprintf(cpus, sizeof(cpus), "%s", small_read(&small, "/cpuset/cpuset.cpus"));
	assert_int_equal(small_write(&small, "/cpuset/a/cpuset.cpus", cpus), 0);
	run_short();
	assert_null(small_read(&small, "/cpuset/a/cpuset.cpus"));
	assert_int_equal(errno, EMFILE);
	have_enough();
	assert_string_equal(small_read(&small, "/cpuset/a/cpuset.cpus"), cpus);
	assert_string_equal(small_read(&small, "/cpuset/cpuset.cpus"), cpus);
	small_tree_close(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_what_they_are),
		cmocka_unit_test(test_members_stay),
		cmocka_unit_test(test_frozen_is_who_stands_still),
		cmocka_unit_test(test_no_cpuset_loses_its_share),
	};

	getrlimit(RLIMIT_NOFILE, &allowed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
