/* SPDX-License-Identifier: MIT */
/* Lists of BPF programs, one for each cgroup and type that has or had any. */
#include "attached_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"

#define MAX_ALL 4096 /* lists, each with a descriptor, and programs, each with another */

static struct attached_list *lists[MAX_ALL];
static unsigned count, programs;

struct attached_list *attached_list_find(const struct stat *cgroup, uint32_t type)
{
	for (unsigned i = 0; i < count; i++) {
		struct attached_list *list = lists[i];

		if (list->cgroup == cgroup->st_ino && list->device == cgroup->st_dev && list->type == type)
			return list;
	}
	return NULL;
}

struct attached_list *attached_list_make(const struct stat *cgroup, int directory, uint32_t type)
{
	struct attached_list *list = attached_list_find(cgroup, type);

	if (list || count == MAX_ALL)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->cgroup = cgroup->st_ino;
	list->device = cgroup->st_dev;
	list->directory = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	list->type = type;
	list->revision = 1;
	if (list->directory < 0) {
		free(list);
		return NULL;
	}
	lists[count++] = list;
	return list;
}

bool attached_lists_have_room(void)
{
	return programs < MAX_ALL;
}

void attached_list_insert(struct attached_list *list, unsigned place, const struct attached_row *row)
{
	memmove(&list->rows[place + 1], &list->rows[place], (list->count - place) * sizeof(*row));
	list->rows[place] = *row;
	list->count++;
	programs++;
}

void attached_list_drop(struct attached_list *list, unsigned place)
{
	close(list->rows[place].file);
	list->count--;
	programs--;
	array_remove(list->rows, place, list->count, sizeof(list->rows[0]));
}

struct attached_list *attached_list_of_link(ino_t link, unsigned *place)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < lists[i]->count; j++) {
			if (lists[i]->rows[j].link != link)
				continue;
			*place = j;
			return lists[i];
		}
	}
	return NULL;
}

void attached_lists_drop_gone(void)
{
	struct stat st;

	for (unsigned i = count; i-- > 0;) {
		struct attached_list *list = lists[i];

		if (!fstat(list->directory, &st) && st.st_nlink)
			continue;
		while (list->count)
			attached_list_drop(list, list->count - 1);
		close(list->directory);
		free(list);
		lists[i] = lists[--count];
	}
}

/* --- a cgroup and those above --- */

static int add_to_line(struct attached_line *line, int directory)
{
	const struct stat *last = line->count ? &line->cgroups[line->count - 1] : NULL;
	struct stat st, *longer;

	if (fstat(directory, &st))
		return -errno;
	if (last && (st.st_dev != last->st_dev || st.st_ino == last->st_ino))
		return 0; /* what the tree is mounted on */
	longer = reallocarray(line->cgroups, line->count + 1, sizeof(st));
	if (!longer)
		return -ENOMEM;
	line->cgroups = longer;
	line->cgroups[line->count++] = st;
	return 1;
}

int attached_line_read(int directory, struct attached_line *line)
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
