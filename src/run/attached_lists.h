/* SPDX-License-Identifier: MIT */
#ifndef RUN_ATTACHED_LISTS_H
#define RUN_ATTACHED_LISTS_H

#include <stdint.h>
#include <sys/stat.h>

#include "attached.h"

/* The programs of a cgroup and type, in their order. All under the lock of attached.c. */

struct attached_row {
	int file; /* keeps the program's number its own */
	uint32_t program, flags;
	ino_t link; /* 0: it has none */
};

struct attached_list {
	ino_t cgroup;
	dev_t device;
	int directory; /* keeps the cgroup's number its own */
	uint32_t type;
	uint32_t flags; /* BPF_F_ALLOW_OVERRIDE or BPF_F_ALLOW_MULTI, as the first has permitted */
	uint64_t revision; /* from 1 on */
	unsigned count;
	struct attached_row rows[ATTACHED_MAX];
};

/* NULL: this cgroup never had one of this type. */
struct attached_list *attached_list_find(const struct stat *cgroup, uint32_t type);
/* The same, made where there is none. NULL: no memory, or as many as are kept. */
struct attached_list *attached_list_make(const struct stat *cgroup, int directory, uint32_t type);
/* Has room for one more: fewer programs than are kept are attached in all. */
bool attached_lists_have_room(void);
/* Puts a row at this place, of a list that is not full; the others move on. */
void attached_list_insert(struct attached_list *list, unsigned place, const struct attached_row *row);
void attached_list_drop(struct attached_list *list, unsigned place);
/* The list that has a link's row, and *place in it; NULL: the link is attached to nothing. */
struct attached_list *attached_list_of_link(ino_t link, unsigned *place);
/* Those of cgroups that were removed go. */
void attached_lists_drop_gone(void);

/* A cgroup, its parent, and so on up to the root. */
struct attached_line {
	struct stat *cgroups;
	unsigned count;
};

/* 0 or a negative errno. free() line->cgroups in any case. Needs no lock. */
int attached_line_read(int directory, struct attached_line *line);

#endif
