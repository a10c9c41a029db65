/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of a request fails once: it is refused whole (ENOMEM) with everything as it was, or is done
 * whole; and done again with memory it is what it always is. The linker has put us before malloc(3).
 * Left out is freezing, which is asked for at once, and goes on by itself with who could not be stopped yet.
 */
#include "fixture.h"

#include <stdbool.h>
#include <string.h>

#include "inode.h"
#include "small_machine.h"

/* --- allocations --- */

static _Thread_local unsigned left; /* allocations until one fails; 0: none does */
static _Thread_local bool has_failed;

static bool fails(void)
{
	if (!left || --left)
		return false;
	errno = ENOMEM;
	return has_failed = true;
}

#define PASSED_ON(declaration, name, arguments, passed)         \
	declaration __real_##name arguments;                    \
	declaration __wrap_##name arguments;                    \
	declaration __wrap_##name arguments                     \
	{                                                       \
		return fails() ? NULL : __real_##name passed;   \
	}

PASSED_ON(void *, malloc, (size_t size), (size))
PASSED_ON(void *, calloc, (size_t count, size_t size), (count, size))
PASSED_ON(void *, realloc, (void *old, size_t size), (old, size))
PASSED_ON(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size))
PASSED_ON(char *, strdup, (const char *text), (text))
PASSED_ON(char *, strndup, (const char *text, size_t size), (text, size))

/* --- requests --- */

struct asked {
	enum { WRITE, READ, MAKE, XATTR, MODE } what;
	const char *path, *text;
};

static int look_up(const char *path, struct node *node)
{
	int error;

	tree_read_lock(small.tree);
	error = tree_lookup(small.tree, path, node);
	tree_unlock(small.tree);
	return error;
}

static int change(const struct asked *asked)
{
	struct node node;
	int error;

	tree_write_lock(small.tree);
	error = tree_lookup(small.tree, asked->path, &node);
	if (!error && asked->what == MODE)
		error = inode_chmod(small.tree, &node, 0700);
	else if (!error)
		error = inode_setxattr(small.tree, &node, "user.a", asked->text, strlen(asked->text), 0);
	tree_unlock(small.tree);
	return error;
}

static int ask(const struct asked *asked)
{
	switch (asked->what) {
	case WRITE:
		return small_write(&small, asked->path, asked->text);
	case READ:
		return small_read(&small, asked->path) ? 0 : -errno;
	case MAKE:
		return small_mkdir(&small, asked->path);
	default:
		return change(asked);
	}
}

/* What the request changes, as a text; free() it. */
static char *picture(const struct asked *asked)
{
	const char *path = asked->path, *text;
	char number[32], value[64] = "";
	struct node node;
	struct stat st;
	int error;

	error = look_up(path, &node);
	if (error || asked->what == MAKE)
		return snprintf(number, sizeof(number), "%d", error) > 0 ? strdup(number) : NULL;
	if (asked->what == WRITE || asked->what == READ) {
		text = small_read(&small, path);
		return strdup(text ? text : "cannot be read");
	}
	tree_read_lock(small.tree);
	inode_stat(small.tree, &node, &st);
	inode_getxattr(small.tree, &node, "user.a", value, sizeof(value) - 1);
	tree_unlock(small.tree);
	snprintf(number, sizeof(number), "%o ", (unsigned)st.st_mode);
	return strcat(strcat(calloc(1, 128), number), value);
}

/* One by one. What it is without a failure has to be `wanted`. */
static void without_memory(const struct asked *asked, int wanted)
{
	char *before = picture(asked), *after;
	int error;

	for (unsigned number = 1;; number++) {
		if (number > 100000)
			fail_msg("%s: there is no end", asked->path);
		has_failed = false;
		left = number;
		error = ask(asked);
		left = 0;
		if (!has_failed)
			break;
		if (error && error != -ENOMEM)
			fail_msg("%s: allocation %u: %s", asked->path, number, strerror(-error));
		after = picture(asked);
		if (error && strcmp(before, after) != 0)
			fail_msg("%s: allocation %u: was %s, is %s", asked->path, number, before, after);
		free(after);
		if (!error && asked->what == MAKE)
			assert_int_equal(small_rmdir(&small, asked->path), 0);
	}
	if (error != wanted)
		fail_msg("%s: %s", asked->path, strerror(-error));
	free(before);
}

static void each(const struct asked *asked, size_t count)
{
	for (size_t i = 0; i < count; i++)
		without_memory(&asked[i], 0);
}

#define EACH(asked) each(asked, sizeof(asked) / sizeof(*(asked)))

/* Every file of a cgroup that can be read. */
static void read_all(const char *hierarchy, const char *name)
{
	struct cgroup_file *file;
	struct node node;
	char path[256];

	snprintf(path, sizeof(path), "%s%s", hierarchy, name);
	assert_int_equal(look_up(path, &node), 0);
	for (unsigned i = 0; i < node.cgroup->hierarchy->file_count; i++) {
		file = &node.cgroup->hierarchy->files[i];
		snprintf(path, sizeof(path), "%s%s/%s", hierarchy, name, file->name);
		if (small_read(&small, path))
			without_memory(&(struct asked){READ, path, NULL}, 0);
	}
}

/* --- cgroup v1 --- */

static int open_v1(void **state)
{
	(void)state;
	copy_machine();
	small_tree_open(&small, machine, controllers);
	return 0;
}

static void test_v1_cgroups(void **state)
{
	char one[64], path[64];
	const struct hierarchy *hierarchy;

	(void)state;
	for (unsigned i = 0; i < small.tree->hierarchy_count; i++) {
		hierarchy = &small.tree->hierarchies[i];
		snprintf(one, sizeof(one), "/%s/one", hierarchy->name);
		snprintf(path, sizeof(path), "/%s/two", hierarchy->name);
		assert_int_equal(small_mkdir(&small, one), 0);
		without_memory(&(struct asked){MAKE, path, NULL}, 0);
		snprintf(one, sizeof(one), "/%s", hierarchy->name);
		read_all(one, "/two");
		read_all(one, "");
	}
}

static void test_v1_values(void **state)
{
	static const struct asked asked[] = {
		{WRITE, "/memory/release_agent", "/bin/true"},
		{WRITE, "/memory/two/memory.limit_in_bytes", "4M"},
		{WRITE, "/memory/two/notify_on_release", "1"},
		{WRITE, "/cpuset/two/cpuset.cpus", "0"},
		{WRITE, "/cpuset/two/cpuset.mems", "0"},
		{WRITE, "/cpuset/two/cgroup.clone_children", "1"},
		{MAKE, "/cpuset/two/three", NULL},
		{WRITE, "/devices/two/devices.deny", "a"},
		{WRITE, "/devices/two/devices.allow", "c 1:3 rwm"},
		{WRITE, "/devices/two/devices.allow", "c 1:5 r"},
		{WRITE, "/devices/two/devices.deny", "c 1:3 m"},
		{WRITE, "/net_prio/two/net_prio.ifpriomap", "lo 5"},
		{MAKE, "/net_prio/two/three", NULL},
		{WRITE, "/cpu/two/cpu.cfs_quota_us", "5000"},
		{WRITE, "/cpu/two/cpu.rt_runtime_us", "10"},
		{XATTR, "/pids/two", "value"},
		{XATTR, "/pids/two", "a longer value"},
		{XATTR, "/pids/two/pids.max", "value"},
		{MODE, "/pids/two/tasks", NULL},
		{MODE, "/pids/two", NULL},
	};

	(void)state;
	/* The first child makes a table of children, and uthash ends the program where it cannot. */
	assert_int_equal(small_mkdir(&small, "/cpuset/two/other"), 0);
	assert_int_equal(small_mkdir(&small, "/net_prio/two/other"), 0);
	EACH(asked);
}

/* --- cgroup v2 --- */

static int open_v2(void **state)
{
	(void)state;
	copy_machine();
	small = (struct small_tree){.machine = machine_open(machine)};
	small.accounting = accounting_new(small.machine);
	small.tree = tree_new_unified(dfl_controllers, small.machine, small.accounting);
	return small.tree ? 0 : -1;
}

static void test_v2(void **state)
{
	static const struct asked asked[] = {
		{MAKE, "/three", NULL},
		{WRITE, "/cgroup.subtree_control", "+cpuset +cpu +io +memory +pids +hugetlb"},
		{WRITE, "/cgroup.subtree_control", "-cpu -io"},
		{WRITE, "/cgroup.subtree_control", "+cpu +io"},
		{MAKE, "/two/three", NULL},
		{WRITE, "/two/cpuset.cpus", "0"},
		{WRITE, "/two/cpuset.mems", "0"},
		{WRITE, "/two/cpuset.cpus.exclusive", "0"},
		{WRITE, "/two/cpuset.cpus.partition", "root"},
		{WRITE, "/two/cpuset.cpus.partition", "member"},
		{WRITE, "/two/cpu.max", "5000 10000"},
		{WRITE, "/two/memory.max", "4M"},
		{WRITE, "/two/cgroup.max.depth", "3"},
		{WRITE, "/two/cgroup.subtree_control", "+cpuset +memory"},
		{WRITE, "/one/inner/cgroup.type", "threaded"},
		{XATTR, "/two", "value"},
		{MODE, "/two/cgroup.procs", NULL},
	};

	(void)state;
	assert_int_equal(small_mkdir(&small, "/one"), 0);
	assert_int_equal(small_mkdir(&small, "/one/inner"), 0);
	assert_int_equal(small_mkdir(&small, "/two"), 0);
	assert_int_equal(small_mkdir(&small, "/two/other"), 0);
	EACH(asked);
	read_all("", "/two");
	read_all("", "");
}

int main(void)
{
	static const struct CMUnitTest v1[] = {
		cmocka_unit_test(test_v1_cgroups),
		cmocka_unit_test(test_v1_values),
	};
	static const struct CMUnitTest v2[] = {
		cmocka_unit_test(test_v2),
	};

	return cmocka_run_group_tests(v1, open_v1, tear_down) +
	       cmocka_run_group_tests(v2, open_v2, tear_down);
}
