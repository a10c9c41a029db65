/* SPDX-License-Identifier: MIT */
/* The files of a state directory. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "symlink.h"

static char *say(const char *path, const char *what)
{
	char *line;

	return asprintf(&line, "%s: %s", path, what) < 0 ? NULL : line;
}

/* By errno. */
static char *say_unusable(const char *path)
{
	char *line;

	return asprintf(&line, "%s: %s: name a directory that is there or can be made", path,
			strerror(errno)) < 0
		       ? NULL
		       : line;
}

/* Who has it says so in the lock file; another number does no harm. */
static char *say_locked(const struct state_file *file)
{
	char owner[32] = "", *line;
	ssize_t len = pread(file->lock, owner, sizeof(owner) - 1, 0);

	if (len <= 0 || strspn(owner, "0123456789") != (size_t)len)
		return say(file->path, "another fuse_cgroupfs uses it: end that, or name another directory");
	return asprintf(&line,
			"%s: another fuse_cgroupfs uses it (process %s): end that, or name another directory",
			file->path, owner) < 0
		       ? NULL
		       : line;
}

/* The directory itself is locked: whoever removes a file in it lets nobody in. */
static char *take_lock(struct state_file *file)
{
	char owner[32];
	int len;

	file->lock = openat(file->directory, "lock",
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (flock(file->directory, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? say_locked(file) : say_unusable(file->path);
	len = snprintf(owner, sizeof(owner), "%d", getpid());
	if (file->lock >= 0 && (ftruncate(file->lock, 0) ||
				pwrite(file->lock, owner, (size_t)len, 0) != len))
		log_debug("state: %s/lock: %s", file->path, strerror(errno)); /* it is for the message only */
	return NULL;
}

/* What the daemon believes it does as root: nobody else may have written it, or put it there. */
static char *check_owner(const char *path, const struct stat *stat)
{
	char *line = NULL;

	if (stat->st_uid != geteuid() &&
	    asprintf(&line, "%s: it belongs to user %u, who could have daemons do anything: "
			    "have it belong to user %u, or use another", path, stat->st_uid,
		     geteuid()) < 0)
		return NULL;
	if (line || !(stat->st_mode & (S_IWGRP | S_IWOTH)))
		return line;
	return asprintf(&line, "%s: others may write to it, who could have daemons do anything: "
			       "chmod go-w, or use another", path) < 0 ? NULL : line;
}

static char *check_link(const char *path)
{
	uid_t owner;
	char *line;

	if (symlink_find(path, &owner) != SYMLINK_OF_ANOTHER)
		return NULL;
	return asprintf(&line, "%s: it is a link of user %u, who could lead daemons anywhere: remove it, or "
			       "name another directory", path, owner) < 0 ? NULL : line;
}

char *state_file_open(struct state_file *file, const char *path)
{
	struct stat stat;
	char *problem = check_link(path);

	*file = (struct state_file){.directory = -1, .lock = -1, .state = -1};
	if (problem)
		return problem;
	if (mkdir(path, 0700) && errno != EEXIST)
		return say_unusable(path);
	/* The walk is the kernel's, which follows no links of others where it is told so; then its name. */
	file->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0 || fstat(file->directory, &stat))
		return say_unusable(path);
	file->path = realpath(path, NULL);
	if (!file->path)
		return say_unusable(path);
	problem = check_owner(file->path, &stat);
	return problem ? problem : take_lock(file);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void state_file_close(struct state_file *file)
{
	close_one(&file->state);
	close_one(&file->lock);
	close_one(&file->directory);
	free(file->path);
	file->path = NULL;
}

/* 0 and *fd, or as state_file_read(). */
static int open_state_file(const struct state_file *file, int *fd, char **problem)
{
	struct stat stat;
	char *path = NULL;
	int error = 0;

	*fd = openat(file->directory, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd < 0)
		return errno == ELOOP ? -EINVAL : -errno;
	if (fstat(*fd, &stat))
		error = -errno;
	else if (!S_ISREG(stat.st_mode))
		error = -EINVAL;
	else if (stat.st_size > STATE_FILE_MAX)
		error = -EFBIG;
	else if (asprintf(&path, "%s/state", file->path) < 0)
		error = -ENOMEM;
	else if ((*problem = check_owner(path, &stat)))
		error = -EPERM;
	free(path);
	if (error)
		close_one(fd);
	return error;
}

int state_file_read(const struct state_file *file, struct text *content, char **problem)
{
	char buffer[65536];
	ssize_t len;
	int fd, error;

	*problem = NULL;
	error = open_state_file(file, &fd, problem);
	if (error)
		return error;
	while ((len = read(fd, buffer, sizeof(buffer))) > 0)
		text_add_bytes(content, buffer, (size_t)len);
	error = len < 0 ? -errno : content->error;
	close(fd);
	return error;
}

int state_file_set_aside(const struct state_file *file, char *name, size_t size)
{
	char base[64];
	time_t now = time(NULL);
	struct tm utc;
	size_t len;

	gmtime_r(&now, &utc);
	len = strftime(base, sizeof(base), "state.refused-%Y%m%dT%H%M%SZ", &utc);
	for (unsigned i = 1; !faccessat(file->directory, base, F_OK, AT_SYMLINK_NOFOLLOW); i++)
		snprintf(base + len, sizeof(base) - len, "-%u", i);
	snprintf(name, size, "%s/%s", file->path, base);
	return renameat(file->directory, "state", file->directory, base) ? -errno : 0;
}

static int write_all(int fd, const struct text *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t len = write(fd, text->data + done, text->len - done);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EIO;
		done += (size_t)len;
	}
	return 0;
}

/* A new one: what is there of that name, by a daemon that was killed or by mistake, is not written to. */
static int make_new(const struct state_file *file)
{
	int fd;

	if (unlinkat(file->directory, "state.new", 0) && errno != ENOENT)
		return -errno;
	fd = openat(file->directory, "state.new", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int state_file_replace(struct state_file *file, const struct text *content)
{
	int fd = content->len > STATE_FILE_MAX ? -EFBIG : make_new(file);
	int error = fd < 0 ? fd : content->error;

	if (!error)
		error = write_all(fd, content);
	if (!error && fsync(fd))
		error = -errno;
	if (!error && renameat(file->directory, "state.new", file->directory, "state"))
		error = -errno;
	if (error) {
		close_one(&fd);
		unlinkat(file->directory, "state.new", 0); /* a full disk has use for its space */
		return error;
	}
	fsync(file->directory);
	close_one(&file->state);
	file->state = fd;
	file->size = content->len;
	return 0;
}

int state_file_append(struct state_file *file, const struct text *record)
{
	int error = record->error;

	if (!error && record->len > STATE_FILE_MAX - file->size)
		return -EFBIG;
	if (!error)
		error = write_all(file->state, record);
	if (!error) {
		file->size += record->len;
		return 0;
	}
	if (ftruncate(file->state, (off_t)file->size))
		error = -errno;
	return error;
}
