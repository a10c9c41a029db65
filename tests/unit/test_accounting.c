/* SPDX-License-Identifier: MIT */
/*
 * Accounting against a model: random forks, threads, execs, exits, attaches,
 * mkdirs and rmdirs on a fake machine, told by events or found by scans.
 */
#include "model.h"

#define STEPS 800

/* --- what happens --- */

static void add_run(struct world *world, const struct model_task *task, uint64_t run, bool certain)
{
	for (int h = 0; h < HIERARCHIES; h++) {
		for (int g = task->group[h]; g; g = world->groups[h][g].parent) {
			if (certain)
				world->groups[h][g].certain += run;
			else
				world->groups[h][g].run += run;
		}
	}
}

/* All that the task has run is known to accounting by now. */
static void is_counted(struct world *world, struct model_task *task)
{
	add_run(world, task, task->fake.run - task->counted, true);
	task->counted = task->fake.run;
}

static void work(struct world *world)
{
	struct model_task *task = any_task(world, false);
	uint64_t run = (1 + dice(world, 30)) * FAKE_TICK;

	task->fake.run += run;
	add_run(world, task, run, false);
	if (task->fake.tid == task->fake.tgid) {
		task->fake.read_bytes += dice(world, 3) * 4096;
		task->fake.anon = dice(world, 1000) * 4096;
	}
	put_process(world, task->fake.tgid);
}

static void tell_fork(struct world *world, const struct model_task *creator,
		      const struct model_task *task)
{
	struct task_id id = id_of(task);
	struct task *known, *old;

	if (!world->events)
		return;
	pthread_mutex_lock(&world->accounting->lock);
	old = task_find(world->accounting, id.tid);
	if (old)
		task_free(world->accounting, old);
	known = task_find(world->accounting, creator->fake.tid);
	if (known)
		task_fork(world->accounting, known, &id);
	pthread_mutex_unlock(&world->accounting->lock);
}

static void fork_task(struct world *world, bool thread)
{
	struct model_task *creator = any_task(world, !world->events), *task;

	if (!creator)
		return;
	task = new_task(world, thread ? creator->fake.tgid : 0,
			thread ? creator->fake.ppid : creator->fake.tgid);
	if (!task)
		return;
	memcpy(task->group, creator->group, sizeof(task->group));
	put_process(world, task->fake.tgid);
	put_last_pid(world);
	tell_fork(world, creator, task);
}

static void forget(struct world *world, struct model_task *task)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d", task->fake.tgid, task->fake.tid);
	fake_remove_dir(&world->fake, path);
	snprintf(path, sizeof(path), "proc/%d", task->fake.tid);
	fake_remove_dir(&world->fake, path);
	task->used = false;
}

static void tell_exit(struct world *world, struct model_task *task)
{
	struct counters final = {{[COUNTER_RUN] = task->fake.run}};
	struct task *known;

	if (!world->events)
		return;
	pthread_mutex_lock(&world->accounting->lock);
	known = task_find(world->accounting, task->fake.tid);
	if (known)
		task_end(world->accounting, known, &final);
	pthread_mutex_unlock(&world->accounting->lock);
	is_counted(world, task);
}

/* Its parent, if that lives, waits for it and has its time; orphans go to nobody. */
static void reap(struct world *world, struct model_task *leader)
{
	struct model_task *parent = find_task(world, leader->fake.ppid);
	uint64_t all = leader->fake.run + leader->fake.ended_run + leader->fake.reaped;

	for (int i = 0; i < TASKS; i++) {
		struct model_task *child = &world->tasks[i];

		if (child->used && child->fake.ppid == leader->fake.tid) {
			child->fake.ppid = 1;
			put_process(world, child->fake.tgid);
		}
	}
	forget(world, leader);
	if (!parent || parent->fake.zombie)
		return;
	parent->fake.reaped += all;
	parent->fake.run += FAKE_TICK; /* it takes time to wait */
	add_run(world, parent, FAKE_TICK, false);
	put_process(world, parent->fake.tgid);
}

static void exit_task(struct world *world)
{
	struct model_task *task = any_task(world, false), *leader;

	if (!task || task->fake.tid == 1)
		return;
	leader = leader_of(world, task);
	let_time_pass(world);
	tell_exit(world, task);
	if (task == leader) {
		task->fake.zombie = true;
		put_process(world, task->fake.tgid);
	} else {
		leader->fake.ended_run += task->fake.run;
		forget(world, task);
		put_process(world, leader->fake.tgid);
	}
	if (!live_threads(world, leader->fake.tgid) && leader->fake.tid != 1)
		reap(world, leader);
}

static void attach(struct world *world)
{
	struct model_task *task = any_task(world, dice(world, 2));
	int h = (int)dice(world, HIERARCHIES), g = (int)dice(world, GROUPS);
	struct task_id ids[TASKS];
	size_t count = 0;

	if (!task || !world->groups[h][g].used || task->fake.tid == 1)
		return;
	for (int i = 0; i < TASKS; i++) {
		struct model_task *other = &world->tasks[i];

		if (other->used && !other->fake.zombie &&
		    (other == task || (task->fake.tid == task->fake.tgid &&
				       other->fake.tgid == task->fake.tgid)))
			ids[count++] = id_of(other);
	}
	put_children(world);
	let_time_pass(world);
	assert_int_equal(accounting_settle(world->accounting, ids, count), 0);
	assert_int_equal(accounting_move(&world->groups[h][g].group, ids, count), 0);
	for (size_t i = 0; i < count; i++) {
		is_counted(world, find_task(world, ids[i].tid));
		find_task(world, ids[i].tid)->group[h] = g;
	}
}

static void make_group(struct world *world)
{
	int h = (int)dice(world, HIERARCHIES), parent = (int)dice(world, GROUPS);
	int g = 1 + (int)dice(world, GROUPS - 1);

	if (world->groups[h][g].used || !world->groups[h][parent].used)
		return;
	world->groups[h][g] = (struct model_group){.used = true, .parent = parent};
	group_init(world->accounting, &world->groups[h][g].group, (unsigned)h,
		   &world->groups[h][parent].group);
}

static bool has_children(struct world *world, int h, int g)
{
	for (int i = 1; i < GROUPS; i++) {
		if (world->groups[h][i].used && world->groups[h][i].parent == g)
			return true;
	}
	return false;
}

static bool model_is_busy(struct world *world, int h, int g)
{
	for (int i = 0; i < TASKS; i++) {
		if (world->tasks[i].used && !world->tasks[i].fake.zombie &&
		    world->tasks[i].group[h] == g)
			return true;
	}
	return false;
}

static void remove_group(struct world *world)
{
	int h = (int)dice(world, HIERARCHIES), g = 1 + (int)dice(world, GROUPS - 1);

	if (!world->groups[h][g].used || has_children(world, h, g))
		return;
	assert_int_equal(group_is_busy(&world->groups[h][g].group), model_is_busy(world, h, g));
	if (model_is_busy(world, h, g))
		return;
	group_retire(&world->groups[h][g].group);
	world->groups[h][g].used = false;
	for (int i = 0; i < TASKS; i++) { /* zombies */
		if (world->tasks[i].used && world->tasks[i].group[h] == g)
			world->tasks[i].group[h] = world->groups[h][g].parent;
	}
}

/* --- what must hold --- */

static void check_list(struct world *world, int h, int g)
{
	struct task_list list;
	size_t expected = 0;

	assert_int_equal(accounting_list(&world->groups[h][g].group, &list), 0);
	for (int i = 0; i < TASKS; i++)
		expected += world->tasks[i].used && !world->tasks[i].fake.zombie &&
			    world->tasks[i].group[h] == g;
	for (size_t i = 0; i < list.count; i++) {
		const struct model_task *task = find_task(world, list.tasks[i].tid);

		assert_true(!i || list.tasks[i - 1].tid < list.tasks[i].tid);
		assert_non_null(task);
		assert_int_equal(task->group[h], g);
		assert_int_equal(task->fake.tgid, list.tasks[i].tgid);
	}
	assert_int_equal(list.count, expected);
	free(list.tasks);
}

static uint64_t ask_run(struct group *group)
{
	struct cpu_usage usage;
	uint64_t run;

	assert_int_equal(group_cpu_usage(group, &usage), 0);
	run = usage.total.user + usage.total.system;
	cpu_usage_free(&usage);
	return run;
}

static void check_run(struct world *world, int h, int g)
{
	struct model_group *group = &world->groups[h][g];
	uint64_t below = 0, run;

	let_time_pass(world);
	run = ask_run(&group->group);
	assert_true(run >= group->shown); /* never back */
	assert_true(run <= group->run);
	for (int i = 0; i < TASKS; i++) {
		struct model_task *task = &world->tasks[i];
		int up = task->used && !task->fake.zombie ? task->group[h] : 0;

		while (up && up != g)
			up = world->groups[h][up].parent;
		if (up)
			is_counted(world, task);
	}
	assert_true(run >= group->certain);
	group->shown = run;
	for (int i = 1; i < GROUPS; i++) {
		if (world->groups[h][i].used && world->groups[h][i].parent == g)
			below += ask_run(&world->groups[h][i].group);
	}
	assert_true(run >= below); /* nothing has run meanwhile */
}

static uint64_t model_anon(struct world *world, int h, int g, bool below)
{
	uint64_t sum = 0;

	for (int i = 0; i < TASKS; i++) {
		const struct model_task *task = &world->tasks[i];
		int up = task->used && !task->fake.zombie && task->fake.tid == task->fake.tgid
				 ? task->group[h]
				 : 0;

		while (below && up && up != g)
			up = world->groups[h][up].parent;
		if (up == g)
			sum += task->fake.anon;
	}
	return sum;
}

/* What a group holds is at most what its members have: the rest is held where they were before. */
static void check_memory(struct world *world, int h, int g)
{
	struct memory_usage local, total;

	let_time_pass(world);
	assert_int_equal(group_memory_usage(&world->groups[h][g].group, &local, &total), 0);
	assert_true(total.anon >= local.anon);
	assert_true(total.anon < 1ull << 40); /* no sum went below 0 */
	assert_true(total.anon <= model_anon(world, h, g, true) + TASKS * 4096000ull);
}

static void check_counts(struct world *world, int h, int g)
{
	const struct group *group = &world->groups[h][g].group;
	unsigned live = 0, peak = group->pids_peak;

	for (int i = 0; i < TASKS; i++) {
		const struct model_task *task = &world->tasks[i];
		int up = task->used && !task->fake.zombie ? task->group[h] : 0;

		while (up && up != g)
			up = world->groups[h][up].parent;
		live += up == g;
	}
	assert_true(group_pids(&world->groups[h][g].group) >= live);
	assert_int_equal(group->populated, live);
	assert_true(group->pids_peak >= live && group->pids_peak >= peak);
}

static void check(struct world *world)
{
	int h = (int)dice(world, HIERARCHIES), g = (int)dice(world, GROUPS);

	if (!world->groups[h][g].used)
		return;
	check_list(world, h, g);
	if (!g)
		return;
	check_run(world, h, g);
	check_memory(world, h, g);
	check_counts(world, h, g);
}

/* --- the world --- */

static void nothing(struct source *source)
{
	(void)source;
}

static void world_open(struct world *world, bool events, unsigned seed)
{
	*world = (struct world){.events = events, .seed = seed, .clock = 100000};
	fake_open(&world->fake);
	fake_put(&world->fake, "proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"
					    "cpu1 0 0 0 0 0 0 0 0 0 0\n");
	world->machine = machine_open(world->fake.root);
	assert_non_null(world->machine);
	world->accounting = accounting_new(world->machine);
	assert_non_null(world->accounting);
	for (int h = 0; h < HIERARCHIES; h++) {
		world->groups[h][0].used = true;
		group_init(world->accounting, &world->groups[h][0].group, (unsigned)h, NULL);
		accounting_track(world->accounting, (unsigned)h,
				 USAGE_CPU | USAGE_MEMORY | USAGE_IO);
	}
	world->teller = (struct source){.name = "test",
					.accounting = world->accounting,
					.tells_exits = true,
					.sync = nothing,
					.wake = nothing,
					.close = nothing};
	if (events)
		world->accounting->source = &world->teller;
	new_task(world, 0, 0)->fake.tid = 1;
	world->tasks[0].fake.tgid = 1;
	put_process(world, 1);
	put_last_pid(world);
}

static void world_close(struct world *world)
{
	for (int h = 0; h < HIERARCHIES; h++) {
		for (int again = 0; again < GROUPS; again++) {
			for (int g = GROUPS - 1; g >= 0; g--) {
				if (!world->groups[h][g].used || has_children(world, h, g))
					continue;
				group_retire(&world->groups[h][g].group);
				world->groups[h][g].used = false;
			}
		}
	}
	accounting_free(world->accounting);
	machine_close(world->machine);
	fake_close(&world->fake);
}

static void play(bool events, unsigned seed)
{
	static struct world world;

	world_open(&world, events, seed);
	for (int step = 0; step < STEPS; step++) {
		unsigned what = dice(&world, 100);

		if (what < 25)
			work(&world);
		else if (what < 40)
			fork_task(&world, false);
		else if (what < 47)
			fork_task(&world, true);
		else if (what < 62)
			exit_task(&world);
		else if (what < 72)
			attach(&world);
		else if (what < 78)
			make_group(&world);
		else if (what < 82)
			remove_group(&world);
		/* A scan must see a task while its parent is there, and who ends before the next does. */
		if (!events) {
			source_sync(world.accounting);
			fake_measure_all(world.accounting, USAGE_CPU);
		}
		if (what % 3 == 0)
			check(&world);
	}
	world_close(&world);
}

static void test_events(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++)
		play(true, seed);
}

static void test_scan(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++)
		play(false, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
