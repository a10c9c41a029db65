/* SPDX-License-Identifier: MIT */
/*
 * What happens between a check without the tree lock and the change under it. /proc/uptime, a
 * pipe here, holds the asker up after his first look.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "small_world.h"

static const struct controller *const list[] = {&cpuacct_controller, &memory_controller, NULL};

struct asker {
	struct small_world *world;
	const char *path, *text; /* a write; no text: rmdir of the path */
	int result;
	pthread_t thread;
	char pipe[128];
	int fd;
};

static int set_up(void **state)
{
	struct small_world *world = *state = world_open(list, ONE_CPU);

	alarm(60);
	fake_put(&world->fake, "proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 500000 kB\n");
	assert_int_equal(small_mkdir(&world->small, "/cpuacct/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/memory/a"), 0);
	assert_int_equal(small_mkdir(&world->small, "/memory/b"), 0);
	world_put(world, 10, 1, 0);
	world_put(world, 11, 1, 0);
	world_last_pid(world, 11);
	world_join(world, "/memory/b", 10); /* nobody is looked for where nobody is a member */
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	return 0;
}

static void *ask(void *arg)
{
	struct asker *asker = arg;

	asker->result = asker->text ? small_write(&asker->world->small, asker->path, asker->text)
				    : small_rmdir(&asker->world->small, asker->path);
	return NULL;
}

/*
 * Long enough for another thread to come to where it waits; one that is late finds what the first look
 * refuses.
 */
static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* Returns when the asker has looked and waits for what /proc has to tell: opening a pipe takes two. */
static void hold_up(struct asker *asker)
{
	snprintf(asker->pipe, sizeof(asker->pipe), "%s/proc/uptime", asker->world->fake.root);
	assert_int_equal(unlink(asker->pipe), 0);
	assert_int_equal(mkfifo(asker->pipe, 0600), 0);
	assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
	rest();
}

/* Open for both it is never waited for, and nobody waits who opens it, however late he is. */
static void tell(struct asker *asker)
{
	asker->fd = open(asker->pipe, O_RDWR);
	assert_true(asker->fd >= 0);
	unlink(asker->pipe);
	fake_put(&asker->world->fake, "proc/uptime", "100.00 100.00\n");
}

static int answer(struct asker *asker)
{
	pthread_join(asker->thread, NULL);
	close(asker->fd);
	return asker->result;
}

/* The group's own second look is under the tree lock, which we have until the first is over. */
static void attached_while_it_is_removed(void **state)
{
	struct small_world *world = *state;
	struct asker asker = {.world = world, .path = "/cpuacct/a"};
	const struct task_id id = {.tid = 11, .tgid = 11, .start_time = 100011};
	struct node node;

	hold_up(&asker);
	tree_write_lock(world->small.tree);
	tell(&asker);
	rest(); /* it comes to the lock */
	assert_int_equal(tree_lookup(world->small.tree, "/cpuacct/a", &node), 0);
	assert_int_equal(accounting_move(&node.cgroup->group, &id, 1), 0);
	tree_unlock(world->small.tree);
	assert_int_equal(answer(&asker), -EBUSY);
	assert_int_equal(small_mkdir(&world->small, "/cpuacct/a"), -EEXIST);
}

static void child_made_while_it_is_removed(void **state)
{
	struct small_world *world = *state;
	struct asker asker = {.world = world, .path = "/cpuacct/a"};

	hold_up(&asker);
	assert_int_equal(small_mkdir(&world->small, "/cpuacct/a/b"), 0);
	tell(&asker);
	assert_int_equal(answer(&asker), -EBUSY);
}

static void removed_at_last(void **state)
{
	struct small_world *world = *state;
	struct asker asker = {.world = world, .path = "/cpuacct/a"};

	hold_up(&asker);
	tree_write_lock(world->small.tree);
	tell(&asker);
	tree_unlock(world->small.tree);
	assert_int_equal(answer(&asker), 0);
	assert_int_equal(small_rmdir(&world->small, "/cpuacct/a"), -ENOENT);
}

/* mem_cgroup_resize_max(): the other limit moves while usage is looked at. */
static void limit_raised_meanwhile(void **state)
{
	struct small_world *world = *state;
	struct asker asker = {
		.world = world, .path = "/memory/a/memory.memsw.limit_in_bytes", .text = "150M"};

	assert_int_equal(small_write(&world->small, "/memory/a/memory.limit_in_bytes", "100M"), 0);
	assert_int_equal(small_write(&world->small, "/memory/a/memory.memsw.limit_in_bytes", "200M"), 0);
	hold_up(&asker);
	assert_int_equal(small_write(&world->small, "/memory/a/memory.limit_in_bytes", "180M"), 0);
	tell(&asker);
	assert_int_equal(answer(&asker), -EINVAL);
	world_reads(world, "/memory/a/memory.memsw.limit_in_bytes", "209715200\n");
	assert_int_equal(small_write(&world->small, "/memory/a/memory.memsw.limit_in_bytes", "190M"), 0);
	world_reads(world, "/memory/a/memory.memsw.limit_in_bytes", "199229440\n");
}

/* A read or a write of an open file. */
struct call {
	struct request request;
	const char *text; /* NULL: a read */
	struct text out;
	atomic_bool done;
	int result;
};

static void *make_call(void *arg)
{
	struct call *call = arg;

	call->result = call->text ? cgroup_file_write(&call->request, call->text, strlen(call->text))
				  : cgroup_file_read(&call->request, &call->out);
	call->done = true;
	return NULL;
}

/* Nobody reads a stored value while somebody changes some, or changes one while somebody reads them. */
static void stored_values_wait(void **state)
{
	static const char *const files[] = {"notify_on_release", "memory.soft_limit_in_bytes",
					    "memory.oom_control", "memory.swappiness"};
	struct small_world *world = *state;

	for (unsigned i = 0; i < 2 * sizeof(files) / sizeof(files[0]); i++) {
		struct call call = {.text = i % 2 ? "1" : NULL};
		pthread_t thread;
		char path[64];

		snprintf(path, sizeof(path), "/memory/a/%s", files[i / 2]);
		assert_int_equal(small_find(&world->small, path, 0, &call.request), 0);
		if (call.text)
			tree_read_lock(world->small.tree);
		else
			tree_write_lock(world->small.tree);
		assert_int_equal(pthread_create(&thread, NULL, make_call, &call), 0);
		rest();
		assert_false(call.done);
		tree_unlock(world->small.tree);
		pthread_join(thread, NULL);
		assert_int_equal(call.result, 0);
		assert_true(call.text || call.out.len);
		text_free(&call.out);
		cgroup_put(call.request.cgroup);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(attached_while_it_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_made_while_it_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removed_at_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limit_raised_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stored_values_wait, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("second_look", tests, NULL, NULL);
}
