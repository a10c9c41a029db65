/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "patient.h"

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* With the slots of the kept files behind it. */
static struct machine *allocate(void)
{
	struct machine *machine = calloc(1, sizeof(*machine) + KEPT_NR * sizeof(*machine->kept));

	if (!machine)
		return NULL;
	machine->kept = (_Atomic int *)(machine + 1);
	for (unsigned int i = 0; i < KEPT_NR; i++)
		atomic_init(&machine->kept[i], -1);
	machine->patient = patient_new(machine);
	if (machine->patient)
		return machine;
	free(machine);
	return NULL;
}

static struct machine *open_dirs(int root)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int proc = openat(root, "proc", flags);
	struct machine *machine;

	if (proc < 0)
		return NULL;
	machine = allocate();
	if (!machine) {
		close(proc);
		return NULL;
	}
	machine->proc = proc;
	machine->sys = openat(root, "sys", flags);
	return machine;
}

/* /proc may be of another pid namespace: a container's, or the host's in a container. */
static bool has_our_pids(const struct machine *machine)
{
	char self[16] = "";

	return readlinkat(machine->proc, "self", self, sizeof(self) - 1) > 0 &&
	       atoi(self) == getpid();
}

struct machine *machine_open(const char *root)
{
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), error;
	struct machine *machine;

	if (dir < 0)
		return NULL;
	machine = open_dirs(dir);
	error = errno;
	close(dir);
	errno = error;
	if (machine)
		machine->is_own = !strcmp(root, "/") && has_our_pids(machine);
	if (!machine)
		return NULL;
	error = measure_topology(machine);
	if (!error)
		return machine;
	machine_close(machine);
	errno = -error;
	return NULL;
}

void machine_close(struct machine *machine)
{
	if (!machine || !patient_free(machine->patient))
		return;
	close_fd(machine->proc);
	close_fd(machine->sys);
	for (unsigned int i = 0; i < KEPT_NR; i++)
		close_fd(machine->kept[i]);
	free(machine);
}

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
