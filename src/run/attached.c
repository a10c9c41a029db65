/* SPDX-License-Identifier: MIT */
/* BPF programs that are attached to cgroups. */
#include "attached.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OF_CGROUP 64 /* BPF_CGROUP_MAX_PROGS */
#define MAX_ALL 4096 /* each keeps two descriptors open */
#define SHARING (BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI)

struct row {
	ino_t cgroup;
	dev_t device;
	int directory, file; /* keep the cgroup's and the program's numbers theirs */
	uint32_t type, flags, program;
};

/* Protects what follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row rows[MAX_ALL]; /* in the order they were attached */
static unsigned count;

/* A cgroup, its parent, and so on up to the root. */
struct line {
	struct stat *cgroup;
	unsigned count;
};

static int add_to_line(struct line *line, int directory)
{
	struct stat st, *longer;
	const struct stat *last = line->count ? &line->cgroup[line->count - 1] : NULL;

	if (fstat(directory, &st))
		return -errno;
	if (last && (st.st_dev != last->st_dev || st.st_ino == last->st_ino))
		return 0; /* what the tree is mounted on */
	longer = reallocarray(line->cgroup, line->count + 1, sizeof(st));
	if (!longer)
		return -ENOMEM;
	line->cgroup = longer;
	line->cgroup[line->count++] = st;
	return 1;
}

/* 0 or a negative errno. free() line->cgroup in any case. */
static int read_line(int directory, struct line *line)
{
	int at = -1, found = add_to_line(line, directory);

	while (found > 0) {
		int parent = openat(at < 0 ? directory : at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		found = parent < 0 ? -errno : add_to_line(line, parent);
		if (at >= 0)
			close(at);
		at = parent;
	}
	if (at >= 0)
		close(at);
	return found;
}

static void drop(unsigned i)
{
	close(rows[i].directory);
	close(rows[i].file);
	count--;
	memmove(&rows[i], &rows[i + 1], (count - i) * sizeof(rows[0]));
}

/* Those of cgroups that were removed. */
static void drop_gone(void)
{
	struct stat st;

	for (unsigned i = count; i-- > 0;) {
		if (fstat(rows[i].directory, &st) || !st.st_nlink)
			drop(i);
	}
}

/* The next row from `i` on of this cgroup and type; `count`: there is none. */
static unsigned next(unsigned i, const struct stat *cgroup, uint32_t type)
{
	while (i < count && (rows[i].cgroup != cgroup->st_ino || rows[i].device != cgroup->st_dev ||
			     rows[i].type != type))
		i++;
	return i;
}

static unsigned find(const struct stat *cgroup, uint32_t type, uint32_t program)
{
	unsigned i = next(0, cgroup, type);

	while (i < count && rows[i].program != program)
		i = next(i + 1, cgroup, type);
	return i;
}

static unsigned count_of(const struct stat *cgroup, uint32_t type)
{
	unsigned found = 0;

	for (unsigned i = next(0, cgroup, type); i < count; i = next(i + 1, cgroup, type))
		found++;
	return found;
}

/* The kernel's flags as of Linux 5.6: those for an order among programs came later. */
static int check_flags(const struct attachment *attachment)
{
	uint32_t sharing = attachment->flags & SHARING;

	if (sharing == SHARING || (attachment->flags & BPF_F_REPLACE && sharing != BPF_F_ALLOW_MULTI) ||
	    attachment->flags & ~(uint32_t)(SHARING | BPF_F_REPLACE))
		return -EINVAL;
	return 0;
}

/* Which row the new program comes in place of; `count`: it is one more. */
static int choose_place(const struct attachment *attachment, const struct stat *cgroup, unsigned *place)
{
	uint32_t sharing = attachment->flags & SHARING;
	unsigned first = next(0, cgroup, attachment->type);

	if (first < count && rows[first].flags != sharing)
		return -EPERM; /* nobody changes what the first has permitted */
	*place = first;
	if (sharing != BPF_F_ALLOW_MULTI)
		return 0;
	*place = count;
	if (attachment->flags & BPF_F_REPLACE) {
		*place = find(cgroup, attachment->type, attachment->replaced);
		return *place == count ? -ENOENT : 0;
	}
	if (find(cgroup, attachment->type, attachment->program) < count)
		return -EINVAL;
	return count_of(cgroup, attachment->type) >= MAX_OF_CGROUP ? -E2BIG : 0;
}

/* hierarchy_allows_attach(): the nearest ancestor that has one must have permitted more. */
static bool ancestors_permit(const struct line *line, uint32_t type)
{
	for (unsigned i = 1; i < line->count; i++) {
		unsigned first = next(0, &line->cgroup[i], type);

		if (first < count)
			return rows[first].flags;
	}
	return true;
}

static int add(const struct attachment *attachment, const struct line *line, int file)
{
	const struct stat *cgroup = line->cgroup;
	unsigned place;
	int error = check_flags(attachment);

	if (!error && !ancestors_permit(line, attachment->type))
		error = -EPERM;
	if (!error)
		error = choose_place(attachment, cgroup, &place);
	if (error)
		return error;
	if (place < count) {
		close(rows[place].file);
		rows[place].file = file;
		rows[place].program = attachment->program;
		return 0;
	}
	if (count == MAX_ALL)
		return -ENOSPC;
	rows[count] = (struct row){
		.cgroup = cgroup->st_ino, .device = cgroup->st_dev, .directory = dup(attachment->directory),
		.file = file, .type = attachment->type, .flags = attachment->flags & SHARING,
		.program = attachment->program};
	count++;
	return 0;
}

int attached_add(const struct attachment *attachment, int file)
{
	struct line line = {0};
	int error = read_line(attachment->directory, &line);

	pthread_mutex_lock(&lock);
	if (!error) {
		drop_gone();
		error = add(attachment, &line, file);
	}
	pthread_mutex_unlock(&lock);
	free(line.cgroup);
	if (error)
		close(file);
	return error;
}

int attached_remove(const struct attachment *attachment)
{
	struct stat cgroup;
	unsigned place;
	int error = 0;

	if (fstat(attachment->directory, &cgroup))
		return -errno;
	pthread_mutex_lock(&lock);
	place = next(0, &cgroup, attachment->type);
	if (place < count && rows[place].flags == BPF_F_ALLOW_MULTI) {
		error = attachment->program ? 0 : -EINVAL;
		place = find(&cgroup, attachment->type, attachment->program);
	}
	if (!error && place == count)
		error = -ENOENT;
	if (!error)
		drop(place);
	pthread_mutex_unlock(&lock);
	return error;
}

/* Its programs, after the `found` that are listed already: how many there are then. */
static unsigned list_of(const struct stat *cgroup, uint32_t type, uint32_t *programs, unsigned size,
			unsigned found)
{
	for (unsigned i = next(0, cgroup, type); i < count; i = next(i + 1, cgroup, type)) {
		if (found < size)
			programs[found] = rows[i].program;
		found++;
	}
	return found;
}

/* compute_effective_progs(): of an ancestor those that run whatever is below. */
static unsigned list_effective(const struct line *line, uint32_t type, uint32_t *programs, unsigned size)
{
	unsigned found = 0;

	for (unsigned i = 0; i < line->count; i++) {
		unsigned first = next(0, &line->cgroup[i], type);

		if (first < count && (!found || rows[first].flags == BPF_F_ALLOW_MULTI))
			found = list_of(&line->cgroup[i], type, programs, size, found);
	}
	return found;
}

unsigned attached_list(const struct attachment *attachment, uint32_t *programs, unsigned size,
		       uint32_t *flags)
{
	struct line line = {0};
	unsigned found = 0, first;

	*flags = 0;
	if (!read_line(attachment->directory, &line)) {
		pthread_mutex_lock(&lock);
		first = next(0, line.cgroup, attachment->type);
		if (attachment->flags & BPF_F_QUERY_EFFECTIVE) {
			found = list_effective(&line, attachment->type, programs, size);
		} else if (first < count) {
			found = list_of(line.cgroup, attachment->type, programs, size, 0);
			*flags = rows[first].flags;
		}
		pthread_mutex_unlock(&lock);
	}
	free(line.cgroup);
	return found;
}
