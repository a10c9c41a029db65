/* SPDX-License-Identifier: MIT */
/* A kernel that never tells what it has forgotten, on one end of a socket, and libfuse on the other. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../../src/daemon/forgetting.c"

enum { LIVING = 1, REMOVED = 2, SECOND = 512 }; /* two cgroups; how many inode numbers each has */

/* A name is a number, which is the node's and the inode's. */
static struct fuse_session *session;
static int kernel;
static uint64_t last_unique;
static struct fuse_forget_data told[16]; /* what libfuse is told to forget */
static size_t told_count;
static unsigned asked; /* getattr */
static uint64_t removed_meanwhile; /* while getattr is answered */

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct fuse_entry_param entry = {
		.ino = strtoul(name, NULL, 10),
		.attr.st_ino = strtoul(name, NULL, 10),
	};

	(void)parent;
	fuse_reply_entry(req, &entry);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	op_lookup(req, parent, name);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct stat st = {.st_ino = ino};

	(void)fi;
	asked++;
	if (removed_meanwhile)
		forgetting_removed(removed_meanwhile);
	assert_null(forgotten); /* as it is asked for */
	fuse_reply_attr(req, &st, 0);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to,
		      const char *new_name, unsigned flags)
{
	(void)parent;
	(void)name;
	(void)to;
	(void)new_name;
	(void)flags;
	fuse_reply_err(req, 0);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		told[told_count++] = forgets[i];
	fuse_reply_none(req);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	(void)ino;
	(void)lookups;
	fail(); /* by one that came from the kernel */
	fuse_reply_none(req);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = op_lookup,
	.mkdir = op_mkdir,
	.getattr = op_getattr,
	.open = op_open,
	.opendir = op_open,
	.release = op_release,
	.releasedir = op_release,
	.rename = op_rename,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
};

static void send_request(uint32_t opcode, uint64_t node, const void *arguments, size_t size)
{
	struct fuse_in_header in = {
		.len = (uint32_t)(sizeof(in) + size),
		.opcode = opcode,
		.unique = ++last_unique,
		.nodeid = node,
	};
	struct iovec parts[] = {{&in, sizeof(in)}, {(void *)arguments, size}};

	assert_int_equal(writev(kernel, parts, 2), in.len);
}

/* libfuse reads and answers one request. */
static void serve(void)
{
	struct fuse_buf buffer = {0};

	assert_true(fuse_session_receive_buf(session, &buffer) > 0);
	fuse_session_process_buf(session, &buffer);
	free(buffer.mem);
}

/* The error of the reply, 0 or negative. */
static int reply(void)
{
	struct {
		struct fuse_out_header out;
		char rest[4096];
	} bytes;

	assert_true(read(kernel, &bytes, sizeof(bytes)) >= (ssize_t)sizeof(bytes.out));
	assert_int_equal(bytes.out.unique, last_unique);
	return bytes.out.error;
}

static int ask(uint32_t opcode, uint64_t node, const void *arguments, size_t size)
{
	send_request(opcode, node, arguments, size);
	serve();
	return reply();
}

static void look_up(uint64_t node)
{
	char name[24];

	assert_int_equal(ask(FUSE_LOOKUP, FUSE_ROOT_ID, name,
			     (size_t)snprintf(name, sizeof(name), "%lu", (unsigned long)node) + 1), 0);
}

static int get_attributes(uint64_t node)
{
	return ask(FUSE_GETATTR, node, &(struct fuse_getattr_in){0}, sizeof(struct fuse_getattr_in));
}

/* A request is made that is not answered before libfuse has been told what to forget. */
static void let_tell(void)
{
	const struct fuse_getattr_in arguments = {0};

	told_count = 0;
	send_request(FUSE_GETATTR, FUSE_ROOT_ID, &arguments, sizeof(arguments));
	serve();
	if (told_count)
		serve();
	assert_int_equal(reply(), 0);
}

static void assert_told(size_t place, uint64_t node, uint64_t lookups)
{
	assert_true(place < told_count);
	assert_int_equal(told[place].ino, node);
	assert_int_equal(told[place].nlookup, lookups);
}

static int set_up(void **state)
{
	struct fuse_args arguments = FUSE_ARGS_INIT(1, (char *[]){(char *)"test"});
	const struct fuse_init_in init = {.major = FUSE_KERNEL_VERSION, .minor = 31};
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	kernel = ends[0];
	session = fuse_session_new(&arguments, &operations, sizeof(operations), NULL);
	fuse_opt_free_args(&arguments);
	assert_non_null(session);
	if (!forgetting_start(session, ends[1]))
		skip(); /* libfuse is too old */
	assert_int_equal(ask(FUSE_INIT, 0, &init, sizeof(init)), 0);
	told_count = asked = 0;
	removed_meanwhile = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	end();
	fuse_session_destroy(session);
	close(kernel);
	forgetting_stop();
	assert_null(names);
	assert_null(directories);
	return 0;
}

static void removed_is_forgotten(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND, file = cgroup + 1, other = LIVING * SECOND;
	const struct {
		struct fuse_mkdir_in in;
		char name[8];
	} mkdir_in = {.name = "1025"};

	(void)state;
	look_up(cgroup);
	look_up(file);
	look_up(file);
	look_up(other);
	assert_int_equal(ask(FUSE_MKDIR, FUSE_ROOT_ID, &mkdir_in, sizeof(mkdir_in)), 0); /* the file's */
	let_tell();
	assert_int_equal(told_count, 0);
	forgetting_removed(REMOVED);
	forgetting_removed(REMOVED);
	let_tell();
	assert_int_equal(told_count, 2);
	assert_told(0, cgroup, 1);
	assert_told(1, file, 3);
	let_tell();
	assert_int_equal(told_count, 0);
	assert_int_equal(get_attributes(other), 0);
}

/* libfuse, which would end the process, is not asked for what it has forgotten. */
static void forgotten_is_stale(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND, other = LIVING * SECOND;
	const struct fuse_getattr_in arguments = {0};
	struct {
		struct fuse_rename_in in;
		char names[4];
	} rename = {{.newdir = cgroup}, "a\0b"};

	(void)state;
	look_up(cgroup);
	look_up(other);
	assert_int_equal(get_attributes(cgroup), 0);
	assert_int_equal(ask(FUSE_RENAME, other, &rename, sizeof(rename.in) + 4), 0);
	forgetting_removed(REMOVED);
	let_tell();
	asked = 0;
	send_request(FUSE_GETATTR, cgroup, &arguments, sizeof(arguments));
	send_request(FUSE_GETATTR, other, &arguments, sizeof(arguments));
	serve();
	last_unique--;
	assert_int_equal(reply(), -ESTALE);
	last_unique++;
	assert_int_equal(reply(), 0);
	assert_int_equal(asked, 1);
	send_request(FUSE_RENAME, other, &rename, sizeof(rename.in) + 4);
	send_request(FUSE_GETATTR, other, &arguments, sizeof(arguments));
	serve();
	last_unique--;
	assert_int_equal(reply(), -ESTALE);
	last_unique++;
	assert_int_equal(reply(), 0);
}

static void open_is_kept(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND, file = cgroup + 1;
	const struct fuse_open_in open_in = {0};
	const struct fuse_release_in release_in = {0};

	(void)state;
	look_up(cgroup);
	look_up(file);
	assert_int_equal(ask(FUSE_OPEN, file, &open_in, sizeof(open_in)), 0);
	assert_int_equal(ask(FUSE_OPENDIR, cgroup, &open_in, sizeof(open_in)), 0);
	assert_int_equal(ask(FUSE_OPENDIR, FUSE_ROOT_ID, &open_in, sizeof(open_in)), 0);
	forgetting_removed(REMOVED);
	let_tell();
	assert_int_equal(told_count, 0);
	assert_int_equal(get_attributes(file), 0);
	assert_int_equal(ask(FUSE_RELEASE, file, &release_in, sizeof(release_in)), 0);
	let_tell();
	assert_int_equal(told_count, 1);
	assert_told(0, file, 1);
	look_up(file); /* by one that was under way when it was removed */
	let_tell();
	assert_int_equal(told_count, 1);
	assert_told(0, file, 1);
	assert_int_equal(ask(FUSE_RELEASEDIR, cgroup, &release_in, sizeof(release_in)), 0);
	let_tell();
	assert_int_equal(told_count, 1);
	assert_told(0, cgroup, 1);
}

/* What is removed while a request is about it is forgotten afterwards. */
static void asked_for_is_kept(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND;

	(void)state;
	look_up(cgroup);
	removed_meanwhile = REMOVED;
	assert_int_equal(get_attributes(cgroup), 0);
	removed_meanwhile = 0;
	assert_int_equal(told_count, 0);
	let_tell();
	assert_int_equal(told_count, 1);
}

/* Whom a reply does not reach has not got what it gives. */
static void not_given(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND;
	const struct fuse_open_in open_in = {0};

	(void)state;
	look_up(cgroup);
	send_request(FUSE_LOOKUP, FUSE_ROOT_ID, "1025", 5);
	send_request(FUSE_LOOKUP, FUSE_ROOT_ID, "1024", 5);
	send_request(FUSE_OPENDIR, cgroup, &open_in, sizeof(open_in));
	shutdown(kernel, SHUT_RD);
	serve();
	serve();
	serve();
	end();
	assert_int_equal(HASH_COUNT(names), 1);
	assert_int_equal(names->lookups, 1);
	assert_int_equal(names->opens, 0);
}

/* Of a kernel that does tell, libfuse hears what we say alone. */
static void kernel_tells(void **state)
{
	const uint64_t cgroup = REMOVED * SECOND;
	const struct fuse_forget_in forget = {.nlookup = 1};
	const struct {
		struct fuse_batch_forget_in batch;
		struct fuse_forget_one one;
	} forgets = {{.count = 1}, {.nodeid = cgroup, .nlookup = 1}};

	(void)state;
	look_up(cgroup);
	send_request(FUSE_FORGET, cgroup, &forget, sizeof(forget));
	send_request(FUSE_BATCH_FORGET, 0, &forgets, sizeof(forgets));
	assert_int_equal(get_attributes(cgroup), 0);
	assert_int_equal(told_count, 0);
	forgetting_removed(REMOVED);
	let_tell();
	assert_told(0, cgroup, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(removed_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgotten_is_stale, set_up, tear_down),
		cmocka_unit_test_setup_teardown(open_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(asked_for_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kernel_tells, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
