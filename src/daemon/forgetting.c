/* SPDX-License-Identifier: MIT */
/*
 * Names that are forgotten where the kernel does not tell of it (FUSE_FORGET): those of removed cgroups, when
 * nobody has them open. libfuse's reads and writes go through here: what replies give the kernel is
 * counted, and requests to forget it are read before the kernel's next one.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utlist.h>

#include "daemon.h"
#include "hash.h"
#include "inode.h"
#include "lock.h"

/* A name that the kernel has been given, as libfuse counts it. */
struct name {
	uint64_t id; /* fuse_in_header.nodeid */
	uint64_t lookups; /* how often it was given */
	unsigned requests; /* that are being answered */
	unsigned opens; /* that were not released */
	struct directory *directory;
	struct name *prev, *next; /* in its directory, later among the forgotten */
	UT_hash_handle hh;
};

/* A cgroup with the names of itself and its files. */
struct directory {
	uint64_t number; /* the cgroup's */
	bool removed;
	struct name *names;
	UT_hash_handle hh;
};

/* The request that a thread is answering. */
struct request {
	uint32_t opcode;
	uint64_t unique;
	uint64_t ids[3]; /* what it is about, and what its reply gave; 0: nothing, or the top directory */
};

static pthread_mutex_t lock = LOCK_INITIALIZER;
static struct name *names, *forgotten; /* by id; and those that libfuse is still to be told of */
static struct directory *directories; /* by number */
static _Thread_local struct request request;

static struct name *find_name(uint64_t id)
{
	struct name *name;

	assert_locked(&lock);
	HASH_FIND(hh, names, &id, sizeof(id), name);
	return name;
}

/* NULL without memory. */
static struct directory *get_directory(uint64_t number)
{
	struct directory *directory;

	HASH_FIND(hh, directories, &number, sizeof(number), directory);
	if (directory)
		return directory;
	directory = calloc(1, sizeof(*directory));
	if (!directory)
		return NULL;
	directory->number = number;
	HASH_ADD(hh, directories, number, sizeof(directory->number), directory);
	return HASH_KEPT(hh, directory);
}

static void free_if_empty(struct directory *directory)
{
	if (directory->names)
		return;
	HASH_DELETE(hh, directories, directory);
	free(directory);
}

/* Nobody gets at it by its id any more. */
static void take_out(struct name *name)
{
	HASH_DELETE(hh, names, name);
	DL_DELETE(name->directory->names, name);
	free_if_empty(name->directory);
}

/* What may be forgotten is. */
static void settle(struct name *name)
{
	if (!name->directory->removed || name->requests || name->opens)
		return;
	take_out(name);
	DL_APPEND(forgotten, name);
}

/* NULL without memory. */
static struct name *get_name(const struct fuse_entry_out *entry)
{
	struct name *name = find_name(entry->nodeid);
	struct directory *directory;

	if (name)
		return name;
	directory = get_directory(inode_cgroup_number(entry->attr.ino));
	name = calloc(1, sizeof(*name));
	if (directory && name) {
		name->id = entry->nodeid;
		name->directory = directory;
		HASH_ADD(hh, names, id, sizeof(name->id), name);
		if (HASH_HAS(hh, name)) {
			DL_APPEND(directory->names, name);
			return name;
		}
	}
	free(name);
	if (directory)
		free_if_empty(directory);
	return NULL;
}

/* What it is about besides; 0: nothing. */
static uint64_t second_id(const struct fuse_in_header *in)
{
	const void *arguments = in + 1;

	switch (in->opcode) {
	case FUSE_RENAME:
	case FUSE_RENAME2: /* begins as struct fuse_rename_in */
		return ((const struct fuse_rename_in *)arguments)->newdir;
	case FUSE_LINK:
		return ((const struct fuse_link_in *)arguments)->oldnodeid;
	case FUSE_COPY_FILE_RANGE:
		return ((const struct fuse_copy_file_range_in *)arguments)->nodeid_out;
	default:
		return 0;
	}
}

/* The thread's request begins; false when it is about something forgotten. */
static bool begin(const struct fuse_in_header *in)
{
	struct request begun = {
		.opcode = in->opcode,
		.unique = in->unique,
		.ids = {in->nodeid, second_id(in)},
	};
	struct name *found[2] = {0};
	bool known = true;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 2; i++) {
		if (begun.ids[i] == FUSE_ROOT_ID)
			begun.ids[i] = 0;
		if (begun.ids[i]) {
			found[i] = find_name(begun.ids[i]);
			known &= found[i] != NULL;
		}
	}
	for (int i = 0; i < 2 && known; i++) {
		if (found[i])
			found[i]->requests++;
	}
	pthread_mutex_unlock(&lock);
	if (known)
		request = begun;
	return known;
}

/* The thread's request has been answered, and libfuse is done with it. */
static void end(void)
{
	bool closes = request.opcode == FUSE_RELEASE || request.opcode == FUSE_RELEASEDIR;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 3; i++) {
		struct name *name = request.ids[i] ? find_name(request.ids[i]) : NULL;

		if (!name)
			continue;
		name->requests--;
		if (closes && name->opens)
			name->opens--; /* it is about no other */
		settle(name);
	}
	pthread_mutex_unlock(&lock);
	request = (struct request){0};
}

/* A request to forget what is forgotten, in `buffer`; its size, 0: there is nothing. */
static size_t put_forgotten(void *buffer, size_t size)
{
	struct fuse_in_header *in = buffer;
	struct fuse_batch_forget_in *batch = (void *)(in + 1);
	struct fuse_forget_one *one = (void *)(batch + 1);
	const size_t room = (size - sizeof(*in) - sizeof(*batch)) / sizeof(*one);
	struct name *name, *next;
	uint32_t count = 0;

	pthread_mutex_lock(&lock);
	DL_FOREACH_SAFE(forgotten, name, next) {
		if (count == room)
			break;
		one[count++] = (struct fuse_forget_one){.nodeid = name->id, .nlookup = name->lookups};
		DL_DELETE(forgotten, name);
		free(name);
	}
	pthread_mutex_unlock(&lock);
	if (!count)
		return 0;
	size = sizeof(*in) + sizeof(*batch) + count * sizeof(*one);
	*in = (struct fuse_in_header){.len = (uint32_t)size, .opcode = FUSE_BATCH_FORGET};
	*batch = (struct fuse_batch_forget_in){.count = count};
	return size;
}

/* Answers the request in libfuse's place. */
static void answer_error(int fd, uint64_t unique, int error)
{
	struct fuse_out_header out = {.len = sizeof(out), .error = error, .unique = unique};

	/* where it fails nobody waits for it any more */
	if (write(fd, &out, sizeof(out)) < 0)
		return;
}

/* fuse_custom_io.read */
static ssize_t read_request(int fd, void *buffer, size_t size, void *data)
{
	const struct fuse_in_header *in = buffer;
	ssize_t got;

	(void)data;
	end();
	for (;;) {
		got = (ssize_t)put_forgotten(buffer, size);
		if (got)
			return got;
		got = read(fd, buffer, size);
		if (got < (ssize_t)sizeof(*in))
			return got;
		if (in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET)
			continue; /* a kernel that tells nevertheless: each name is forgotten once, by us */
		if (begin(in))
			return got;
		answer_error(fd, in->unique, -ESTALE);
	}
}

/* What the reply gives to the kernel is its from now on; false without memory. */
static bool give(const struct iovec *reply)
{
	struct name *name;

	pthread_mutex_lock(&lock);
	switch (request.opcode) {
	case FUSE_LOOKUP:
	case FUSE_MKDIR: /* all else that makes names is refused: operations.c */
		name = get_name(reply->iov_base);
		if (!name)
			break;
		name->lookups++;
		name->requests++;
		request.ids[2] = name->id;
		break;
	default: /* an open */
		name = find_name(request.ids[0]);
		if (name)
			name->opens++;
	}
	pthread_mutex_unlock(&lock);
	return name || (request.opcode == FUSE_OPENDIR && !request.ids[0]);
}

/* The kernel did not take it: libfuse forgets or closes it by itself. */
static void take_back(void)
{
	const bool was_open = !request.ids[2];
	struct name *name;

	pthread_mutex_lock(&lock);
	name = find_name(request.ids[was_open ? 0 : 2]);
	if (was_open && name) {
		name->opens--;
	} else if (name && !--name->lookups) {
		request.ids[2] = 0;
		take_out(name);
		free(name);
	}
	pthread_mutex_unlock(&lock);
}

static bool gives(const struct fuse_out_header *out, int count)
{
	if (out->error || count < 2 || out->unique != request.unique)
		return false;
	return request.opcode == FUSE_LOOKUP || request.opcode == FUSE_MKDIR || request.opcode == FUSE_OPEN ||
	       request.opcode == FUSE_OPENDIR;
}

/* fuse_custom_io.writev */
static ssize_t write_reply(int fd, struct iovec *parts, int count, void *data)
{
	const struct fuse_out_header *out = parts[0].iov_base;
	ssize_t written;
	int error;

	(void)data;
	if (!gives(out, count))
		return writev(fd, parts, count);
	if (!give(&parts[1])) {
		answer_error(fd, out->unique, -ENOMEM);
		errno = ENOENT; /* as of a caller that is gone: libfuse takes it back */
		return -1;
	}
	written = writev(fd, parts, count);
	if (written < 0) {
		error = errno;
		take_back();
		errno = error;
	}
	return written;
}

bool forgetting_start(struct fuse_session *session, int fd)
{
	return libfuse_set_io(session, fd, read_request, write_reply);
}

void forgetting_removed(uint64_t number)
{
	struct directory *directory;
	struct name *name, *next;

	pthread_mutex_lock(&lock);
	HASH_FIND(hh, directories, &number, sizeof(number), directory);
	if (directory) {
		struct name *all = directory->names;

		directory->removed = true;
		DL_FOREACH_SAFE(all, name, next)
			settle(name);
	}
	pthread_mutex_unlock(&lock);
}

void forgetting_stop(void)
{
	struct name *name, *next;

	pthread_mutex_lock(&lock);
	HASH_ITER(hh, names, name, next) {
		take_out(name);
		free(name);
	}
	DL_FOREACH_SAFE(forgotten, name, next)
		free(name);
	forgotten = NULL;
	pthread_mutex_unlock(&lock);
}
