/* SPDX-License-Identifier: MIT */
/* Calls whose paths lead to our tree, made in place of the task. */
#include "redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "answers.h"
#include "calls.h"
#include "identity.h"
#include "peer.h"
#include "restricted.h"
#include "view.h"

/* What an argument is; above it, for some, how many bytes it points to. */
enum kind {
	VALUE = 0,
	PATH,
	DIRECTORY, /* a descriptor that a relative path starts at: an absolute one needs none */
	TEXT, /* a string: an attribute's name */
	MODE, /* of a new file, of which the task's umask takes away */
	IN, /* bytes to read, or none for NULL */
	OUT, /* bytes to write */
	IN_SIZED, OUT_SIZED, /* as many as the next argument says */
	DESCRIPTOR, /* an open file of the task */
};

#define KIND_MASK 0xffu

#define IN_STRUCT(type) (IN | sizeof(type) << 8)
#define OUT_STRUCT(type) (OUT | sizeof(type) << 8)

/* A row is a system call that takes paths. */
struct redirected {
	int number;
	const char *name;
	unsigned arguments[6];
	bool returns_file;
	unsigned flags; /* which argument has O_CLOEXEC, of what returns a descriptor */
	bool by_real_user;
};

#define NO_FLAGS 6

#define ROW(call, ...) {.number = __NR_##call, .name = #call, .arguments = {__VA_ARGS__}}
#define FILE_ROW(call, flags_argument, ...)                                  \
	{.number = __NR_##call, .name = #call, .arguments = {__VA_ARGS__}, \
	 .returns_file = true, .flags = flags_argument}
#define REAL_USER_ROW(call, ...)                                             \
	{.number = __NR_##call, .name = #call, .arguments = {__VA_ARGS__}, .by_real_user = true}

static const struct redirected redirected[] = {
#ifdef __NR_open /* the calls that newer architectures have not */
	FILE_ROW(open, 1, PATH, VALUE, MODE),
	FILE_ROW(creat, NO_FLAGS, PATH, MODE),
	ROW(stat, PATH, OUT_STRUCT(struct stat)),
	ROW(lstat, PATH, OUT_STRUCT(struct stat)),
	REAL_USER_ROW(access, PATH, VALUE),
	ROW(readlink, PATH, OUT_SIZED, VALUE),
	ROW(mkdir, PATH, MODE),
	ROW(rmdir, PATH),
	ROW(unlink, PATH),
	ROW(rename, PATH, PATH),
	ROW(link, PATH, PATH),
	ROW(symlink, TEXT, PATH),
	ROW(mknod, PATH, MODE, VALUE),
	ROW(chmod, PATH, VALUE),
	ROW(chown, PATH, VALUE, VALUE),
	ROW(lchown, PATH, VALUE, VALUE),
	ROW(utime, PATH, IN_STRUCT(struct utimbuf)),
	ROW(utimes, PATH, IN_STRUCT(struct timeval[2])),
	ROW(futimesat, DIRECTORY, PATH, IN_STRUCT(struct timeval[2])),
#endif
	FILE_ROW(openat, 2, DIRECTORY, PATH, VALUE, MODE),
	FILE_ROW(openat2, 2, DIRECTORY, PATH, IN_SIZED, VALUE),
#ifdef __NR_newfstatat
	ROW(newfstatat, DIRECTORY, PATH, OUT_STRUCT(struct stat), VALUE),
#endif
	ROW(statx, DIRECTORY, PATH, VALUE, VALUE, OUT_STRUCT(struct statx)),
	REAL_USER_ROW(faccessat, DIRECTORY, PATH, VALUE),
	REAL_USER_ROW(faccessat2, DIRECTORY, PATH, VALUE, VALUE),
	ROW(readlinkat, DIRECTORY, PATH, OUT_SIZED, VALUE),
	ROW(mkdirat, DIRECTORY, PATH, MODE),
	ROW(unlinkat, DIRECTORY, PATH, VALUE),
#ifdef __NR_renameat
	ROW(renameat, DIRECTORY, PATH, DIRECTORY, PATH),
#endif
	ROW(renameat2, DIRECTORY, PATH, DIRECTORY, PATH, VALUE),
	ROW(linkat, DIRECTORY, PATH, DIRECTORY, PATH, VALUE),
	ROW(symlinkat, TEXT, DIRECTORY, PATH),
	ROW(mknodat, DIRECTORY, PATH, MODE, VALUE),
	ROW(fchmodat, DIRECTORY, PATH, VALUE),
	ROW(fchownat, DIRECTORY, PATH, VALUE, VALUE, VALUE),
	ROW(utimensat, DIRECTORY, PATH, IN_STRUCT(struct timespec[2]), VALUE),
	ROW(truncate, PATH, VALUE),
	ROW(getxattr, PATH, TEXT, OUT_SIZED, VALUE),
	ROW(lgetxattr, PATH, TEXT, OUT_SIZED, VALUE),
	ROW(setxattr, PATH, TEXT, IN_SIZED, VALUE, VALUE),
	ROW(lsetxattr, PATH, TEXT, IN_SIZED, VALUE, VALUE),
	ROW(listxattr, PATH, OUT_SIZED, VALUE),
	ROW(llistxattr, PATH, OUT_SIZED, VALUE),
	ROW(removexattr, PATH, TEXT),
	ROW(lremovexattr, PATH, TEXT),
	ROW(inotify_add_watch, DESCRIPTOR, PATH, VALUE),
	ROW(statfs, PATH, OUT_STRUCT(struct statfs)),
};

#define ROWS (sizeof(redirected) / sizeof(redirected[0]))
#define SIZED_MAX 65536 /* XATTR_SIZE_MAX, and more than any path */

int redirect_number(unsigned index)
{
	return index < ROWS ? redirected[index].number : 0;
}

/* A call on its way: its arguments as the supervisor has them. */
struct errand {
	const struct calls_context *context;
	const struct call *call;
	const struct redirected *row;
	mode_t umask;
	uint64_t arguments[6 + 1]; /* the last is 0: NO_FLAGS */
	void *memory[6 + 1]; /* to be freed */
	char paths[2][PATH_MAX];
	unsigned paths_count, leads; /* paths so far, and how many of them lead to the tree */
	bool relative; /* the last one was */
};

static enum kind kind_of(const struct errand *errand, unsigned i)
{
	return errand->row->arguments[i] & KIND_MASK;
}

static size_t size_of(const struct errand *errand, unsigned i)
{
	size_t size = errand->row->arguments[i] >> 8;

	return size ? size : errand->call->arguments[i + 1];
}

/* Whether a relative path of this argument starts at the top, below which a name leads through the prefix. */
static bool starts_at_top(const struct errand *errand, unsigned i)
{
	bool at = i && kind_of(errand, i - 1) == DIRECTORY;
	int start = place_start(errand->call->peer, at ? (int)errand->call->arguments[i - 1] : AT_FDCWD);
	struct statx about;
	bool is_top;

	if (start < 0)
		return false;
	is_top = view_has(errand->context->view, start, &about) && view_is_top(errand->context->view, &about);
	close(start);
	return is_top;
}

static bool leads_so(const struct errand *errand, unsigned i, const char *path, char *target)
{
	const struct view *view = errand->context->view;

	if (*path == '/')
		return redirect_path_of(view, errand->call->peer, path, target);
	return *path && view->prefix[0] && starts_at_top(errand, i) &&
	       redirect_from_top(view, path, target);
}

static int fetch_path(struct errand *errand, unsigned i)
{
	char path[PATH_MAX], *target = errand->paths[errand->paths_count++];
	int error = peer_read_string(errand->call->peer, errand->call->arguments[i], path, PATH_MAX);

	if (error)
		return error;
	errand->relative = *path != '/';
	if (leads_so(errand, i, path, target))
		errand->leads++;
	else
		strcpy(target, path);
	errand->arguments[i] = (uintptr_t)target;
	return 0;
}

/* With this an absolute path starts at the call's directory, wherever that is. */
static bool starts_elsewhere(const struct errand *errand)
{
	struct open_how how;

	return errand->row->number == __NR_openat2 && !errand->relative &&
	       !peer_read(errand->call->peer, errand->call->arguments[2], &how, sizeof(how)) &&
	       how.resolve & RESOLVE_IN_ROOT;
}

/* Only what leads to the tree is worth more than a look at its paths. */
static bool leads_to_tree(struct errand *errand)
{
	for (unsigned i = 0; i < 6; i++) {
		if (kind_of(errand, i) == PATH && fetch_path(errand, i))
			return false; /* the kernel says why */
	}
	return errand->leads && !starts_elsewhere(errand);
}

/* Memory of our own for what the argument points to, with its content where it is read. */
static int fetch_memory(struct errand *errand, unsigned i, bool read)
{
	uint64_t address = errand->call->arguments[i];
	size_t size = size_of(errand, i);

	if (!address || !size)
		return 0;
	if (size > SIZED_MAX)
		size = SIZED_MAX;
	errand->memory[i] = calloc(1, size + sizeof(struct open_how)); /* whose flags are looked at */
	if (!errand->memory[i])
		return -ENOMEM;
	errand->arguments[i] = (uintptr_t)errand->memory[i];
	return read ? peer_read(errand->call->peer, address, errand->memory[i], size) : 0;
}

static int fetch_text(struct errand *errand, unsigned i)
{
	errand->memory[i] = malloc(PATH_MAX);
	if (!errand->memory[i])
		return -ENOMEM;
	errand->arguments[i] = (uintptr_t)errand->memory[i];
	return peer_read_string(errand->call->peer, errand->call->arguments[i], errand->memory[i],
				PATH_MAX);
}

static int fetch_descriptor(struct errand *errand, unsigned i)
{
	int fd = peer_descriptor(errand->call->peer, (int)errand->call->arguments[i]);

	errand->arguments[i] = (uint64_t)fd;
	return fd < 0 ? fd : 0;
}

static int fetch_argument(struct errand *errand, unsigned i)
{
	switch (kind_of(errand, i)) {
	case VALUE:
		errand->arguments[i] = errand->call->arguments[i];
		return 0;
	case PATH:
		return 0; /* it is there */
	case DIRECTORY:
		errand->arguments[i] = (uint64_t)AT_FDCWD;
		return 0;
	case TEXT:
		return fetch_text(errand, i);
	case MODE:
		errand->arguments[i] = errand->call->arguments[i] & ~(uint64_t)errand->umask;
		return 0;
	case IN:
	case IN_SIZED:
		return fetch_memory(errand, i, true);
	case OUT:
	case OUT_SIZED:
		return fetch_memory(errand, i, false);
	case DESCRIPTOR:
		return fetch_descriptor(errand, i);
	}
	return -EINVAL;
}

static int fetch_arguments(struct errand *errand)
{
	int error = 0;

	for (unsigned i = 0; i < 6 && !error; i++)
		error = fetch_argument(errand, i);
	return error;
}

/* What the call has written goes to the task. */
static int give_results(const struct errand *errand, int64_t result)
{
	int error = 0;

	for (unsigned i = 0; i < 6 && !error && result >= 0; i++) {
		enum kind kind = kind_of(errand, i);
		size_t size = kind == OUT ? size_of(errand, i) : (size_t)result;

		if ((kind == OUT || kind == OUT_SIZED) && errand->memory[i])
			error = peer_write(errand->call->peer, errand->call->arguments[i],
					   errand->memory[i], size);
	}
	return error;
}

static void free_arguments(struct errand *errand)
{
	for (unsigned i = 0; i < 6; i++) {
		free(errand->memory[i]);
		if (kind_of(errand, i) == DESCRIPTOR && (int)errand->arguments[i] > 0)
			close((int)errand->arguments[i]);
	}
}

/* access(2) asks for the real user, who is the filesystem user of this thread now. */
static int64_t check_access(const struct errand *errand)
{
	bool at = kind_of(errand, 0) == DIRECTORY;
	const uint64_t *arguments = errand->arguments;

	return syscall(__NR_faccessat2, AT_FDCWD, arguments[at], arguments[at + 1],
		       AT_EACCESS | (errand->row->number == __NR_faccessat2 ? arguments[3] : 0));
}

static int64_t make_statfs(const struct errand *errand)
{
	int file = open(errand->paths[0], O_PATH | O_CLOEXEC);
	int error = file < 0 ? -errno
			     : answers_statfs(errand->context->view, file, errand->memory[1]);

	if (file >= 0)
		close(file);
	return error;
}

/* Where the flags of a call that opens are: in the argument, or in what it points to. */
static uint64_t *open_flags(struct errand *errand)
{
	unsigned i = errand->row->flags;

	return errand->memory[i] ? errand->memory[i] : &errand->arguments[i];
}

/* The kernel gives no O_PATH descriptor to another task (fget()): one open for reading does as much. */
static void open_for_reading(struct errand *errand)
{
	uint64_t *flags = open_flags(errand);

	if (*flags & O_PATH)
		*flags &= O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
}

/* What a path from the top may not leave it does not leave; it is absolute now. */
static void resolve_from_root(struct errand *errand)
{
	struct open_how *how = errand->memory[2];

	if (errand->row->number == __NR_openat2 && errand->relative && how)
		how->resolve &= ~(uint64_t)(RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_XDEV);
}

static int64_t make_call(struct errand *errand)
{
	const uint64_t *a = errand->arguments;
	int64_t result;

	if (errand->leads < errand->paths_count)
		return -EXDEV; /* from the tree to elsewhere */
	if (errand->row->number == __NR_statfs)
		return make_statfs(errand);
	if (errand->row->returns_file)
		open_for_reading(errand);
	resolve_from_root(errand);
	if (errand->row->by_real_user)
		result = check_access(errand);
	else
		result = syscall(errand->row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return result < 0 ? -errno : result;
}

/* As access(2), and faccessat2(2) if it does not ask for the effective user. */
static bool is_by_real_user(const struct errand *errand)
{
	return errand->row->by_real_user && !(errand->row->number == __NR_faccessat2 &&
					      errand->call->arguments[3] & AT_EACCESS);
}

static int64_t make_call_as(struct errand *errand, const struct identity *identity)
{
	int64_t result = peer_is_there(errand->call->peer) ? 0 : -ESRCH;

	if (!result)
		result = identity_take(identity, is_by_real_user(errand));
	if (!result)
		result = make_call(errand);
	identity_return();
	return result;
}

static int64_t run(struct errand *errand)
{
	struct identity identity;
	int64_t result;
	int error;

	if (is_restricted(errand->call->peer))
		return -EACCES; /* nobody but the kernel could tell what it may, which has nothing here */
	error = identity_read(errand->call->peer, &identity);
	if (error)
		return error;
	errand->umask = identity.umask;
	error = fetch_arguments(errand);
	result = error ? error : make_call_as(errand, &identity);
	identity_free(&identity);
	if (result >= 0 && !errand->row->returns_file)
		error = give_results(errand, result);
	return error ? error : result;
}

static const struct redirected *find_row(int number)
{
	for (unsigned i = 0; i < ROWS; i++) {
		if (redirected[i].number == number)
			return &redirected[i];
	}
	return NULL;
}

const char *redirect_name(int number)
{
	const struct redirected *row = find_row(number);

	return row ? row->name : "?";
}

bool redirect_answer(const struct calls_context *context, const struct call *call, char *path,
		     struct answer *answer)
{
	struct errand errand = {.context = context, .call = call, .row = find_row(call->number)};
	bool leads;

	if (!errand.row)
		return false;
	leads = leads_to_tree(&errand);
	strcpy(path, errand.paths[0]);
	if (!leads)
		return redirect_link(context, call, path, answer);
	context->before_waiting();
	answer->kind = ANSWER_VALUE;
	answer->value = run(&errand);
	if (errand.row->returns_file && answer->value >= 0) {
		answer->kind = ANSWER_FILE;
		answer->file = (int)answer->value;
		answer->close_on_exec = *open_flags(&errand) & O_CLOEXEC;
	}
	free_arguments(&errand);
	return true;
}
