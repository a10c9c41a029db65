/* SPDX-License-Identifier: MIT */
/*
 * Each allocation and each open(2) of a request fails once: it is refused whole (ENOMEM, EMFILE) with
 * everything as it was, or is done whole; and done again it is what it always is. What is kept of a
 * cgroup is told whole, or as an error. Left out is freezing, which is asked for at once, and goes on by
 * itself with who could not be stopped yet.
 */
#include "fixture.h"

#include <string.h>

#include "../../src/state/kept.h"
#include "../../src/state/tree_bytes.h"
#include "failing.h"
#include "fake_tasks.h"
#include "inode.h"
#include "small_machine.h"

/* --- requests --- */

struct asked {
	enum { WRITE, READ, MAKE, REMOVE, XATTR, MODE } what;
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
	case REMOVE:
		return small_rmdir(&small, asked->path);
	default:
		return change(asked);
	}
}

/* A cgroup that has been made or removed is not, or is, once more. */
static void undo(const struct asked *asked)
{
	if (asked->what == MAKE)
		assert_int_equal(small_rmdir(&small, asked->path), 0);
	else if (asked->what == REMOVE)
		assert_int_equal(small_mkdir(&small, asked->path), 0);
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
	if (error || asked->what == MAKE || asked->what == REMOVE)
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

/* Asks with one failure. False: there were not so many. */
static bool fail_once(const struct asked *asked, int error, unsigned number)
{
	char *before = picture(asked), *after;
	int result;

	has_failed = false;
	which = error;
	left = number;
	result = ask(asked);
	left = 0;
	if (!has_failed && result)
		fail_msg("%s: %s", asked->path, strerror(-result));
	if (!result && asked->what == READ)
		assert_string_equal(small.out.data, before);
	if (result && result != -error)
		fail_msg("%s: %s %u: %s", asked->path, strerror(error), number, strerror(-result));
	after = picture(asked);
	if (result && strcmp(before, after) != 0)
		fail_msg("%s: %s %u: was %s, is %s", asked->path, strerror(error), number, before, after);
	free(before);
	free(after);
	if (has_failed && !result)
		undo(asked);
	return has_failed;
}

/* One by one, until it succeeds. */
static void with_failures(const struct asked *asked)
{
	static const int errors[] = {ENOMEM, EMFILE};

	for (unsigned i = 0; i < 2; i++) {
		unsigned number = 1;

		while (fail_once(asked, errors[i], number))
			number++;
		if (!i)
			undo(asked);
	}
}

static void each(const struct asked *asked, size_t count)
{
	for (size_t i = 0; i < count; i++)
		with_failures(&asked[i]);
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
			with_failures(&(struct asked){READ, path, NULL});
	}
}

/* --- the state that is kept --- */

static void tell(struct cgroup *cgroup, struct text *out)
{
	static char boot[] = "boot";
	struct text all = {0}, part = {0};

	kept_put_entry(&all, ENTRY_BOOT, 0, &(struct text){.data = boot, .len = strlen(boot)});
	tree_put_place(small.tree, cgroup, &part);
	kept_put_entry(&all, ENTRY_CGROUP, cgroup->id, &part);
	text_clear(&part);
	tree_read_lock(small.tree);
	tree_put_values(cgroup, &part);
	tree_unlock(small.tree);
	kept_put_entry(&all, ENTRY_VALUES, cgroup->id, &part);
	kept_put_record(out, &all);
	text_free(&part);
	text_free(&all);
}

static bool is_same(const struct text *a, const struct text *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* What has come out short says so, or it would be read as whole. */
static void tell_whole(struct cgroup *cgroup)
{
	struct text wanted = {0}, found = {0};

	tell(cgroup, &wanted);
	assert_false(wanted.error);
	which = ENOMEM;
	for (unsigned number = 1;; number++) {
		has_failed = false;
		left = number;
		tell(cgroup, &found);
		left = 0;
		if (!found.error && !is_same(&found, &wanted))
			fail_msg("%s/%s: without allocation %u it is told as a whole",
				 cgroup->hierarchy->name, cgroup->name, number);
		text_free(&found);
		if (!has_failed)
			break;
	}
	text_free(&wanted);
}

static void tell_all(void)
{
	struct cgroup *cgroup;

	for (unsigned i = 0; i < small.tree->hierarchy_count; i++) {
		cgroup_for_each_descendant(cgroup, small.tree->hierarchies[i].root)
			tell_whole(cgroup);
	}
}

/* --- members --- */

/* A process of one thread, which holds memory. */
static void put_process(pid_t pid)
{
	const struct fake_task task = {.tid = pid, .tgid = pid, .ppid = 1, .start = 100000u + (unsigned)pid,
				       .run = FAKE_TICK, .anon = 8 << 20};
	struct fake_machine fake;

	snprintf(fake.root, sizeof(fake.root), "%s", machine);
	fake_put_process(&fake, &task, task.run, 1);
	fake_put_thread(&fake, &task);
	fake_put_children(&fake, pid, "");
}

static void put_processes(const char *of_first)
{
	put_process(90100);
	put_process(90101);
	with_failures(&(struct asked){WRITE, of_first, "90100"});
}

/* --- cgroup v1 --- */

static int open_v1(void **state)
{
	(void)state;
	copy_machine();
	shell("cd %s/sys && mkdir -p dev/block/253:0/queue dev/block/254:0/queue");
	small_tree_open(&small, machine, controllers);
	return 0;
}

static void attach(const char *one, const char *two)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", one);
	put_processes(path);
	snprintf(path, sizeof(path), "%s/tasks", two);
	with_failures(&(struct asked){WRITE, path, "90101"});
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
		with_failures(&(struct asked){MAKE, one, NULL});
		with_failures(&(struct asked){MAKE, path, NULL});
		if (strcmp(hierarchy->name, "cpuset") != 0)
			attach(one, path);
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
		{WRITE, "/blkio/two/blkio.throttle.read_bps_device", "253:0 1000"},
		{WRITE, "/blkio/two/blkio.throttle.read_bps_device", "253:0 0"},
		{WRITE, "/net_cls/two/net_cls.classid", "7"},
		{WRITE, "/cpu/two/cpu.cfs_quota_us", "5000"},
		{WRITE, "/cpu/two/cpu.rt_runtime_us", "10"},
		{XATTR, "/pids/two", "value"},
		{XATTR, "/pids/two", "a longer value"},
		{XATTR, "/pids/two/pids.max", "value"},
		{MODE, "/pids/two/tasks", NULL},
		{MODE, "/pids/two", NULL},
		{REMOVE, "/net_prio/two/three", NULL},
		{REMOVE, "/cpuset/two/three", NULL},
	};

	(void)state;
	tell_all();
	EACH(asked);
}

/* --- cgroup v2 --- */

static int open_v2(void **state)
{
	(void)state;
	copy_machine();
	shell("cd %s/sys && mkdir -p dev/block/253:0/queue dev/block/254:0/queue");
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
		{WRITE, "/two/io.max", "254:0 rbps=1000"},
		{WRITE, "/io.cost.qos", "254:0 enable=1"},
		{WRITE, "/two/io.weight", "254:0 50"},
		{WRITE, "/two/pids.max", "7"},
		{WRITE, "/two/cgroup.max.descendants", "5"},
		{WRITE, "/two/cgroup.max.depth", "3"},
		{WRITE, "/two/cgroup.subtree_control", "+cpuset +memory"},
		{WRITE, "/one/inner/cgroup.type", "threaded"},
		{WRITE, "/three/cgroup.procs", "90101"},
		{XATTR, "/two", "value"},
		{MODE, "/two/cgroup.procs", NULL},
		{REMOVE, "/two/other", NULL},
	};

	(void)state;
	with_failures(&(struct asked){MAKE, "/one", NULL});
	with_failures(&(struct asked){MAKE, "/one/inner", NULL});
	assert_int_equal(small_mkdir(&small, "/two"), 0);
	assert_int_equal(small_mkdir(&small, "/two/other"), 0);
	assert_int_equal(small_mkdir(&small, "/first"), 0);
	put_processes("/first/cgroup.procs");
	EACH(asked);
	read_all("", "/two");
	read_all("", "/three");
	read_all("", "");
	tell_all();
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
