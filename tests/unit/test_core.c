/* SPDX-License-Identifier: MIT */
/* The tree over a controller of our own: paths, directories, rows, life and death. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounting.h"
#include "cgroup.h"
#include "controller.h"
#include "inode.h"
#include "machine.h"

static int states; /* how many css there are */

static int state_init(struct cgroup *cgroup, void *state)
{
	(void)state;
	states++;
	return strcmp(cgroup->name, "refused") ? 0 : -ENOSPC;
}

static void state_exit(void *state)
{
	(void)state;
	states--;
}

extern const struct controller test_controller;

static uint64_t *value_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &test_controller);
}

static uint64_t value_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	return *value_of(cgroup) + file->instance;
}

static int value_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t value)
{
	(void)file;
	if (value > 100)
		return -ERANGE;
	*value_of(cgroup) = value;
	return 0;
}

static int name_show(const struct request *request, struct text *out)
{
	text_printf(out, "%s\n", request->cgroup->name);
	return 0;
}

static int nothing_store(const struct request *request, char *text)
{
	(void)request;
	(void)text;
	return 0;
}

static const char *const *test_instances(struct tree *tree)
{
	static const char *const names[] = {"a", "b", NULL};

	(void)tree;
	return names;
}

static const struct cftype test_files[] = {
	{.name = "value", .read_u64 = value_read, .write_u64 = value_write},
	{.name = "name", .flags = CFTYPE_NOT_ON_ROOT, .show = name_show},
	{.name = "top", .flags = CFTYPE_ONLY_ON_ROOT | CFTYPE_NO_PREFIX, .show = name_show},
	{.name = "sink", .max_write_len = 5000, .store = nothing_store},
	{0},
};

const struct controller test_controller = {
	.name = "test",
	.legacy_files = test_files,
	.instances = test_instances,
	.css_size = sizeof(uint64_t),
	.css_init = state_init,
	.css_exit = state_exit,
};

static const struct controller *const test_controllers[] = {&test_controller, NULL};
static const struct caller root_caller = {0};

struct fixture {
	struct machine *machine;
	struct accounting *accounting;
	struct tree *tree;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->machine = machine_open("/");
	fixture->accounting = accounting_new(fixture->machine);
	fixture->tree = tree_new(test_controllers, fixture->machine, fixture->accounting);
	*state = fixture;
	return !fixture->tree;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tree_free(fixture->tree);
	accounting_free(fixture->accounting);
	machine_close(fixture->machine);
	free(fixture);
	return states; /* a css whose end nobody was told of fails the test */
}

static struct tree *tree_of(void **state)
{
	return ((struct fixture *)*state)->tree;
}

static int look(void **state, const char *path, struct node *node)
{
	struct tree *tree = tree_of(state);
	int error;

	tree_read_lock(tree);
	error = tree_lookup(tree, path, node);
	tree_unlock(tree);
	return error;
}

static int make(void **state, const char *path)
{
	return cgroup_mkdir(tree_of(state), path, 0755, &root_caller);
}

static void paths(void **state)
{
	struct node node;
	char path[400];

	assert_int_equal(look(state, "/", &node), 0);
	assert_null(node.cgroup);
	assert_int_equal(look(state, "/test", &node), 0);
	assert_non_null(node.cgroup);
	assert_null(node.file);
	assert_int_equal(look(state, "//test//test.a.value", &node), 0);
	assert_string_equal(node.file->name, "test.a.value");
	assert_int_equal(look(state, "/test/top", &node), 0);
	assert_int_equal(look(state, "/test/test.b.name", &node), -ENOENT);
	assert_int_equal(look(state, "/test/test.a.value/x", &node), -ENOTDIR);
	assert_int_equal(look(state, "/none", &node), -ENOENT);
	snprintf(path, sizeof(path), "/test/%0300d", 1);
	assert_int_equal(look(state, path, &node), -ENOENT);
	assert_int_equal(make(state, path), 0);
	assert_int_equal(look(state, path, &node), 0);
}

static void directories(void **state)
{
	struct tree *tree = tree_of(state);
	struct node node;
	uint64_t number;

	assert_int_equal(make(state, "/test/web"), 0);
	assert_int_equal(make(state, "/test/web"), -EEXIST);
	assert_int_equal(make(state, "/test/tasks"), -EEXIST);
	assert_int_equal(make(state, "/test/web/deep"), 0);
	assert_int_equal(make(state, "/test/none/deep"), -ENOENT);
	assert_int_equal(make(state, "/test/tasks/deep"), -ENOTDIR);
	assert_int_equal(make(state, "/test/new\nline"), -EINVAL);
	assert_int_equal(make(state, "/other"), -EPERM);
	assert_int_equal(make(state, "/test/refused"), -ENOSPC);
	assert_int_equal(look(state, "/test/web/deep/test.a.name", &node), 0);
	assert_int_equal(look(state, "/test/web/top", &node), -ENOENT);

	assert_int_equal(cgroup_rmdir(tree, "/test/web", &number), -EBUSY);
	assert_int_equal(cgroup_rmdir(tree, "/test", &number), -EPERM);
	assert_int_equal(cgroup_rmdir(tree, "/test/tasks", &number), -ENOTDIR);
	assert_int_equal(cgroup_rmdir(tree, "/test/none", &number), -ENOENT);
	assert_int_equal(cgroup_rmdir(tree, "/test/web/deep", &number), 0);
	assert_int_equal(cgroup_rmdir(tree, "/test/web", &number), 0);
	assert_int_equal(look(state, "/test/web", &node), -ENOENT);
	assert_int_equal(states, 1);
}

static void renames(void **state)
{
	struct tree *tree = tree_of(state);
	struct node node;

	assert_int_equal(make(state, "/test/a"), 0);
	assert_int_equal(make(state, "/test/a/inner"), 0);
	assert_int_equal(make(state, "/test/b"), 0);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/test/b", 0), -EEXIST);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/test/b/a", 0), -EIO);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/tests/a", 0), -EXDEV);
	assert_int_equal(cgroup_rename(tree, "/test/tasks", "/test/c", 0), -ENOTDIR);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/test/c\n", 0), -EINVAL);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/test/c", RENAME_NOREPLACE), -EINVAL);
	assert_int_equal(cgroup_rename(tree, "/test/a", "/test/c", 0), 0);
	assert_int_equal(look(state, "/test/a", &node), -ENOENT);
	assert_int_equal(look(state, "/test/c/inner", &node), 0);
}

static struct request request_of(void **state, const char *path)
{
	struct node node;

	assert_int_equal(look(state, path, &node), 0);
	return (struct request){.cgroup = node.cgroup, .file = node.file};
}

static int write_text(const struct request *request, const char *text)
{
	return cgroup_file_write(request, text, strlen(text));
}

static void numbers(void **state)
{
	struct request request;
	struct text text = {0};

	assert_int_equal(make(state, "/test/web"), 0);
	request = request_of(state, "/test/web/test.b.value");
	assert_int_equal(write_text(&request, "0x10\n"), 0);
	assert_int_equal(write_text(&request, "101"), -ERANGE);
	assert_int_equal(write_text(&request, "x"), -EINVAL);
	assert_int_equal(write_text(&request, ""), 0);
	assert_int_equal(cgroup_file_read(&request, &text), 0);
	assert_int_equal(text.len, 3);
	assert_memory_equal(text.data, "17\n", 3); /* 16 and instance 1 */
	text_free(&text);
}

static void lengths(void **state)
{
	static char many[5001];
	struct request number = request_of(state, "/test/test.a.value");
	struct request sink = request_of(state, "/test/test.a.sink");
	struct request top = request_of(state, "/test/top");

	memset(many, '0', sizeof(many));
	assert_int_equal(cgroup_file_write(&number, many, 4096), 0);
	assert_int_equal(cgroup_file_write(&number, many, 4097), -E2BIG);
	assert_int_equal(cgroup_file_write(&sink, many, 5000), 0);
	assert_int_equal(cgroup_file_write(&sink, many, 5001), -E2BIG);
	assert_int_equal(cgroup_file_write(&top, many, 1), -EINVAL);
}

static void removed(void **state)
{
	struct request request;
	struct text text = {0};
	uint64_t number;

	assert_int_equal(make(state, "/test/web"), 0);
	request = request_of(state, "/test/web/test.a.value");
	cgroup_get(request.cgroup);
	assert_int_equal(cgroup_rmdir(tree_of(state), "/test/web", &number), 0);
	assert_int_equal(states, 2); /* held */
	assert_int_equal(cgroup_file_read(&request, &text), -ENODEV);
	assert_int_equal(write_text(&request, "1"), -ENODEV);
	cgroup_put(request.cgroup);
	assert_int_equal(states, 1);
	text_free(&text);
}

static void modes(void **state)
{
	struct tree *tree = tree_of(state);
	struct node node;
	struct stat st;

	assert_int_equal(cgroup_mkdir(tree, "/test/web", 0700, &(struct caller){.uid = 5, .gid = 6}), 0);
	assert_int_equal(look(state, "/test/web", &node), 0);
	inode_stat(tree, &node, &st);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(look(state, "/test/web/test.a.sink", &node), 0);
	inode_stat(tree, &node, &st);
	assert_int_equal(st.st_mode, S_IFREG | 0200);
	assert_int_equal(st.st_gid, 6);
	assert_int_equal(inode_chmod(tree, &node, 0604), 0);
	assert_int_equal(inode_chown(tree, &node, -1, 9), 0);
	inode_stat(tree, &node, &st);
	assert_int_equal(st.st_mode, S_IFREG | 0604);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 9);
	assert_int_equal(look(state, "/test", &node), 0);
	inode_stat(tree, &node, &st);
	/* inode.c: who serves it must be able to write */
	assert_int_equal(st.st_mode, S_IFDIR | (geteuid() ? 0755 : 0555));
	assert_int_equal(st.st_nlink, 3);
}

static void xattrs(void **state)
{
	struct tree *tree = tree_of(state);
	char value[8];
	struct node node;

	assert_int_equal(look(state, "/test/tasks", &node), 0);
	assert_int_equal(inode_setxattr(tree, &node, "system.x", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(inode_setxattr(tree, &node, "user.x", "one", 3, XATTR_REPLACE), -ENODATA);
	assert_int_equal(inode_setxattr(tree, &node, "user.x", "one", 3, 0), 0);
	assert_int_equal(inode_setxattr(tree, &node, "user.x", "two", 3, XATTR_CREATE), -EEXIST);
	assert_int_equal(inode_getxattr(tree, &node, "user.x", NULL, 0), 3);
	assert_int_equal(inode_getxattr(tree, &node, "user.x", value, 2), -ERANGE);
	assert_int_equal(inode_getxattr(tree, &node, "user.x", value, 8), 3);
	assert_int_equal(inode_listxattr(tree, &node, value, 8), 7);
	assert_int_equal(inode_removexattr(tree, &node, "user.x"), 0);
	assert_int_equal(inode_getxattr(tree, &node, "user.x", value, 8), -ENODATA);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths), TEST(directories), TEST(renames), TEST(numbers), TEST(lengths),
		TEST(removed), TEST(modes), TEST(xattrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
