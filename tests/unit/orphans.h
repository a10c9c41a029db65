/* SPDX-License-Identifier: MIT */
/* A member in a process group that a stranger leads, on a fake machine with an init of another session. */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "family.h"

#define STRANGER 9
#define MEMBER 10 /* family->top */

/* A task in the stranger's process group and session. */
static inline struct fake_task in_group(pid_t tid, pid_t parent)
{
	struct fake_task task = task_of(tid, parent);

	task.pgrp = task.session = STRANGER;
	return task;
}

static inline int set_up_group(void **state)
{
	struct family *family = calloc(1, sizeof(*family));
	const struct fake_task init = task_of(1, 0), stranger = in_group(STRANGER, 1);

	*state = family;
	family->accounting = fake_accounting_new(&family->fake, &family->machine);
	make_groups(family);
	family->top = in_group(MEMBER, 1);
	put(family, &init);
	put(family, &stranger);
	put(family, &family->top);
	put_last_pid(family, MEMBER);
	fake_move(family->accounting, &family->top, &family->group);
	assert_int_equal(family->group.populated, 1);
	return 0;
}

static inline void sync_to(struct family *family, pid_t last)
{
	put_last_pid(family, last);
	source_sync(family->accounting);
}

static inline void put_orphan(struct family *family, pid_t tid)
{
	const struct fake_task orphan = in_group(tid, 1);

	put(family, &orphan);
	sync_to(family, tid);
}

static inline void wait_for_child(struct family *family)
{
	family->top.reaped += FAKE_TICK;
	family->top.run += FAKE_TICK;
	put(family, &family->top);
}

#endif
