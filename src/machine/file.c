/* SPDX-License-Identifier: MIT */
/* Reading whole files and directories of /proc and /sys. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* gVisor interrupts system calls that a signal should not touch, so every call is repeated. */
static int open_below(int dir, const char *path, int flags)
{
	int fd;

	if (dir < 0)
		return -ENOENT;
	do
		fd = openat(dir, path, flags | O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_some(int fd, char *buffer, size_t size, size_t at)
{
	ssize_t n;

	do
		n = pread(fd, buffer, size, at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Moves the content to a heap block of twice the size. */
static int grow(struct file *file, size_t *size)
{
	char *heap = realloc(file->heap, *size * 2);

	if (!heap)
		return -ENOMEM;
	if (!file->heap)
		memcpy(heap, file->stack, file->len);
	file->heap = heap;
	*size *= 2;
	return 0;
}

/* From the start: the kernel looks anew for each read at offset 0. */
static int read_to_end(int fd, enum file_kind kind, struct file *file)
{
	size_t size = sizeof(file->stack);
	int error;

	for (;;) {
		char *buffer = file->heap ? file->heap : file->stack;
		size_t room = size - file->len;
		ssize_t n = read_some(fd, buffer + file->len, room, file->len);

		if (n < 0)
			return n;
		file->len += n;
		if (n == 0 || (kind == FILE_RECORD && (size_t)n < room))
			return 0;
		if (file->len == size && (error = grow(file, &size)))
			return error;
	}
}

static int read_all(int fd, enum file_kind kind, struct file *file)
{
	int error;

	file->heap = NULL;
	file->len = 0;
	error = read_to_end(fd, kind, file);
	if (error)
		free(file->heap);
	file->text = file->heap ? file->heap : file->stack;
	return error;
}

int file_read(int dir, const char *path, enum file_kind kind, struct file *file)
{
	int fd = open_below(dir, path, 0), error;

	if (fd < 0)
		return fd;
	error = read_all(fd, kind, file);
	close(fd);
	return error;
}

/* Who takes the descriptor has it alone, so nobody waits; who finds it taken opens another. */
int file_read_kept(const struct machine *machine, enum kept which, enum file_kind kind,
		   struct file *file)
{
	static const char *const names[] = {
		[KEPT_STAT] = "stat",
		[KEPT_MEMINFO] = "meminfo",
		[KEPT_VMSTAT] = "vmstat",
		[KEPT_LOADAVG] = "loadavg",
	};
	int fd = atomic_exchange(&machine->kept[which], -1), none = -1, error;

	if (fd < 0)
		fd = open_below(machine->proc, names[which], 0);
	if (fd < 0)
		return fd;
	error = read_all(fd, kind, file);
	if (error || !atomic_compare_exchange_strong(&machine->kept[which], &none, fd))
		close(fd);
	return error;
}

void file_free(struct file *file)
{
	free(file->heap);
}

int file_read_u64(int dir, const char *path, uint64_t *value)
{
	struct file file;
	struct span text;
	uint64_t v;
	int error = file_read(dir, path, FILE_RECORD, &file);

	if (error)
		return error;
	text = (struct span){ file.text, file.text + file.len };
	error = span_u64(&text, &v) ? 0 : -EINVAL;
	if (!error)
		*value = v;
	file_free(&file);
	return error;
}

/* getdents64() into the stack: opendir() would allocate 32 KiB for each of them. */
static int visit_entries(int fd, int (*visit)(const char *name, void *arg), void *arg)
{
	char buffer[16384] __attribute__((aligned(8)));
	ssize_t n;
	int error;

	for (;;) {
		do
			n = getdents64(fd, buffer, sizeof(buffer));
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(buffer + at);

			at += entry->d_reclen;
			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			if ((error = visit(entry->d_name, arg)))
				return error;
		}
	}
}

int dir_visit(int dir, const char *path, int (*visit)(const char *name, void *arg), void *arg)
{
	int fd = open_below(dir, path, O_DIRECTORY), error;

	if (fd < 0)
		return fd;
	error = visit_entries(fd, visit, arg);
	close(fd);
	return error;
}
