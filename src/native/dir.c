/* SPDX-License-Identifier: MIT */
/* One of the kernel's cgroups: its files, opened once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "number.h"

static const struct {
	const char *file;
	const char *word; /* before the number; "": there is none */
} figures[NATIVE_FIGURES] = {
	[NATIVE_CPU] = {"cpuacct.usage", ""},
	[NATIVE_CPU_USER] = {"cpuacct.usage_user", ""},
	[NATIVE_CPU_SYSTEM] = {"cpuacct.usage_sys", ""},
	[NATIVE_TICKS_USER] = {"cpuacct.stat", "user "},
	[NATIVE_TICKS_SYSTEM] = {"cpuacct.stat", "system "},
};

static const char *const setting_files[NATIVE_SETTINGS] = {
	[NATIVE_PIDS_MAX] = "pids.max",
	[NATIVE_CPU_SHARES] = "cpu.shares",
	[NATIVE_CPU_QUOTA] = "cpu.cfs_quota_us",
	[NATIVE_CPU_PERIOD] = "cpu.cfs_period_us",
	[NATIVE_MEMORY_LIMIT] = "memory.limit_in_bytes",
};

/* -1: there is no such file. */
static int open_file(struct native_dir *dir, const char *name, int flags)
{
	int fd = openat(dir->fd, name, flags | O_CLOEXEC);

	dir->files += fd >= 0;
	return fd;
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void dir_free(struct native_dir *dir)
{
	close(dir->fd);
	close_file(dir->procs);
	close_file(dir->tasks);
	for (enum native_figure figure = 0; figure < NATIVE_FIGURES; figure++)
		close_file(dir->figures[figure]);
	for (enum native_setting setting = 0; setting < NATIVE_SETTINGS; setting++)
		close_file(dir->settings[setting]);
	dir->native->files -= dir->files;
	free(dir->name);
	free(dir->place);
	free(dir);
}

static void open_files(struct native_dir *dir)
{
	for (enum native_figure figure = 0; figure < NATIVE_FIGURES; figure++)
		dir->figures[figure] = open_file(dir, figures[figure].file, O_RDONLY);
	for (enum native_setting setting = 0; setting < NATIVE_SETTINGS; setting++)
		dir->settings[setting] = open_file(dir, setting_files[setting], O_WRONLY);
	dir->tasks = open_file(dir, "tasks", O_RDWR);
	dir->procs = open_file(dir, "cgroup.procs", O_RDWR);
	dir->native->files += dir->files;
}

/* 0, or why not all is there that has to be. */
static int check_files(const struct native_dir *dir)
{
	if (!dir->name)
		return ENOMEM;
	if (dir->native->files > dir->native->files_max)
		return ENOSPC;
	return dir->tasks < 0 || dir->procs < 0 ? ENODEV : 0;
}

struct native_dir *dir_open(struct native *native, struct native_dir *parent, const char *name, int fd)
{
	struct native_dir *dir = calloc(1, sizeof(*dir));

	if (!dir) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	dir->native = native;
	dir->references = 1;
	dir->fd = fd;
	dir->files = 1;
	dir->name = strdup(name);
	open_files(dir);
	errno = check_files(dir);
	if (errno) {
		int error = errno;

		dir_free(dir);
		errno = error;
		return NULL;
	}
	dir->parent = native_get(parent);
	return dir;
}

struct native_dir *native_get(struct native_dir *dir)
{
	if (dir)
		dir->references++;
	return dir;
}

void native_put(struct native_dir *dir)
{
	while (dir && atomic_fetch_sub(&dir->references, 1) == 1) {
		struct native_dir *parent = dir->parent;

		dir_free(dir);
		dir = parent;
	}
}

int native_attach(const struct native_dir *dir, pid_t number, bool process)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", number);

	return pwrite(process ? dir->procs : dir->tasks, text, (size_t)len, 0) < 0 ? -errno : 0;
}

bool native_is_busy(const struct native_dir *dir)
{
	char some[16];

	return pread(dir->tasks, some, sizeof(some), 0) > 0;
}

/* gVisor does not take the word for no limit, but the highest number, which is none either. */
#define PIDS_UNLIMITED 4194304

int native_set(const struct native_dir *dir, enum native_setting setting, int64_t value)
{
	char text[24];
	int len;

	if (dir->settings[setting] < 0)
		return -ENOENT;
	if (setting == NATIVE_PIDS_MAX && value < 0)
		value = PIDS_UNLIMITED;
	len = snprintf(text, sizeof(text), "%ld", value);
	return pwrite(dir->settings[setting], text, (size_t)len, 0) < 0 ? -errno : 0;
}

#define TEXT_SIZE 128

static bool read_file(const struct native_dir *dir, enum native_figure figure, char text[TEXT_SIZE])
{
	ssize_t len = dir->figures[figure] < 0 ? -1 : pread(dir->figures[figure], text, TEXT_SIZE - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return len > 0;
}

static bool find_figure(const char *text, enum native_figure figure, uint64_t *value)
{
	const char *word = strstr(text, figures[figure].word), *end;

	if (!word)
		return false;
	word += strlen(figures[figure].word);
	*value = number_simple_u64(word, 10, &end);
	return end > word;
}

bool dir_count(const struct native_dir *dir, enum native_figure figure, uint64_t *value)
{
	char text[TEXT_SIZE];

	return read_file(dir, figure, text) && find_figure(text, figure, value);
}

/* What is shown does not go back, whoever has read in between. */
static uint64_t show(struct native_counter *counter, uint64_t value)
{
	uint_fast64_t shown = counter->shown;

	while (shown < value && !atomic_compare_exchange_weak(&counter->shown, &shown, value))
		continue;
	return shown < value ? value : shown;
}

/*
 * What was counted in those that are gone is looked up first: one that goes meanwhile is missed for a moment,
 * and never counted twice.
 */
bool native_figures(struct native_dir *dir, enum native_figure first, unsigned count, uint64_t values[])
{
	uint64_t gone[NATIVE_FIGURES], base[NATIVE_FIGURES], told;
	char text[TEXT_SIZE];

	for (unsigned i = 0; i < count; i++) {
		gone[i] = dir->counters[first + i].removed;
		base[i] = dir->counters[first + i].base;
	}
	if (!read_file(dir, first, text))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!find_figure(text, first + i, &told))
			return false;
		told = gone[i] + told < base[i] ? 0 : gone[i] + told - base[i];
		values[i] = show(&dir->counters[first + i], told);
	}
	return true;
}

void native_reset(struct native_dir *dir)
{
	for (enum native_figure figure = 0; figure < NATIVE_FIGURES; figure++) {
		struct native_counter *counter = &dir->counters[figure];
		uint64_t gone = counter->removed, count;

		if (!dir_count(dir, figure, &count))
			continue;
		counter->base = gone + count;
		counter->shown = 0;
	}
}
