/* SPDX-License-Identifier: MIT */
/* A FUSE filesystem of tables. */
#include "table_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <unistd.h>

#include "table_list.h"
#include "table_renewal.h"
#include "table_source.h"

#define REQUEST_SIZE (FUSE_MIN_READ_BUFFER + 4096) /* nobody writes to us */
#define FOREVER 3600 /* s; what the kernel knows of a file stays true */
#define ALWAYS (POLLIN | POLLRDNORM) /* mounts_poll() */
#define NEWS (POLLERR | POLLPRI)

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Set once; -1: there is none. */
static int device = -1, root = -1, events = -1;
static _Atomic dev_t own_device; /* 0: none */

static void reply(uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header header = {.len = (uint32_t)(sizeof(header) + len), .error = error,
					 .unique = unique};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)data, len}};

	/* It fails when the request was interrupted or the filesystem is gone. */
	if (writev(device, parts, 2) < 0)
		return;
}

static struct fuse_attr attributes(const struct table_file *file)
{
	return (struct fuse_attr){
		.ino = file->about.st_ino,
		.mode = S_IFREG | (file->about.st_mode & 0777),
		.nlink = 1,
		.uid = file->about.st_uid,
		.gid = file->about.st_gid,
		.blksize = 1024,
		.atime = (uint64_t)file->about.st_atime,
		.mtime = (uint64_t)file->about.st_mtime,
		.ctime = (uint64_t)file->about.st_ctime,
	};
}

static void answer_init(uint64_t unique, const struct fuse_init_in *in)
{
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.max_write = 4096,
	};

	reply(unique, 0, &out, sizeof(out));
}

/* "mountinfo:7" */
static void answer_lookup(uint64_t unique, const char *name)
{
	const char *number = strchr(name, ':');
	struct table_file *file = number ? table_list_find(strtoull(number + 1, NULL, 10)) : NULL;
	struct fuse_entry_out out = {.attr_valid = FOREVER};

	if (!file)
		return reply(unique, -ENOENT, NULL, 0);
	out.nodeid = file->number;
	out.attr = attributes(file);
	file->known = true;
	reply(unique, 0, &out, sizeof(out));
}

/* Of the root, which nobody lists, or a file. */
static void answer_getattr(uint64_t unique, const struct table_file *file)
{
	struct fuse_attr_out out = {.attr_valid = FOREVER};

	if (file)
		out.attr = attributes(file);
	else
		out.attr = (struct fuse_attr){.ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2};
	reply(unique, 0, &out, sizeof(out));
}

static void answer_open(uint64_t unique)
{
	/* Past the kernel's cache, which would read nothing of a file without a size. */
	const struct fuse_open_out out = {.open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH};

	reply(unique, 0, &out, sizeof(out));
}

static void note_news(struct table_file *file)
{
	file->changed = true;
	file->stale = true;
}

static void look_for_news(struct table_file *file)
{
	struct pollfd poller = {.events = POLLPRI};

	if (!file->source)
		return;
	poller.fd = table_source_file(file->source);
	if (poll(&poller, 1, 0) > 0 && poller.revents & NEWS)
		note_news(file);
}

static void reply_part(struct table_file *file, uint64_t unique, uint64_t offset, uint32_t size)
{
	size_t rest;

	pthread_mutex_lock(&file->lock);
	rest = offset < file->text.len ? file->text.len - offset : 0;
	reply(unique, 0, rest ? file->text.data + offset : NULL, rest < size ? rest : size);
	pthread_mutex_unlock(&file->lock);
}

static void answer_reader(const struct table_reader *reader)
{
	reply_part(reader->file, reader->unique, 0, reader->size);
}

/* The kernel's own are made at each reading from the start; between two news they are the same. */
static void answer_read(uint64_t unique, struct table_file *file, const struct fuse_read_in *in)
{
	if (!in->offset)
		look_for_news(file);
	if (in->offset || !file->stale ||
	    !table_renew(&(struct table_reader){file, unique, in->size}, answer_reader))
		reply_part(file, unique, in->offset, in->size);
}

static void tell_news(const struct table_file *file)
{
	const struct fuse_notify_poll_wakeup_out out = {.kh = file->poll_handle};

	reply(0, FUSE_NOTIFY_POLL, &out, sizeof(out));
}

/* Who is told of news has been told; who waits for the next is woken. */
static void answer_poll(uint64_t unique, struct table_file *file, const struct fuse_poll_in *in)
{
	struct fuse_poll_out out = {.revents = ALWAYS};
	struct epoll_event event = {.events = EPOLLPRI | EPOLLONESHOT, .data.ptr = file};

	look_for_news(file);
	if (file->changed)
		out.revents |= NEWS;
	file->changed = false;
	if (in->flags & FUSE_POLL_SCHEDULE_NOTIFY && file->source) {
		int kernels = table_source_file(file->source);

		file->poll_handle = in->kh;
		if (epoll_ctl(events, EPOLL_CTL_MOD, kernels, &event))
			epoll_ctl(events, EPOLL_CTL_ADD, kernels, &event);
	}
	reply(unique, 0, &out, sizeof(out));
}

static void forget(uint64_t node)
{
	struct table_file *file = table_list_find(node);

	if (file) /* looked up once, as its name is taken away at once */
		table_list_free(file);
}

static void forget_many(const struct fuse_batch_forget_in *in)
{
	const struct fuse_forget_one *one = (const struct fuse_forget_one *)(in + 1);

	for (uint32_t i = 0; i < in->count; i++)
		forget(one[i].nodeid);
}

static void answer_request(const struct fuse_in_header *in)
{
	struct table_file *file = table_list_find(in->nodeid);
	const void *argument = in + 1;

	if (!file && (in->opcode == FUSE_READ || in->opcode == FUSE_POLL))
		return reply(in->unique, -EIO, NULL, 0);
	switch (in->opcode) {
	case FUSE_INIT:
		return answer_init(in->unique, argument);
	case FUSE_LOOKUP:
		return answer_lookup(in->unique, argument);
	case FUSE_GETATTR:
		return answer_getattr(in->unique, file);
	case FUSE_OPEN:
		return answer_open(in->unique);
	case FUSE_READ:
		return answer_read(in->unique, file, argument);
	case FUSE_POLL:
		return answer_poll(in->unique, file, argument);
	case FUSE_RELEASE:
		return reply(in->unique, 0, NULL, 0);
	case FUSE_FORGET:
		return forget(in->nodeid);
	case FUSE_BATCH_FORGET:
		return forget_many(argument);
	case FUSE_INTERRUPT: /* what it is about is answered already */
		return;
	default:
		return reply(in->unique, -ENOSYS, NULL, 0);
	}
}

/* One thing at a time: what is told of a file is not told after it was freed. */
static void *serve(void *argument)
{
	static char request[REQUEST_SIZE] __attribute__((aligned(8)));
	struct epoll_event event;

	(void)argument;
	for (;;) {
		struct table_file *file;

		if (epoll_wait(events, &event, 1, -1) != 1)
			continue; /* EINTR */
		file = event.data.ptr;
		if (file) {
			note_news(file);
			tell_news(file);
		} else if (read(device, request, sizeof(request)) > 0) {
			answer_request((struct fuse_in_header *)request);
		} else if (errno != EINTR && errno != EAGAIN && errno != ENOENT) {
			return NULL; /* ENODEV: it was unmounted */
		}
	}
}

static bool set(int filesystem, const char *key, const char *format, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), format, value);
	return !fsconfig(filesystem, FSCONFIG_SET_STRING, key, text, 0);
}

/* Mounted nowhere: a descriptor of its root, or -1. */
static int make_mount(void)
{
	int filesystem = fsopen("fuse", FSOPEN_CLOEXEC), made = -1;

	if (filesystem < 0)
		return -1;
	if (set(filesystem, "fd", "%u", (unsigned)device) && set(filesystem, "rootmode", "%o", S_IFDIR) &&
	    set(filesystem, "user_id", "%u", geteuid()) && set(filesystem, "group_id", "%u", getegid()) &&
	    !fsconfig(filesystem, FSCONFIG_SET_FLAG, "allow_other", NULL, 0) &&
	    !fsconfig(filesystem, FSCONFIG_SET_FLAG, "default_permissions", NULL, 0) &&
	    !fsconfig(filesystem, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		made = fsmount(filesystem, FSMOUNT_CLOEXEC,
			       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(filesystem);
	return made;
}

/* So that it is forgotten when it is closed. */
static void take_name_away(const char *name)
{
	const struct fuse_notify_inval_entry_out out = {.parent = FUSE_ROOT_ID,
							.namelen = (uint32_t)strlen(name)};
	char message[sizeof(out) + 64];

	memcpy(message, &out, sizeof(out));
	strcpy(message + sizeof(out), name);
	reply(0, FUSE_NOTIFY_INVAL_ENTRY, message, sizeof(out) + out.namelen + 1);
}

static int open_file(const char *name, const struct text *text, const struct stat *about,
		     struct table_source *source, struct table_share *share)
{
	struct table_file *file = table_list_add(text, about, source, share);
	char unique[64];
	int fd;

	if (!file)
		return -ENOMEM;
	snprintf(unique, sizeof(unique), "%s:%llu", name, (unsigned long long)file->number);
	fd = openat(root, unique, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	if (file->known)
		take_name_away(unique);
	else
		table_list_free(file);
	return fd;
}

/* gVisor reads nothing of a file without a size. */
static bool has_content(void)
{
	const struct text text = {.data = "x", .len = 1};
	const struct stat about = {.st_ino = 1, .st_mode = 0444};
	struct table_share share = {0};
	char byte;
	int fd = open_file("probe", &text, &about, NULL, &share);
	bool has = fd >= 0 && read(fd, &byte, 1) == 1;

	if (fd >= 0)
		close(fd);
	return has;
}

static void start(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct stat about;
	pthread_t thread;

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	events = epoll_create1(EPOLL_CLOEXEC);
	if (device < 0 || events < 0)
		return;
	root = make_mount();
	if (root >= 0 && !epoll_ctl(events, EPOLL_CTL_ADD, device, &event) &&
	    !pthread_create(&thread, NULL, serve, NULL)) {
		pthread_detach(thread);
		if (has_content() && !fstat(root, &about))
			own_device = about.st_dev;
		if (own_device)
			return;
	} else {
		close(device); /* what is mounted without its server answers no more */
	}
	root = -1;
}

int table_files_open(const char *name, const struct text *text, const struct stat *about,
		     struct table_source *source, struct table_share *share)
{
	pthread_once(&once, start);
	return root < 0 ? -ENOSYS : open_file(name, text, about, source, share);
}

bool table_files_are_on(dev_t filesystem)
{
	return own_device && filesystem == own_device;
}
