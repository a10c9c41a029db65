/* SPDX-License-Identifier: MIT */
/* BPF programs that are attached to cgroups: the kernel's rules. */
#include "attached.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "attached_links.h"
#include "attached_lists.h"

#define SHARING (BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI)
#define PLACING (BPF_F_BEFORE | BPF_F_AFTER)
#define FLAGS (SHARING | BPF_F_REPLACE | PLACING | BPF_F_ID | BPF_F_PREORDER | BPF_F_LINK)

/* Protects the lists and the links. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What was removed or closed meanwhile is gone, before anything is asked or done. */
static void take_lock(void)
{
	pthread_mutex_lock(&lock);
	attached_lists_drop_gone();
	attached_links_drop_closed();
}

/* A cgroup that never had one is as one that has none. */
static const struct attached_list *find_or_none(const struct stat *cgroup, uint32_t type)
{
	static const struct attached_list none = {.revision = 1};
	const struct attached_list *list = attached_list_find(cgroup, type);

	return list ? list : &none;
}

/* --- adding --- */

static int check_flags(const struct attachment *attachment)
{
	uint32_t flags = attachment->flags, sharing = flags & SHARING;

	if (sharing == SHARING || (flags & BPF_F_REPLACE && sharing != BPF_F_ALLOW_MULTI) ||
	    (flags & BPF_F_REPLACE && flags & PLACING) || flags & ~(uint32_t)FLAGS)
		return -EINVAL;
	return 0;
}

/* hierarchy_allows_attach(): the nearest ancestor that has one must have permitted more. */
static bool ancestors_permit(const struct attached_line *line, uint32_t type)
{
	for (unsigned i = 1; i < line->count; i++) {
		const struct attached_list *list = find_or_none(&line->cgroups[i], type);

		if (list->count)
			return list->flags;
	}
	return true;
}

/* The place of a program that is attached without a link; `count`: it is not there. */
static unsigned place_of(const struct attached_list *list, uint32_t program)
{
	unsigned i = 0;

	while (i < list->count && (list->rows[i].link || list->rows[i].program != program))
		i++;
	return i;
}

/* find_attach_entry(): the row that the new program comes in place of; `count`: it is one more. */
static int find_replaced(const struct attachment *attachment, const struct attached_list *list,
			 unsigned *place)
{
	unsigned same;

	*place = list->count;
	if (!(attachment->flags & BPF_F_ALLOW_MULTI)) {
		*place = 0;
		return 0;
	}
	same = attachment->link ? list->count : place_of(list, attachment->program);
	if (same < list->count &&
	    !(attachment->flags & BPF_F_REPLACE && attachment->replaced == attachment->program))
		return -EINVAL;
	if (!(attachment->flags & BPF_F_REPLACE))
		return 0;
	*place = place_of(list, attachment->replaced);
	return *place == list->count ? -ENOENT : 0;
}

/* get_prog_list(): beside the one that was named. */
static int place_beside(const struct attachment *attachment, const struct attached_list *list,
			unsigned *place)
{
	bool before = attachment->flags & BPF_F_BEFORE, by_link = attachment->flags & BPF_F_LINK;

	if (before == !!(attachment->flags & BPF_F_AFTER) || by_link != !!attachment->link)
		return -EINVAL;
	if (attachment->beside_error)
		return attachment->beside_error;
	for (unsigned i = 0; i < list->count; i++) {
		const struct attached_row *row = &list->rows[i];

		if (by_link ? row->link != attachment->beside
			    : row->link || row->program != attachment->beside)
			continue;
		if ((row->flags ^ attachment->flags) & BPF_F_PREORDER)
			return -EINVAL;
		*place = before ? i : i + 1;
		return 0;
	}
	return -ENOENT;
}

/* insert_pl_to_hlist(): where one more goes. */
static int choose_place(const struct attachment *attachment, const struct attached_list *list,
			unsigned *place)
{
	if (attachment->has_beside || attachment->flags & (BPF_F_ID | BPF_F_LINK))
		return place_beside(attachment, list, place);
	if (list->count && (attachment->flags & PLACING) == PLACING)
		return -EINVAL;
	*place = attachment->flags & BPF_F_BEFORE ? 0 : list->count;
	return 0;
}

static int check_place(const struct attachment *attachment, const struct attached_line *line,
		       const struct attached_list *list)
{
	if (attachment->revision && attachment->revision != list->revision)
		return -ESTALE;
	if (!ancestors_permit(line, attachment->type) ||
	    (list->count && list->flags != (attachment->flags & SHARING)))
		return -EPERM; /* nobody changes what the first has permitted */
	return list->count == ATTACHED_MAX ? -E2BIG : 0;
}

/* __cgroup_bpf_attach() */
static int add(const struct attachment *attachment, const struct attached_line *line, int file)
{
	const struct attached_row row = {.file = file, .program = attachment->program,
					 .flags = attachment->flags, .link = attachment->link};
	const struct attached_list *there = find_or_none(line->cgroups, attachment->type);
	struct attached_list *list;
	unsigned place;
	bool is_new;
	int error = check_place(attachment, line, there);

	if (!error)
		error = find_replaced(attachment, there, &place);
	is_new = !error && place == there->count;
	if (is_new)
		error = choose_place(attachment, there, &place);
	if (error)
		return error;
	list = attached_list_make(line->cgroups, attachment->directory, attachment->type);
	if (!list || (is_new && !attached_lists_have_room()))
		return -ENOSPC;
	if (is_new) {
		attached_list_insert(list, place, &row);
	} else {
		close(list->rows[place].file);
		list->rows[place] = row;
	}
	list->flags = attachment->flags & SHARING;
	list->revision++;
	return 0;
}

int attached_add(const struct attachment *attachment, int file)
{
	struct attached_line line = {0};
	int error = check_flags(attachment);

	if (!error)
		error = attached_line_read(attachment->directory, &line);
	take_lock();
	if (!error)
		error = add(attachment, &line, file);
	pthread_mutex_unlock(&lock);
	free(line.cgroups);
	if (error)
		close(file);
	return error;
}

/* --- removing --- */

/* __cgroup_bpf_detach() */
static int remove_from(const struct stat *cgroup, const struct attachment *attachment)
{
	const struct attached_list *there = find_or_none(cgroup, attachment->type);
	struct attached_list *list;
	unsigned place = 0;

	if (attachment->revision && attachment->revision != there->revision)
		return -ESTALE;
	if (there->count && there->flags == BPF_F_ALLOW_MULTI) {
		if (!attachment->program)
			return -EINVAL;
		place = place_of(there, attachment->program);
	}
	if (place == there->count)
		return -ENOENT;
	list = attached_list_find(cgroup, attachment->type);
	attached_list_drop(list, place);
	list->revision++;
	return 0;
}

int attached_remove(const struct attachment *attachment)
{
	struct stat cgroup;
	int error;

	if (fstat(attachment->directory, &cgroup))
		return -errno;
	take_lock();
	error = remove_from(&cgroup, attachment);
	pthread_mutex_unlock(&lock);
	return error;
}

/* --- links --- */

int attached_new_link(uint32_t type, ino_t *number)
{
	int file;

	take_lock();
	file = attached_links_make(type, number);
	pthread_mutex_unlock(&lock);
	return file;
}

bool attached_is_link(ino_t number, uint32_t *type)
{
	bool found;

	take_lock();
	found = attached_links_find(number, type);
	pthread_mutex_unlock(&lock);
	return found;
}

int attached_update_link(ino_t number, uint32_t program, uint32_t replaced, int file)
{
	struct attached_list *list;
	unsigned place;
	int error = 0;

	take_lock();
	list = attached_list_of_link(number, &place);
	if (!list)
		error = -ENOLINK;
	else if (replaced && replaced != list->rows[place].program)
		error = -EPERM;
	if (!error) {
		close(list->rows[place].file);
		list->rows[place].file = file;
		list->rows[place].program = program;
		list->revision++;
	}
	pthread_mutex_unlock(&lock);
	if (error)
		close(file);
	return error;
}

void attached_detach_link(ino_t number)
{
	take_lock();
	attached_links_detach(number);
	pthread_mutex_unlock(&lock);
}

/* --- telling --- */

static void list_program(struct attached_programs *programs, uint32_t number)
{
	if (programs->count < programs->size)
		programs->numbers[programs->count] = number;
	programs->count++;
}

static void list_rows(const struct attached_list *list, uint32_t preorder, struct attached_programs *programs)
{
	for (unsigned i = 0; i < list->count; i++) {
		if ((list->rows[i].flags & BPF_F_PREORDER) == preorder)
			list_program(programs, list->rows[i].program);
	}
}

/*
 * compute_effective_progs(): of an ancestor those that run whatever is below; from the top down those with
 * BPF_F_PREORDER, then from the bottom up the others.
 */
static void list_effective(const struct attached_line *line, uint32_t type,
			   struct attached_programs *programs)
{
	const struct attached_list **in_effect = calloc(line->count, sizeof(struct attached_list *));
	unsigned count = 0;

	for (unsigned i = 0; in_effect && i < line->count; i++) {
		const struct attached_list *list = find_or_none(&line->cgroups[i], type);

		if (list->count && (!count || list->flags == BPF_F_ALLOW_MULTI))
			in_effect[count++] = list;
	}
	for (unsigned i = count; i-- > 0;)
		list_rows(in_effect[i], BPF_F_PREORDER, programs);
	for (unsigned i = 0; i < count; i++)
		list_rows(in_effect[i], 0, programs);
	free(in_effect);
}

void attached_query(const struct attachment *attachment, struct attached_programs *programs)
{
	struct attached_line line = {0};
	const struct attached_list *list;

	programs->count = programs->flags = 0;
	programs->revision = 0;
	if (attached_line_read(attachment->directory, &line)) {
		free(line.cgroups);
		return;
	}
	take_lock();
	list = find_or_none(line.cgroups, attachment->type);
	if (attachment->flags & BPF_F_QUERY_EFFECTIVE) {
		list_effective(&line, attachment->type, programs);
	} else {
		programs->revision = list->revision;
		programs->flags = list->count ? list->flags : 0;
		for (unsigned i = 0; i < list->count; i++)
			list_program(programs, list->rows[i].program);
	}
	pthread_mutex_unlock(&lock);
	free(line.cgroups);
}
