/* SPDX-License-Identifier: MIT */
/* BPF programs that are attached to cgroups. */
#include "attached.h"

#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdbool.h>
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

/* Which row the new program comes in place of; `count`: it is one more. */
static int choose_place(const struct attachment *attachment, const struct stat *cgroup, unsigned *place)
{
	uint32_t sharing = attachment->flags & SHARING;
	unsigned first = next(0, cgroup, attachment->type);

	if (sharing == SHARING || (attachment->flags & BPF_F_REPLACE && sharing != BPF_F_ALLOW_MULTI) ||
	    attachment->flags & ~(uint32_t)(SHARING | BPF_F_REPLACE))
		return -EINVAL;
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

static int add(const struct attachment *attachment, const struct stat *cgroup, int file)
{
	unsigned place;
	int error = choose_place(attachment, cgroup, &place);

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
	struct stat cgroup;
	int error = fstat(attachment->directory, &cgroup) ? -errno : 0;

	pthread_mutex_lock(&lock);
	if (!error) {
		drop_gone();
		error = add(attachment, &cgroup, file);
	}
	pthread_mutex_unlock(&lock);
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

unsigned attached_list(const struct attachment *attachment, uint32_t *programs, unsigned size,
		       uint32_t *flags)
{
	unsigned found = 0;
	struct stat cgroup;

	*flags = 0;
	if (fstat(attachment->directory, &cgroup))
		return 0;
	pthread_mutex_lock(&lock);
	for (unsigned i = next(0, &cgroup, attachment->type); i < count;
	     i = next(i + 1, &cgroup, attachment->type)) {
		if (found < size)
			programs[found] = rows[i].program;
		*flags = rows[i].flags;
		found++;
	}
	pthread_mutex_unlock(&lock);
	return found;
}
